"""Calls of a schedule's target, as the schedule's role."""

import json
from collections.abc import Callable, Mapping
from datetime import UTC
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from shoplake_local.scheduler.schedules import Schedule
from shoplake_local.scheduler.store import Call

__all__ = ["CallFailedError", "ClientOf", "call_target", "input_of", "service_of_target"]

ClientOf = Callable[[str, str], Any]
_SERVER_ERROR = 500
_BUSY = frozenset({"ThrottlingException", "TooManyRequestsException", "Throttling", "RequestLimitExceeded"})
_ALREADY_STARTED = "ExecutionAlreadyExists"


class CallFailedError(Exception):
    """A target that was not called.

    Args:
        message: Why.
        again: Whether another attempt may do better.

    """

    def __init__(self, message: str, *, again: bool) -> None:
        super().__init__(message)
        self.again = again


def service_of_target(arn: str) -> str | None:
    """The service (botocore's name) of a target that can be called here; None for any other."""
    service, _, resource = arn.removeprefix("arn:aws:").partition(":")
    if not arn.startswith("arn:aws:"):
        return None
    kind = resource.split(":")[2] if resource.count(":") >= 2 else ""
    known = {("states", "stateMachine"): "stepfunctions", ("lambda", "function"): "lambda"}
    return known.get((service, kind), service if service in {"sns", "sqs"} and kind else None)


def input_of(schedule: Schedule, call: Call) -> str:
    """The input of a call: the schedule's with AWS's context attributes filled in, or AWS's own event where it has none.

    Facts: EventBridge Scheduler User Guide, "Adding context attributes".

    """
    scheduled_time = call.scheduled_at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    text = schedule.target.get("Input")
    if not text:
        _, _, _, region, account, _ = schedule.arn.split(":", 5)
        return json.dumps(
            {
                "version": "0",
                "id": call.id,
                "detail-type": "Scheduled Event",
                "source": "aws.scheduler",
                "account": account,
                "time": scheduled_time,
                "region": region,
                "resources": [schedule.arn],
                "detail": "{}",
            }
        )
    values: Mapping[str, str] = {
        "schedule-arn": schedule.arn,
        "scheduled-time": scheduled_time,
        "execution-id": call.id,
        "attempt-number": str(call.attempts + 1),
    }
    for name, value in values.items():
        text = text.replace(f"<aws.scheduler.{name}>", value)
    return str(text)


def call_target(client_of: ClientOf, schedule: Schedule, call: Call) -> None:
    """Call it once.

    An execution is named after the call: a second attempt for one that was made, but whose end nobody wrote down, starts
    none. Lambda, SNS and SQS have no such name, and are then called twice, as AWS says of its own ("at least once").

    Args:
        client_of: (botocore's service, ARN of a role) -> a client that acts as that role.
        schedule: Whose target.
        call: Which time of it.

    Raises:
        CallFailedError: It was not called.

    """
    arn, given = schedule.target["Arn"], input_of(schedule, call)
    service = service_of_target(arn)
    try:
        client = client_of(str(service), schedule.target["RoleArn"])
        if service == "stepfunctions":
            client.start_execution(stateMachineArn=arn, name=call.id, input=given)
        elif service == "lambda":
            client.invoke(FunctionName=arn, InvocationType="Event", Payload=given.encode())
        elif service == "sns":
            client.publish(TopicArn=arn, Message=given)
        elif service == "sqs":
            _, _, _, _, account, name = arn.split(":")
            url = client.get_queue_url(QueueName=name, QueueOwnerAWSAccountId=account)["QueueUrl"]
            client.send_message(QueueUrl=url, MessageBody=given)
        else:
            raise CallFailedError(f"{arn} is no target that is called here", again=False)
    except ClientError as error:
        code = error.response["Error"]["Code"]
        if code == _ALREADY_STARTED:
            return
        status = error.response["ResponseMetadata"]["HTTPStatusCode"]
        raise CallFailedError(str(error), again=status >= _SERVER_ERROR or code in _BUSY) from error
    except BotoCoreError as error:
        raise CallFailedError(str(error), again=True) from error
