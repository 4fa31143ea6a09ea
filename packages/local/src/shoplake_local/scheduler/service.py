"""EventBridge Scheduler: moto's API, held to AWS's rules that moto lets pass, and the ticker that fires."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from shoplake_core.clock import Clock

from shoplake_local.moto_services.backends import MotoBackends
from shoplake_local.moto_services.service import MotoService
from shoplake_local.protocols.answers import HttpAnswer
from shoplake_local.protocols.requests import HttpRequest, ParsedRequest
from shoplake_local.scheduler.expressions import InvalidExpressionError, parsed_expression
from shoplake_local.scheduler.schedules import Schedule, schedules_of
from shoplake_local.scheduler.store import Call, ScheduleStore
from shoplake_local.scheduler.targets_aws import ClientOf, call_target, service_of_target
from shoplake_local.scheduler.ticker import Ticker
from shoplake_local.service import ServiceError, UnsupportedOperationError, refuse_unsupported

__all__ = ["SchedulerService"]

_TICK_SECONDS = 1.0  # AWS is precise to a minute
_TARGET = frozenset({"Arn", "RoleArn", "Input", "RetryPolicy"})


class SchedulerService(MotoService):
    """Schedules that fire.

    Args:
        backends: moto's services.
        path: Where it is written down what is due.
        client_of: (botocore's service, ARN of a role) -> a client that acts as that role.
        check_role: Raises ServiceError where the scheduler cannot take the role of that ARN.
        clock: Time.

    """

    def __init__(
        self,
        backends: MotoBackends,
        path: Path,
        *,
        client_of: ClientOf,
        check_role: Callable[[str], object],
        clock: Clock,
    ) -> None:
        super().__init__("scheduler", backends)
        self._moto = backends
        self._check_role = check_role
        self._clock = clock

        def call(schedule: Schedule, due: Call) -> None:
            call_target(client_of, schedule, due)

        self._ticker = Ticker(ScheduleStore(path), schedules=self._schedules, call=call, clock=clock)
        self._ticker.start(every_seconds=_TICK_SECONDS)

    def answer(self, request: HttpRequest, parsed: ParsedRequest) -> HttpAnswer:
        """Moto's answer, for what AWS would take."""
        if parsed.operation.name in {"CreateSchedule", "UpdateSchedule"}:
            self._check(parsed.operation.name, parsed.parameters)
        return super().answer(request, parsed)

    def close(self) -> None:
        """End the ticker, then close moto's journal."""
        self._ticker.close()
        super().close()

    def _schedules(self) -> list[Schedule]:
        # moto is slow to import: not for a front that never had a schedule
        return schedules_of(self._moto) if self._moto.has_written("scheduler") else []

    def _check(self, operation: str, parameters: Mapping[str, Any]) -> None:
        target = parameters["Target"]
        refuse_unsupported(f"a target in EventBridge Scheduler's {operation}", target, _TARGET)
        if parameters.get("ActionAfterCompletion", "NONE") != "NONE":
            raise UnsupportedOperationError("schedules that are deleted after their last time")
        if service_of_target(target["Arn"]) is None:
            raise UnsupportedOperationError(f'target "{target["Arn"]}" of a schedule')
        try:
            parsed_expression(
                parameters["ScheduleExpression"],
                time_zone=parameters.get("ScheduleExpressionTimezone", "UTC"),
                anchor=self._clock.now(),
            )
        except InvalidExpressionError as error:
            message = f"Invalid Schedule Expression {parameters['ScheduleExpression']}: {error}."
            raise ServiceError("ValidationException", message) from error
        start, end = parameters.get("StartDate"), parameters.get("EndDate")
        if start is not None and end is not None and start >= end:
            raise ServiceError("ValidationException", "The StartDate must be before the EndDate.")
        group = parameters.get("GroupName", "default")
        if group not in self._moto.backend("scheduler").schedule_groups:
            raise ServiceError("ResourceNotFoundException", f"Schedule group {group} does not exist.", 404)
        try:
            self._check_role(target["RoleArn"])
        except ServiceError as error:
            message = "The execution role you provide must allow AWS EventBridge Scheduler to assume the role."
            raise ServiceError("ValidationException", f"{message} {error.message}") from error
