"""Named places in the flow at which a test ends the process, to prove that a run may die anywhere."""

import os
import signal
from enum import Enum
from typing import Protocol

from shoplake_core.errors import ConfigError
from shoplake_core.suggestions import did_you_mean

__all__ = ["Failpoints", "KillAt", "NoFailpoints", "Step", "failpoints_named"]


class Step(Enum):
    """Where a run may be ended: before the first write and after each one."""

    BEFORE_TOMBSTONES = "before-tombstones"
    AFTER_TOMBSTONES = "after-tombstones"
    AFTER_QUARANTINE = "after-quarantine"
    AFTER_CHANGE_SET = "after-change-set"
    AFTER_CONSUMED_RECORD = "after-consumed-record"
    AFTER_SILVER_COMMIT = "after-silver-commit"
    BEFORE_GOLD_CHANGE_SET = "before-gold-change-set"
    AFTER_GOLD_CHANGE_SET = "after-gold-change-set"
    AFTER_GOLD_MANIFEST = "after-gold-manifest"
    AFTER_GOLD_COMMIT = "after-gold-commit"


class Failpoints(Protocol):
    """Told of every step as it is reached."""

    def reach(self, step: Step, table: str) -> None:
        """The flow of `table` is at `step`."""
        ...


class NoFailpoints:
    """Lets every step pass."""

    def reach(self, step: Step, table: str) -> None:
        """Nothing happens."""


class KillAt:
    """Ends this process with SIGKILL at one step of one table: nothing is flushed, closed or undone."""

    def __init__(self, step: Step, table: str) -> None:
        self._step = step
        self._table = table

    def reach(self, step: Step, table: str) -> None:
        """The end, where it is the step of the table."""
        if step is self._step and table == self._table:
            os.kill(os.getpid(), signal.SIGKILL)


def failpoints_named(text: str) -> Failpoints:
    """The failpoints written as `step:table`; none for "".

    Raises:
        ConfigError: There is no such step.

    """
    if not text:
        return NoFailpoints()
    step, _, table = text.partition(":")
    names = [member.value for member in Step]
    if step not in names or not table:
        raise ConfigError(
            f'"{text}" is no failpoint{did_you_mean(step, names)}',
            hint=f"write step:table, step one of {', '.join(names)}",
        )
    return KillAt(Step(step), table)
