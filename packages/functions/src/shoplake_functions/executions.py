"""Whether an execution of the state machine still runs."""

from collections.abc import Callable
from typing import Any

from botocore.exceptions import ClientError

__all__ = ["execution_asker"]

# an execution that waits for its redrive will go on with what it holds
_RUNNING = {"RUNNING", "PENDING_REDRIVE"}


def execution_asker(states: Any) -> Callable[[str], bool]:
    """A function that asks Step Functions; an execution that is forgotten (after 90 days) has ended.

    Args:
        states: A boto3 `stepfunctions` client.

    """

    def is_running(execution_arn: str) -> bool:
        try:
            status: str = states.describe_execution(executionArn=execution_arn)["status"]
        except ClientError as error:
            if error.response["Error"]["Code"] == "ExecutionDoesNotExist":
                return False
            raise
        return status in _RUNNING

    return is_running
