"""Named steps at which a test makes the process kill itself, to prove that a restart loses and doubles nothing."""

import os
import signal
from dataclasses import dataclass
from enum import Enum

__all__ = ["FAILPOINT_VARIABLE", "NO_FAILPOINT", "Failpoint", "Step", "failpoint_of"]

FAILPOINT_VARIABLE = "SHOPLAKE_FAILPOINT"


class Step(Enum):
    """Where it can die."""

    BEFORE_LOAD_PUT = "before-load-put"
    AFTER_LOAD_PUT = "after-load-put"
    BEFORE_EPOCH_PUT = "before-epoch-put"
    AFTER_EPOCH_PUT = "after-epoch-put"
    AFTER_EPOCH_SAVE = "after-epoch-save"
    BEFORE_CUT_SAVE = "before-cut-save"
    AFTER_CUT_SAVE = "after-cut-save"
    BEFORE_CHANGE_PUT = "before-change-put"
    AFTER_CHANGE_PUT = "after-change-put"
    BEFORE_POSITION_SAVE = "before-position-save"
    AFTER_POSITION_SAVE = "after-position-save"
    AFTER_CUT_REMOVED = "after-cut-removed"


@dataclass
class Failpoint:
    """Kills the process at the `passes`-th time that `step` is reached; never where `step` is None."""

    step: Step | None = None
    passes: int = 1

    def reach(self, step: Step) -> None:
        """Tell that a step is reached."""
        if step is self.step:
            self.passes -= 1
            if self.passes <= 0:
                os.kill(os.getpid(), signal.SIGKILL)


NO_FAILPOINT = Failpoint()


def failpoint_of(text: str) -> Failpoint:
    """The failpoint that `step` or `step:passes` names; none for ""."""
    if not text:
        return Failpoint()
    name, _, passes = text.partition(":")
    return Failpoint(Step(name), int(passes or 1))
