"""Tasks as calls of AWS: Lambda, Glue jobs, SNS, and any action that a definition may name as `aws-sdk:...`.

Parameters and answers are PascalCase whatever the API says, and errors are named by the Java SDK's exceptions:
https://docs.aws.amazon.com/step-functions/latest/dg/supported-services-awssdk.html
"""

import json
from collections.abc import Callable
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError, HTTPClientError, ParamValidationError
from botocore.exceptions import ConnectionError as BotoConnectionError
from shoplake_orchestration.integrations import SDK_SERVICES

from shoplake_local.stepfunctions.faults import StateError
from shoplake_local.stepfunctions.pascal_case import api_parameters, pascal, pascal_answer

__all__ = ["ERROR_PREFIXES", "AwsTasks", "ClientOf"]

ClientOf = Callable[[str, str], Any]
"""A boto3 client of a service (botocore's name) that acts as a role (its ARN)."""

_JOB = "arn:aws:states:::glue:startJobRun.sync"
_SDK_PREFIX = "arn:aws:states:::aws-sdk:"
# the Java SDK's names of the services, which begin every error's name
ERROR_PREFIXES = {
    "cloudwatch": "CloudWatch",
    "dms": "DatabaseMigration",
    "dynamodb": "DynamoDb",
    "events": "EventBridge",
    "glue": "Glue",
    "lambda": "Lambda",
    "quicksight": "QuickSight",
    "redshift-data": "RedshiftData",
    "s3": "S3",
    "secretsmanager": "SecretsManager",
    "stepfunctions": "Sfn",
    "sns": "Sns",
}
_RUNNING = frozenset({"STARTING", "RUNNING", "STOPPING", "WAITING"})


class AwsTasks:
    """The `TaskRunner` that calls AWS.

    Args:
        client_of: Makes the clients; asked once a call, so it may keep them.

    """

    def __init__(self, client_of: ClientOf) -> None:
        self._client_of = client_of

    def call(self, resource: str, arguments: Any, *, role_arn: str) -> Any:
        """The action's answer."""
        if resource == "arn:aws:states:::lambda:invoke":
            return self._invoke(arguments, role_arn)
        if resource == "arn:aws:states:::sns:publish":
            message = arguments.get("Message")
            text = message if isinstance(message, str) else json.dumps(message, separators=(",", ":"))
            return self._asked("sns", "Publish", {**arguments, "Message": text}, role_arn)
        if not resource.startswith(_SDK_PREFIX):
            raise StateError("States.Runtime", f"The resource {resource} is not supported here.")
        service, _, action = resource.removeprefix(_SDK_PREFIX).partition(":")
        if service not in SDK_SERVICES:
            raise StateError("States.Runtime", f"The resource {resource} is not supported here.")
        return self._asked(SDK_SERVICES[service], pascal(action), arguments, role_arn)

    def submit(self, resource: str, arguments: Any, *, role_arn: str) -> dict[str, Any]:
        """The job run that was started."""
        if resource != _JOB:
            raise StateError("States.Runtime", f"The resource {resource} is not supported here.")
        answer = self._asked("glue", "StartJobRun", arguments, role_arn)
        return {"JobName": arguments["JobName"], "JobRunId": answer["JobRunId"]}

    def poll(self, resource: str, job: dict[str, Any], *, role_arn: str) -> dict[str, Any] | None:  # noqa: ARG002
        """The run when it has ended. A look that reaches nobody is no failure of the job: the next one may."""
        asked = {"JobName": job["JobName"], "RunId": job["JobRunId"]}
        try:
            run: dict[str, Any] = self._asked("glue", "GetJobRun", asked, role_arn)["JobRun"]
        except StateError as fault:
            if isinstance(fault.__cause__, BotoConnectionError | HTTPClientError):
                return None
            raise
        state = run["JobRunState"]
        if state in _RUNNING:
            return None
        if state != "SUCCEEDED":
            raise StateError("States.TaskFailed", json.dumps(run, separators=(",", ":")))
        return run

    def cancel(self, resource: str, job: dict[str, Any], *, role_arn: str) -> None:  # noqa: ARG002
        """Stop the run."""
        asked = {"JobName": job["JobName"], "JobRunIds": [job["JobRunId"]]}
        self._asked("glue", "BatchStopJobRun", asked, role_arn)

    def _invoke(self, arguments: dict[str, Any], role_arn: str) -> dict[str, Any]:
        payload = json.dumps(arguments.get("Payload", {}), separators=(",", ":"))
        answer = self._asked("lambda", "Invoke", {**arguments, "Payload": payload}, role_arn)
        text = answer.get("Payload") or "null"
        try:
            result = json.loads(text)
        except ValueError:
            result = text
        if "FunctionError" in answer:
            known = result.get("errorType") if isinstance(result, dict) else None
            raise StateError(known or "Lambda.Unknown", text)
        return {**answer, "Payload": result}

    def _asked(self, service: str, operation: str, arguments: Any, role_arn: str) -> Any:
        prefix = ERROR_PREFIXES[service]
        try:
            client = self._client_of(service, role_arn)
            model = client.meta.service_model.operation_model(operation)
            method = next(name for name, api in client.meta.method_to_api_mapping.items() if api == operation)
            answer = getattr(client, method)(**api_parameters(model.input_shape, arguments))
            return pascal_answer(model.output_shape, answer)
        except ParamValidationError as error:
            raise StateError("States.Runtime", str(error)) from error
        except ClientError as error:
            raise StateError(_error_name(prefix, model, error), _cause(prefix, error)) from error
        except BotoCoreError as error:
            raise StateError(f"{prefix}.SdkClientException", str(error)) from error


def _error_name(prefix: str, model: Any, error: ClientError) -> str:
    """`Glue.CrawlerRunningException`; an error that the model does not know is `Glue.GlueException`."""
    code = error.response.get("Error", {}).get("Code", "")
    known = {shape.name for shape in model.error_shapes} | {str(shape.error_code) for shape in model.error_shapes}
    if code not in known:
        return f"{prefix}.{prefix}Exception"
    for ending in ("Exception", "Fault", "Error"):
        code = code.removesuffix(ending)
    return f"{prefix}.{code}Exception"


def _cause(prefix: str, error: ClientError) -> str:
    found, meta = error.response.get("Error", {}), error.response.get("ResponseMetadata", {})
    status, request = meta.get("HTTPStatusCode", ""), meta.get("RequestId", "")
    where = f"Service: {prefix}, Status Code: {status}, Request ID: {request}"
    return f"{found.get('Message', '')} ({where}, Error Code: {found.get('Code', '')})"
