"""The calls that the run's states make: functions, jobs, and what each is given."""

from collections.abc import Mapping
from typing import Any

from shoplake_orchestration.policies import RETRY_FUNCTION, RETRY_JOB, catch_to
from shoplake_orchestration.states import Catch, Task

__all__ = ["EXECUTION_ARN", "REDRIVES", "RUN_ID", "TELL", "call_function", "run_job", "summary_url"]

TELL = "Tell what failed"
RUN_ID = "$states.context.Execution.Name"
EXECUTION_ARN = "{% $states.context.Execution.Id %}"
REDRIVES = "{% $exists($states.context.Execution.RedriveCount) ? $states.context.Execution.RedriveCount : 0 %}"


def call_function(
    token: str,
    payload: Mapping[str, Any],
    *,
    next_state: str,
    assign: Mapping[str, Any] | None = None,
    catch: tuple[Catch, ...] | None = None,
) -> Task:
    """One of our functions: a minute's work at most beside a cold start, so fifteen minutes is Lambda's own end."""
    return Task(
        resource="lambda:invoke",
        arguments={"FunctionName": f"${{{token}}}", "Payload": payload},
        timeout_seconds=900,
        retry=(RETRY_FUNCTION,),
        catch=(catch_to(TELL),) if catch is None else catch,
        assign=assign,
        next=next_state,
    )


def summary_url(step: str) -> str:
    """JSONata for the URL of a job's summary."""
    return f"'s3://${{ArtifactsBucket}}/runs/' & {RUN_ID} & '/{step}.json'"


def run_job(
    token: str, *, step: str, more: str = "{}", next_state: str | None, catch: tuple[Catch, ...] | None = None
) -> Task:
    """A Glue job with the arguments that every job takes, run until it has ended; `more` is JSONata for further ones."""
    common = (
        "{'--project': '${ProjectUrl}', '--environment': '${Environment}', '--account': '${Account}',"
        f" '--region': '${{Region}}', '--run_id': {RUN_ID}, '--summary': {summary_url(step)},"
        " '--masking_secret': '${MaskingSecret}'}"
    )
    return Task(
        resource="glue:startJobRun.sync",
        arguments={"JobName": f"${{{token}}}", "Arguments": f"{{% $merge([{common}, {more}]) %}}"},
        timeout_seconds="{% ${JobTimeoutSeconds} %}",
        retry=(RETRY_JOB,),
        catch=(catch_to(TELL),) if catch is None else catch,
        output={},
        next=next_state,
    )
