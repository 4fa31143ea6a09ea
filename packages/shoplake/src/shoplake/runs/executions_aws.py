"""The executions of one environment's state machine. A run's id is its execution's name."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from botocore.exceptions import ClientError
from shoplake_core.errors import ConfigError, ConflictError, ResourceError
from shoplake_core.suggestions import did_you_mean

__all__ = ["RUNNING", "Execution", "Executions"]

RUNNING = frozenset({"RUNNING", "PENDING_REDRIVE"})
_PAGE = 100
_SUGGESTED_FROM = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Execution:
    """One run as DescribeExecution tells of it.

    Attributes:
        run_id: The execution's name.
        arn: Its ARN.
        status: RUNNING, SUCCEEDED, FAILED, TIMED_OUT, ABORTED or PENDING_REDRIVE.
        started_at: When it started.
        ended_at: When it ended last; None while it runs.
        redrive_count: How often it was redriven.
        not_redrivable_because: Why it cannot be redriven; "" where it can.
        error: The name of the error that ended it.
        cause: What that said.
        input: What it was started with.
        output: What it ended with.

    """

    run_id: str
    arn: str
    status: str
    started_at: datetime
    ended_at: datetime | None = None
    redrive_count: int = 0
    not_redrivable_because: str = ""
    error: str = ""
    cause: str = ""
    input: Mapping[str, Any] = field(default_factory=dict)
    output: Mapping[str, Any] = field(default_factory=dict)

    @property
    def is_running(self) -> bool:
        """Whether it goes on by itself."""
        return self.status in RUNNING


class Executions:
    """Starts and reads the executions of one state machine.

    Args:
        states: A boto3 `stepfunctions` client.
        state_machine_arn: The machine.

    """

    def __init__(self, states: Any, state_machine_arn: str) -> None:
        self._states = states
        self._machine = state_machine_arn

    def _arn(self, run_id: str) -> str:
        return f"{self._machine.replace(':stateMachine:', ':execution:')}:{run_id}"

    def start(self, run_id: str, *, begin_at: str = "", rebuild: bool = False, backfill_from: str = "") -> Execution:
        """The started run.

        Args:
            run_id: Its name; one that was used within 90 days is refused.
            begin_at: The state to begin at; "" for the first.
            rebuild: Build gold and the warehouse anew.
            backfill_from: Build gold's days from that one on anew, as YYYY-MM-DD; "" for none.

        Raises:
            ResourceError: There is no such state machine.
            ConflictError: The name was used.

        """
        asked = {"from": begin_at, "rebuild": rebuild, "backfill_from": backfill_from}
        given = {name: value for name, value in asked.items() if value}
        try:
            self._states.start_execution(stateMachineArn=self._machine, name=run_id, input=json.dumps(given))
        except ClientError as error:
            code = error.response["Error"]["Code"]
            if code == "StateMachineDoesNotExist":
                raise ResourceError(
                    f"there is no state machine {self._machine}", hint="provision the environment: shoplake apply"
                ) from error
            if code == "ExecutionAlreadyExists":
                raise ConflictError(f"a run named {run_id} was there before", hint="start another one") from error
            raise
        return self.described(run_id)

    def described(self, run_id: str) -> Execution:
        """The run of that id.

        Raises:
            ConfigError: There is none; it names the nearest.

        """
        try:
            return _execution(self._states.describe_execution(executionArn=self._arn(run_id)))
        except ClientError as error:
            if error.response["Error"]["Code"] not in {"ExecutionDoesNotExist", "InvalidArn", "ValidationException"}:
                raise
            known = [execution.run_id for execution in self.listed(_SUGGESTED_FROM)]
            raise ConfigError(
                f'no run "{run_id}"{did_you_mean(run_id, known)}', hint="shoplake runs list", run_id=run_id
            ) from error

    def named(self, run_id: str) -> Execution:
        """The run of that id, or the newest where it is "last".

        Raises:
            ConfigError: There is none.

        """
        if run_id != "last":
            return self.described(run_id)
        newest = self.listed(1)
        if not newest:
            raise ConfigError("there is no run yet", hint="shoplake run")
        return self.described(newest[0].run_id)

    def listed(self, count: int) -> tuple[Execution, ...]:
        """The newest runs, newest first; none where there is no state machine."""
        found: list[Execution] = []
        more: dict[str, str] = {}
        while len(found) < count:
            try:
                page = self._states.list_executions(
                    stateMachineArn=self._machine, maxResults=min(_PAGE, count - len(found)), **more
                )
            except ClientError as error:
                if error.response["Error"]["Code"] == "StateMachineDoesNotExist":
                    return ()
                raise
            found += [_execution(member) for member in page["executions"]]
            if "nextToken" not in page:
                break
            more = {"nextToken": page["nextToken"]}
        return tuple(found)

    def definition(self, execution: Execution) -> dict[str, Any]:
        """The state machine as it was when that run began."""
        answer = self._states.describe_state_machine_for_execution(executionArn=execution.arn)
        definition: dict[str, Any] = json.loads(answer["definition"])
        return definition

    def events(self, execution: Execution, *, after: int = 0) -> list[dict[str, Any]]:
        """The events of the run's history whose ids are above `after`, oldest first."""
        found: list[dict[str, Any]] = []
        for page in self._newest_first(execution):
            fresh = [event for event in page if event["id"] > after]
            found += fresh
            if len(fresh) < len(page):
                break
        return found[::-1]

    def _newest_first(self, execution: Execution) -> Iterator[list[dict[str, Any]]]:
        more: dict[str, str] = {}
        while True:
            page = self._states.get_execution_history(
                executionArn=execution.arn, reverseOrder=True, maxResults=_PAGE, **more
            )
            yield page["events"]
            if "nextToken" not in page:
                return
            more = {"nextToken": page["nextToken"]}

    def stop(self, execution: Execution, *, cause: str) -> None:
        """End the run where it is."""
        self._states.stop_execution(executionArn=execution.arn, error="StoppedByHand", cause=cause)

    def redrive(self, execution: Execution) -> None:
        """Let the run go on where it failed.

        Raises:
            ConflictError: Step Functions refuses: it runs, it succeeded, or its 14 days are over.

        """
        try:
            self._states.redrive_execution(executionArn=execution.arn)
        except ClientError as error:
            if error.response["Error"]["Code"] != "ExecutionNotRedrivable":
                raise
            raise ConflictError(
                f"run {execution.run_id} cannot be redriven: {error.response['Error'].get('Message', '')}",
                hint="start a new one: shoplake run",
            ) from error


def _execution(answer: Mapping[str, Any]) -> Execution:
    return Execution(
        run_id=answer["name"],
        arn=answer["executionArn"],
        status=answer["status"],
        started_at=answer["startDate"],
        ended_at=answer.get("stopDate"),
        redrive_count=answer.get("redriveCount", 0),
        not_redrivable_because=""
        if answer.get("redriveStatus") == "REDRIVABLE"
        else answer.get("redriveStatusReason", ""),
        error=answer.get("error", ""),
        cause=answer.get("cause", ""),
        input=json.loads(answer.get("input") or "{}"),
        output=json.loads(answer.get("output") or "{}"),
    )
