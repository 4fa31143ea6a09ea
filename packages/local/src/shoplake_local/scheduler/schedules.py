"""Schedules as moto keeps them, read as values."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from shoplake_local.moto_services.backends import MotoBackends
from shoplake_local.scheduler.expressions import Expression, parsed_expression

__all__ = ["Schedule", "schedules_of"]

_MOST_ATTEMPTS = 185
_LONGEST_SECONDS = 86_400


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """One schedule.

    Attributes:
        arn: Its ARN.
        expression: As written.
        time_zone: In which it is read.
        enabled: Whether it fires.
        start: Nothing before; None for no limit.
        end: Nothing after; None for no limit.
        modified_at: When it was made or last changed.
        target: As CreateSchedule was given it.

    """

    arn: str
    expression: str
    time_zone: str
    enabled: bool
    start: datetime | None
    end: datetime | None
    modified_at: datetime
    target: Mapping[str, Any]

    @property
    def version(self) -> str:
        """What makes it another schedule: when it is due."""
        return json.dumps([self.expression, self.time_zone, self.enabled, str(self.start), str(self.end)])

    @property
    def retries(self) -> int:
        """How often a failed call is repeated."""
        return int(self.target.get("RetryPolicy", {}).get("MaximumRetryAttempts", _MOST_ATTEMPTS))

    @property
    def longest_seconds(self) -> int:
        """How late a call may be made."""
        return int(self.target.get("RetryPolicy", {}).get("MaximumEventAgeInSeconds", _LONGEST_SECONDS))

    def parsed(self, *, since: datetime) -> Expression:
        """Its expression; a rate without a start date begins at `since`.

        Raises:
            InvalidExpressionError: It is none: it was made before they were checked.

        """
        return parsed_expression(self.expression, time_zone=self.time_zone, anchor=self.start or since)


def schedules_of(moto: MotoBackends) -> list[Schedule]:
    """Every schedule of every group."""
    groups = tuple(moto.backend("scheduler").schedule_groups.values())
    return [_schedule(found) for group in groups for found in tuple(group.schedules.values())]


def _schedule(found: Any) -> Schedule:
    return Schedule(
        arn=found.arn,
        expression=found.schedule_expression,
        time_zone=found.schedule_expression_timezone or "UTC",
        enabled=found.state == "ENABLED",
        start=_moment(found.start_date),
        end=_moment(found.end_date),
        modified_at=datetime.fromtimestamp(float(found.last_modified_date), tz=UTC),
        target=found.target,
    )


def _moment(value: Any) -> datetime | None:
    if value is None:
        return None
    return datetime.fromtimestamp(float(value), tz=UTC)
