"""Lambda of the local AWS: Python functions as zip files, each with warm processes of its own."""

import base64
import hashlib
import json
import os
import threading
import uuid
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from shoplake_core.clock import Clock
from shoplake_engines.object_store_aws import s3_client
from shoplake_engines.private_files import private_folder
from shoplake_engines.processes import server_environment

from shoplake_local.jobs.documents import Documents
from shoplake_local.jobs.import_guard import CODE_FOLDERS
from shoplake_local.jobs.job_process import Endpoints
from shoplake_local.jobs.shipped_code import CodeNotFetchedError, ShippedCode
from shoplake_local.lambda_functions.invocation import FunctionProcesses, Invocation
from shoplake_local.lambda_functions.permissions import Permissions
from shoplake_local.service import ServiceError, UnsupportedOperationError, refuse_unsupported

__all__ = ["LambdaService"]

_KIND = "FunctionConfiguration"
_RUNTIMES = ("python3.10", "python3.11", "python3.12", "python3.13", "python3.14")
_SETTINGS = frozenset(
    {"FunctionName", "Runtime", "Role", "Handler", "Description", "Timeout", "MemorySize", "VpcConfig", "Environment"}
)
_CODE = frozenset({"ZipFile", "S3Bucket", "S3Key"})
_LOG_TAIL_BYTES = 4096


class LambdaService:
    """Functions of one account and region.

    Args:
        folder: Everything lies below it.
        endpoints: Where functions find AWS.
        clock: Time.

    """

    service_name = "lambda"

    def __init__(self, folder: Path, endpoints: Endpoints, *, clock: Clock) -> None:
        self._folder = private_folder(folder)
        self._documents = Documents(folder / "lambda.sqlite", "lambda")
        self._permissions = Permissions(self._documents)
        self._code = ShippedCode(folder / "code")
        self._endpoints = endpoints
        self._clock = clock
        self._processes = FunctionProcesses(clock)
        self._events: list[threading.Thread] = []
        self._operations: Mapping[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
            "CreateFunction": self._create,
            "GetFunction": self._get,
            "GetFunctionConfiguration": self._get_configuration,
            "UpdateFunctionCode": self._update_code,
            "UpdateFunctionConfiguration": self._update_configuration,
            "DeleteFunction": self._delete,
            "ListFunctions": self._list,
            "ListTags": self._list_tags,
            "TagResource": self._tag,
            "UntagResource": self._untag,
            "Invoke": self._invoke,
            "AddPermission": lambda p: self._permissions.add(self._function(p), p),
            "RemovePermission": lambda p: self._permissions.remove(self._function(p), p),
            "GetPolicy": lambda p: self._permissions.shown(self._function(p)),
        }

    def call(self, operation: str, parameters: dict[str, Any]) -> dict[str, Any]:
        """The answer of one operation; see `Service`."""
        handler = self._operations.get(operation)
        if handler is None:
            raise UnsupportedOperationError(f"operation {operation} of lambda")
        return handler(parameters)

    def close(self) -> None:
        """Wait for the events under way, end the warm processes, close the file."""
        for thread in list(self._events):
            thread.join()
        self._processes.close()
        self._documents.close()

    def _create(self, parameters: dict[str, Any]) -> dict[str, Any]:
        refuse_unsupported(
            "Lambda's CreateFunction",
            parameters,
            _SETTINGS | {"Code", "Tags", "PackageType", "Publish", "Architectures"},
        )
        if parameters.get("PackageType", "Zip") != "Zip" or parameters.get("Publish"):
            raise UnsupportedOperationError("container images or published versions of functions")
        name = parameters["FunctionName"]
        settings = {key: value for key, value in parameters.items() if key in _SETTINGS}
        settings = {"Timeout": 3, "MemorySize": 128, "Description": ""} | settings
        function = settings | {
            "FunctionArn": self._arn(name),
            "Version": "$LATEST",
            "PackageType": "Zip",
            "Architectures": parameters.get("Architectures", ["x86_64"]),
        }
        function |= self._with_code("CreateFunction", parameters["Code"])
        with self._documents.transaction():
            if self._documents.get(_KIND, name) is not None:
                raise ServiceError("ResourceConflictException", f"Function already exist: {name}", 409)
            answer = self._kept(function)
            self._documents.put("tags", name, parameters.get("Tags", {}))
        return answer | {"State": "Pending"}

    def _update_code(self, parameters: dict[str, Any]) -> dict[str, Any]:
        refuse_unsupported("Lambda's UpdateFunctionCode", parameters, {"FunctionName", "Architectures", *_CODE})
        code = {name: value for name, value in parameters.items() if name in _CODE}
        new = self._with_code("UpdateFunctionCode", code)
        if "Architectures" in parameters:
            new["Architectures"] = parameters["Architectures"]
        with self._documents.transaction():
            answer = self._kept(self._function(parameters) | new)
        return answer | {"LastUpdateStatus": "InProgress"}

    def _update_configuration(self, parameters: dict[str, Any]) -> dict[str, Any]:
        refuse_unsupported("Lambda's UpdateFunctionConfiguration", parameters, _SETTINGS)
        with self._documents.transaction():
            function = self._function(parameters)
            answer = self._kept(function | parameters | {"FunctionName": function["FunctionName"]})
        return answer | {"LastUpdateStatus": "InProgress"}

    def _kept(self, function: dict[str, Any]) -> dict[str, Any]:
        if function.get("Runtime") not in _RUNTIMES:
            message = f"Value {function.get('Runtime')} at 'runtime' is none of {', '.join(_RUNTIMES)}"
            raise ServiceError("InvalidParameterValueException", message)
        if "." not in function.get("Handler", ""):
            raise ServiceError("InvalidParameterValueException", "Handler must be <module>.<function>")
        self._variables_of_role(function["Role"])
        function |= {
            "LastModified": self._clock.now().strftime("%Y-%m-%dT%H:%M:%S.000+0000"),
            "RevisionId": str(uuid.uuid4()),
            "State": "Active",
            "LastUpdateStatus": "Successful",
        }
        self._documents.put(_KIND, function["FunctionName"], function)
        return dict(function)

    def _with_code(self, operation: str, code: Mapping[str, Any]) -> dict[str, Any]:
        refuse_unsupported(f"Lambda's {operation}", code, _CODE)
        try:
            if "ZipFile" in code:
                content = bytes(code["ZipFile"])
            else:
                url = f"s3://{code.get('S3Bucket', '')}/{code.get('S3Key', '')}"
                content = self._code.fetched(s3_client(self._endpoints.object_store), url)
            folder = self._code.unpacked(content, "the function's code")
        except CodeNotFetchedError as error:
            raise ServiceError("InvalidParameterValueException", str(error)) from error
        digest = hashlib.sha256(content).digest()
        self._documents.put("code", base64.b64encode(digest).decode(), {"folder": folder.name})
        return {"CodeSha256": base64.b64encode(digest).decode(), "CodeSize": len(content)}

    def _get(self, parameters: dict[str, Any]) -> dict[str, Any]:
        function = self._function(parameters)
        answer = {"Configuration": function, "Code": {"RepositoryType": "S3"}}
        tags = self._tags(function["FunctionName"])
        return answer | ({"Tags": tags} if tags else {})

    def _get_configuration(self, parameters: dict[str, Any]) -> dict[str, Any]:
        return self._function(parameters)

    def _delete(self, parameters: dict[str, Any]) -> dict[str, Any]:
        with self._documents.transaction():
            name = self._function(parameters)["FunctionName"]
            self._documents.delete(_KIND, name)
            self._documents.delete("tags", name)
            self._permissions.forget(name)
        return {"StatusCode": 204}

    def _list(self, parameters: dict[str, Any]) -> dict[str, Any]:
        refuse_unsupported("Lambda's ListFunctions", parameters, {"Marker", "MaxItems"})
        size, after = min(parameters.get("MaxItems", 50), 50), parameters.get("Marker", "")
        left = [function for function in self._documents.all(_KIND) if function["FunctionName"] > after]
        answer: dict[str, Any] = {"Functions": left[:size]}
        if len(left) > size:
            answer["NextMarker"] = left[size - 1]["FunctionName"]
        return answer

    def _list_tags(self, parameters: dict[str, Any]) -> dict[str, Any]:
        return {"Tags": self._tags(self._tagged(parameters))}

    def _tag(self, parameters: dict[str, Any]) -> dict[str, Any]:
        with self._documents.transaction():
            name = self._tagged(parameters)
            self._documents.put("tags", name, self._tags(name) | parameters["Tags"])
        return {}

    def _untag(self, parameters: dict[str, Any]) -> dict[str, Any]:
        with self._documents.transaction():
            name = self._tagged(parameters)
            left = {key: value for key, value in self._tags(name).items() if key not in parameters["TagKeys"]}
            self._documents.put("tags", name, left)
        return {}

    def _invoke(self, parameters: dict[str, Any]) -> dict[str, Any]:
        refuse_unsupported("Lambda's Invoke", parameters, {"FunctionName", "InvocationType", "LogType", "Payload"})
        kind = parameters.get("InvocationType", "RequestResponse")
        if kind not in {"RequestResponse", "Event"}:
            raise UnsupportedOperationError(f'InvocationType "{kind}" of Lambda\'s Invoke')
        function = self._function(parameters)
        try:
            event = json.loads(parameters.get("Payload") or b"{}")
        except ValueError:
            message = "Could not parse request body into json"
            raise ServiceError("InvalidRequestContentException", message) from None
        if kind == "Event":
            thread = threading.Thread(target=self._run, args=(function, event), daemon=True)
            self._events = [other for other in self._events if other.is_alive()] + [thread]
            thread.start()
            return {"StatusCode": 202}
        done = self._run(function, event)
        answer: dict[str, Any] = {"StatusCode": 200, "ExecutedVersion": "$LATEST", "Payload": done.payload}
        if done.failed:
            answer["FunctionError"] = "Unhandled"
        if parameters.get("LogType") == "Tail":
            answer["LogResult"] = base64.b64encode(done.log[-_LOG_TAIL_BYTES:]).decode()
        return answer

    def _run(self, function: Mapping[str, Any], event: Any) -> Invocation:
        name = function["FunctionName"]
        code = self._documents.get("code", function["CodeSha256"]) or {}
        folder = self._folder / "code" / code["folder"]
        variables = {
            **function.get("Environment", {}).get("Variables", {}),
            **self._variables_of_role(function["Role"]),
            "AWS_LAMBDA_FUNCTION_NAME": name,
            "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(function["MemorySize"]),
            "LAMBDA_TASK_ROOT": str(folder),
            "PYTHONPATH": os.pathsep.join([str(self._code.guard_folder()), str(folder)]),
            "PYTHONUNBUFFERED": "1",
            "PYTHONDONTWRITEBYTECODE": "1",
            CODE_FOLDERS: str(folder),
        }
        context = {
            "function_name": name,
            "function_version": "$LATEST",
            "invoked_function_arn": function["FunctionArn"],
            "memory_limit_in_mb": function["MemorySize"],
            "aws_request_id": str(uuid.uuid4()),
            "log_group_name": f"/aws/lambda/{name}",
            "log_stream_name": "local",
            "timeout_seconds": function["Timeout"],
        }
        done = self._processes.invoked(
            handler=function["Handler"],
            event=event,
            context=context,
            environment=server_environment(private_folder(self._folder / "home"), extra=variables),
            folder=folder,
        )
        with (private_folder(self._folder / "logs") / f"{name}.log").open("ab") as log:
            log.write(done.log)
        return done

    def _variables_of_role(self, role: str) -> dict[str, str]:
        try:
            return self._endpoints.environment(role)
        except ServiceError as error:
            message = f"The role defined for the function cannot be assumed by Lambda. {error.message}"
            raise ServiceError("InvalidParameterValueException", message) from error

    def _function(self, parameters: Mapping[str, Any]) -> dict[str, Any]:
        if parameters.get("Qualifier", "$LATEST") != "$LATEST":
            raise UnsupportedOperationError("published versions and aliases of functions")
        name = parameters["FunctionName"].removeprefix(self._arn(""))
        function = self._documents.get(_KIND, name)
        if function is None:
            raise ServiceError("ResourceNotFoundException", f"Function not found: {self._arn(name)}", 404)
        return function

    def _tagged(self, parameters: Mapping[str, Any]) -> str:
        return str(self._function({"FunctionName": parameters["Resource"]})["FunctionName"])

    def _tags(self, name: str) -> dict[str, Any]:
        return self._documents.get("tags", name) or {}

    def _arn(self, name: str) -> str:
        return f"arn:aws:lambda:{self._endpoints.front.region}:{self._endpoints.account}:function:{name}"
