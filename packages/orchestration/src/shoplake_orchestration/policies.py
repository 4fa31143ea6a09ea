"""Retry and catch policies by name, and how a failure keeps the name of its state on the way out.

Inside a branch or a map variables do not reach the outside, so a failure there ends in a Fail whose Cause is JSON,
`{"shoplake_failed": {"state", "error", "cause"}}`; the Catch of the Parallel or Map takes it apart again.
"""

from shoplake_orchestration.states import Catch, Fail, Retry

__all__ = [
    "RETRY_FUNCTION",
    "RETRY_JOB",
    "RETRY_LOST_FUNCTION",
    "RETRY_READ",
    "RETRY_ROTATED",
    "RETRY_UNNAMED",
    "RETRY_WRITE",
    "branch_fails",
    "catch_in_branch",
    "catch_to",
]

RETRY_READ = Retry(errors=("States.TaskFailed", "States.Timeout"), max_attempts=6)
"""Calls that change nothing: whatever went wrong, they may be made again."""

RETRY_FUNCTION = Retry(
    errors=(
        "Lambda.ClientExecutionTimeoutException",
        "Lambda.ServiceException",
        "Lambda.AWSLambdaException",
        "Lambda.LambdaException",
        "Lambda.SdkClientException",
        "Lambda.TooManyRequestsException",
        "Lambda.EC2ThrottledException",
        "Lambda.ResourceNotReadyException",
        "ConflictError",
        "ResourceError",
    ),
    max_attempts=5,
)
"""Lambda's own troubles, and our errors that mean "a service did not answer": every function may be called again."""

RETRY_LOST_FUNCTION = Retry(errors=("Lambda.Unknown", "Runtime.ExitError", "Sandbox.Timedout"), max_attempts=1)
"""A function whose process was lost or took too long: once more, for what killed it may have been an accident."""

RETRY_ROTATED = Retry(errors=("CredentialError",), interval_seconds=5, max_attempts=2)
"""A login that was refused: the secret may have been read a moment before it was rotated, and is read again then. MariaDB
knows one password at a time, so it has such a moment; a wrong password fails a quarter of a minute later."""

RETRY_JOB = Retry(
    errors=(
        "Glue.ConcurrentRunsExceededException",
        "Glue.OperationTimeoutException",
        "Glue.ResourceNumberLimitExceededException",
        "Glue.InternalServiceException",
        "Glue.ThrottlingException",
        "Glue.SdkClientException",
    ),
    interval_seconds=30,
    max_attempts=10,
    max_delay_seconds=600,
)
"""A job that could not start. One that ran and failed is not repeated unasked: a redrive does that."""

# Step Functions calls by the Java SDK, whose names these are: `aws-sdk:` integrations by version 2 (`Sns.`), the older
# ones of its own by version 1 (`SNS.`, `AWSGlueException`). AWS documents only the former's prefixes, so both stand here:
# https://docs.aws.amazon.com/step-functions/latest/dg/supported-services-awssdk.html
RETRY_WRITE = Retry(
    errors=(
        *(
            f"{service}.{error}"
            for service in ("DatabaseMigration", "Glue", "QuickSight", "RedshiftData", "Sns", "SNS")
            for error in ("ThrottlingException", "InternalServiceException", "SdkClientException")
        ),
        "QuickSight.InternalFailureException",
        "Glue.OperationTimeoutException",
        "RedshiftData.ActiveStatementsExceededException",
        "RedshiftData.ActiveSessionsExceededException",
        "RedshiftData.InternalServerException",
        *(
            f"{service}.{error}"
            for service in ("Sns", "SNS")
            for error in (
                "ThrottledException",
                "InternalErrorException",
                "KmsThrottlingException",
                "KMSThrottlingException",
            )
        ),
    ),
    max_attempts=6,
)
"""Calls that change something, on errors that say it was not done or (with a client token) may be said again."""

RETRY_UNNAMED = Retry(
    errors=(
        "DatabaseMigration.DatabaseMigrationException",
        "Glue.GlueException",
        "Glue.AWSGlueException",
        "QuickSight.QuickSightException",
        "RedshiftData.RedshiftDataException",
        "Sns.SnsException",
        "SNS.AmazonSNSException",
    ),
    interval_seconds=5,
    max_attempts=4,
)
"""Errors that a service's model does not name bear the service's: throttling above all, but refusals for good as well,
hence few attempts. Each write may be made again: a second start of what runs is refused by name, a load has its client
token, a refresh its id, and an alert that comes twice does no harm."""

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
