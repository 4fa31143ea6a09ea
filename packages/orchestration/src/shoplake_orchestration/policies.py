"""Retry and catch policies by name, and how a failure keeps the name of its state on the way out.

Inside a branch or a map variables do not reach the outside, so a failure there ends in a Fail whose Cause is JSON,
`{"shoplake_failed": {"state", "error", "cause"}}`; the Catch of the Parallel or Map takes it apart again.
"""

from shoplake_orchestration.states import Catch, Fail, Retry

__all__ = ["RETRY_FUNCTION", "RETRY_JOB", "RETRY_READ", "RETRY_WRITE", "branch_fails", "catch_in_branch", "catch_to"]

RETRY_READ = Retry(errors=("States.TaskFailed", "States.Timeout"), max_attempts=6)
"""Calls that change nothing: whatever went wrong, they may be made again."""

_THROTTLED = ("ThrottlingException", "InternalServiceException", "SdkClientException")

RETRY_FUNCTION = Retry(
    errors=(
        "Lambda.ClientExecutionTimeoutException",
        "Lambda.ServiceException",
        "Lambda.AWSLambdaException",
        "Lambda.SdkClientException",
        "Lambda.TooManyRequestsException",
        "ConflictError",
        "ResourceError",
    ),
    max_attempts=5,
)
"""Lambda's own troubles, and our errors that mean "a service did not answer": every function may be called again."""

RETRY_JOB = Retry(
    errors=(
        "Glue.ConcurrentRunsExceededException",
        "Glue.OperationTimeoutException",
        "Glue.ResourceNumberLimitExceededException",
        *(f"Glue.{error}" for error in _THROTTLED),
    ),
    interval_seconds=30,
    max_attempts=10,
    max_delay_seconds=600,
)
"""A job that could not start. One that ran and failed is not repeated unasked: a redrive does that."""

RETRY_WRITE = Retry(
    errors=(
        *(
            f"{service}.{error}"
            for service in ("DatabaseMigration", "Glue", "RedshiftData", "Sns")
            for error in _THROTTLED
        ),
        "RedshiftData.ActiveStatementsExceededException",
        "RedshiftData.ActiveSessionsExceededException",
        "RedshiftData.InternalServerException",
        "SNS.ThrottledException",
        "SNS.InternalErrorException",
    ),
    max_attempts=6,
)
"""Calls that change something, on errors that say it was not done or (with a client token) may be said again."""

# Lambda and Glue put JSON into Cause; the sentence in it is what a reader wants. A cut JSON text stays a text.
_FAILED = """(
  $cause := $exists($states.errorOutput.Cause) ? $string($states.errorOutput.Cause) : '';
  $json := $substring($cause, 0, 1) = '{' and $substring($cause, $length($cause) - 1) = '}' ? $parse($cause) : {};
  $message := $exists($json.errorMessage) ? $json.errorMessage : $json.ErrorMessage;
  $exists($json.shoplake_failed) ? $json.shoplake_failed : {
    'state': $states.context.State.Name,
    'error': $states.errorOutput.Error,
    'cause': $substring($exists($message) ? $string($message) : $cause, 0, 2000)
  }
)"""
_FAILED_EXPRESSION = f"{{% {' '.join(_FAILED.split())} %}}"


def catch_to(target: str) -> Catch:
    """Every error, kept in the variable `failed` as state, error and cause."""
    return Catch(next=target, assign={"failed": _FAILED_EXPRESSION})


def catch_in_branch(target: str) -> Catch:
    """Every error, handed to the branch's own Fail (`branch_fails`) as its input."""
    return Catch(next=target, output=_FAILED_EXPRESSION)


def branch_fails() -> Fail:
    """The Fail of a branch: its Cause carries state, error and cause to the outer Catch."""
    return Fail(error="{% $states.input.error %}", cause="{% $string({'shoplake_failed': $states.input}) %}")
