"""Operations on executions: start, stop, redrive, and what they show."""

import json
import uuid
from typing import Any

from shoplake_local.service import ServiceError, UnsupportedOperationError
from shoplake_local.stepfunctions.engine import Engine
from shoplake_local.stepfunctions.faults import LARGEST_BYTES
from shoplake_local.stepfunctions.history import MOST_EVENTS, Event, details_member, shown_details
from shoplake_local.stepfunctions.machines import check_name, found_machine, moment
from shoplake_local.stepfunctions.pages import page, page_bounds
from shoplake_local.stepfunctions.store import ExecutionRecord

__all__ = ["Executions"]

_REDRIVABLE = frozenset({"FAILED", "ABORTED", "TIMED_OUT"})
_REDRIVABLE_SECONDS = 14 * 24 * 3600
_INCLUDED = {"included": True}


class Executions:
    """The operations, over the engine."""

    def __init__(self, engine: Engine, *, account: str, region: str) -> None:
        self._engine = engine
        self._prefix = f"arn:aws:states:{region}:{account}:execution"

    def start(self, parameters: dict[str, Any]) -> dict[str, Any]:
        """StartExecution: a running one with the same name and input is answered again."""
        machine = found_machine(self._engine, parameters["stateMachineArn"])
        if machine.deleting:
            raise ServiceError("StateMachineDeleting", f"State Machine is being deleted: '{machine.arn}'")
        name, given = parameters.get("name") or str(uuid.uuid4()), parameters.get("input", "{}")
        check_name(name)
        _check_input(given)
        arn = f"{self._prefix}:{machine.name}:{name}"
        with self._engine.lock:
            before = self._engine.store.execution(arn)
            if before is None:
                record = self._engine.start(machine, arn=arn, name=name, given=given)
            elif before.status == "RUNNING" and before.input == given:
                record = before
            else:
                raise ServiceError("ExecutionAlreadyExists", f"Execution Already Exists: '{arn}'")
        return {"executionArn": arn, "startDate": moment(record.started_at)}

    def describe(self, parameters: dict[str, Any]) -> dict[str, Any]:
        """DescribeExecution."""
        record = self._found(parameters)
        refusal = self._redrive_refusal(record)
        answer: dict[str, Any] = {
            "executionArn": record.arn,
            "stateMachineArn": record.machine_arn,
            "name": record.name,
            "status": record.status,
            "startDate": moment(record.started_at),
            "input": record.input,
            "inputDetails": _INCLUDED,
            "redriveCount": record.redrive_count,
            "redriveStatus": "NOT_REDRIVABLE" if refusal else "REDRIVABLE",
        }
        if refusal:
            answer["redriveStatusReason"] = refusal
        if record.stopped_at is not None:
            answer["stopDate"] = moment(record.stopped_at)
        if record.redriven_at is not None:
            answer["redriveDate"] = moment(record.redriven_at)
        if record.output is not None:
            answer |= {"output": record.output, "outputDetails": _INCLUDED}
        return answer | {key: text for key, text in (("error", record.error), ("cause", record.cause)) if text}

    def list(self, parameters: dict[str, Any]) -> dict[str, Any]:
        """ListExecutions, newest first."""
        if "mapRunArn" in parameters:
            raise UnsupportedOperationError("map runs")
        if "stateMachineArn" not in parameters:
            raise ServiceError("ValidationException", "Give a stateMachineArn.")
        machine = found_machine(self._engine, parameters["stateMachineArn"])
        records = self._engine.store.executions(machine.arn, status=parameters.get("statusFilter"))
        redriven = parameters.get("redriveFilter")
        if redriven is not None:
            records = [record for record in records if (record.redrive_count > 0) == (redriven == "REDRIVEN")]
        members, more = page(records, parameters)
        return {"executions": [_listed(record) for record in members], **more}

    def history(self, parameters: dict[str, Any]) -> dict[str, Any]:
        """GetExecutionHistory."""
        record = self._found(parameters)
        start, size = page_bounds(parameters)
        with_data = parameters.get("includeExecutionData", True)
        newest_first = parameters.get("reverseOrder", False)
        events = self._engine.store.events(record.arn, start=start, count=size, newest_first=newest_first)
        more = {"nextToken": str(start + size)} if len(events) > size else {}
        return {"events": [_shown(event, with_data=with_data) for event in events[:size]], **more}

    def stop(self, parameters: dict[str, Any]) -> dict[str, Any]:
        """StopExecution; one that has ended answers when it did."""
        record = self._engine.stop(self._found(parameters), parameters.get("error"), parameters.get("cause"))
        return {"stopDate": moment(record.stopped_at or 0.0)}

    def redrive(self, parameters: dict[str, Any]) -> dict[str, Any]:
        """RedriveExecution; the same clientToken again is answered as before."""
        token = parameters.get("clientToken")
        with self._engine.lock:
            record = self._found(parameters)
            if token is not None and token == record.redrive_token:
                return {"redriveDate": moment(record.redriven_at or 0.0)}
            refusal = self._redrive_refusal(record)
            if refusal:
                raise ServiceError("ExecutionNotRedrivable", refusal)
            return {"redriveDate": moment(self._engine.redrive(record, token).redriven_at or 0.0)}

    def describe_machine(self, parameters: dict[str, Any]) -> dict[str, Any]:
        """DescribeStateMachineForExecution: as it was when the execution began."""
        record = self._found(parameters)
        return {
            "stateMachineArn": record.machine_arn,
            "name": record.machine_arn.rsplit(":", 1)[1],
            "definition": record.definition,
            "roleArn": record.role_arn,
            "updateDate": moment(record.machine_updated_at),
            "revisionId": record.revision_id,
        }

    def _found(self, parameters: dict[str, Any]) -> ExecutionRecord:
        arn = parameters["executionArn"]
        if not arn.startswith("arn:aws:states:") or arn.split(":")[5:6] != ["execution"]:
            raise ServiceError("InvalidArn", f"Invalid Arn: '{arn}'")
        record = self._engine.store.execution(arn)
        if record is None:
            raise ServiceError("ExecutionDoesNotExist", f"Execution Does Not Exist: '{arn}'")
        return record

    def _redrive_refusal(self, record: ExecutionRecord) -> str:
        """Why it cannot be redriven; "" where it can."""
        if record.status not in _REDRIVABLE:
            return f"Execution is {record.status} and cannot be redriven"
        machine = self._engine.store.machine(record.machine_arn)
        if machine is None or machine.deleting:
            return "The state machine of the execution was deleted"
        if self._engine.clock.now().timestamp() - record.started_at > _REDRIVABLE_SECONDS:
            return "Execution has exceeded the redrivable period of 14 days"
        if self._engine.store.events(record.arn, start=MOST_EVENTS - 1, count=1, newest_first=False):
            return "Execution has reached the maximum number of history events"
        return ""


def _check_input(text: str) -> None:
    if len(text.encode("utf-8", "surrogatepass")) > LARGEST_BYTES:
        raise ServiceError("ValidationException", f"The input has more than {LARGEST_BYTES} bytes")
    try:
        json.loads(text, parse_constant=_no_number)
    except (ValueError, RecursionError) as error:
        raise ServiceError("InvalidExecutionInput", f"Invalid State Machine Execution Input: '{error}'") from error


def _no_number(text: str) -> None:
    raise ValueError(f"{text} is no JSON number")


def _listed(record: ExecutionRecord) -> dict[str, Any]:
    members: dict[str, Any] = {
        "executionArn": record.arn,
        "stateMachineArn": record.machine_arn,
        "name": record.name,
        "status": record.status,
        "startDate": moment(record.started_at),
        "redriveCount": record.redrive_count,
    }
    if record.stopped_at is not None:
        members["stopDate"] = moment(record.stopped_at)
    return members | ({"redriveDate": moment(record.redriven_at)} if record.redriven_at is not None else {})


def _shown(event: Event, *, with_data: bool) -> dict[str, Any]:
    members: dict[str, Any] = {
        "id": event.id,
        "previousEventId": event.previous,
        "type": event.type,
        "timestamp": event.at,
    }
    member = details_member(event.type)
    if member is None:
        return members
    return members | {member: shown_details(event, with_data=with_data)}
