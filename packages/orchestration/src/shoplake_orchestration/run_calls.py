"""The calls that the run's states make: functions, jobs, and what each is given.

Whatever writes is given the execution's ARN only while the execution holds the run lock. A redrive begins AT the state
where an execution was stopped, when another run may long have taken the lock over: so `HOLDER` is an error in an
execution that was redriven since it took the lock, and the state fails before anything is called. `LOST_OR_FAILED`
then has the lock taken again. Functions and jobs look at the lock themselves, too.
"""

from collections.abc import Mapping
from typing import Any

from shoplake_orchestration.policies import (
    RETRY_FUNCTION,
    RETRY_JOB,
    RETRY_LOST_FUNCTION,
    RETRY_ROTATED,
    RETRY_UNNAMED,
    catch_to,
)
from shoplake_orchestration.states import Catch, Task

__all__ = [
    "EXECUTION_ARN",
    "HOLDER",
    "LOST_OR_FAILED",
    "REDRIVEN_SINCE",
    "REDRIVES",
    "RUN_ID",
    "STARTED_AT",
    "TELL",
    "call_function",
    "run_job",
    "summary_url",
    "while_held",
]

TELL = "Tell what failed"
LOST_OR_FAILED = "Was the run redriven since it took the lock"
RUN_ID = "$states.context.Execution.Name"
STARTED_AT = "{% $states.context.Execution.StartTime %}"
EXECUTION_ARN = "{% $states.context.Execution.Id %}"
_REDRIVE_COUNT = "($exists($states.context.Execution.RedriveCount) ? $states.context.Execution.RedriveCount : 0)"
REDRIVES = f"{{% {_REDRIVE_COUNT} %}}"
REDRIVEN_SINCE = f"{_REDRIVE_COUNT} > $held_at_redrive"
"""JSONata: whether the execution was redriven since it took the run lock."""


def while_held(code: str) -> str:
    """JSONata for the value of `code`; an error where the execution was redriven since it took the run lock."""
    return f"({REDRIVEN_SINCE} ? $error('redriven: the run lock must be taken again first') : {code})"


HOLDER = f"{{% {while_held('$states.context.Execution.Id')} %}}"
"""The execution's ARN, for whatever writes."""


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
        retry=(RETRY_FUNCTION, RETRY_LOST_FUNCTION, RETRY_ROTATED),
        catch=(catch_to(LOST_OR_FAILED),) if catch is None else catch,
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
        " '--execution_arn': $states.context.Execution.Id,"
        " '--masking_secret': '${MaskingSecret}'}"
    )
    return Task(
        resource="glue:startJobRun.sync",
        arguments={"JobName": f"${{{token}}}", "Arguments": f"{{% {while_held(f'$merge([{common}, {more}])')} %}}"},
        timeout_seconds="{% ${JobTimeoutSeconds} %}",
        retry=(RETRY_JOB, RETRY_UNNAMED),
        catch=(catch_to(LOST_OR_FAILED),) if catch is None else catch,
        output={},
        next=next_state,
    )
