"""What the console asks of whoever knows the runs. The command `shoplake` answers with Step Functions' own calls."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

__all__ = ["RunEntry", "RunFailure", "RunSource"]


@dataclass(frozen=True, slots=True, kw_only=True)
class RunEntry:
    """One run.

    Attributes:
        run_id: Its id.
        status: "running", "succeeded", "failed", "stopped", "timed out" or "waiting for its redrive".
        started_at: When it started.
        ended_at: When it ended last; None while it runs.
        is_running: Whether it goes on by itself.
        redrives: How often it was redriven.
        not_redrivable_because: Why it cannot be redriven; "" where it can.
        input: What it was started with.
        output: What it ended with.

    """

    run_id: str
    status: str
    started_at: datetime
    ended_at: datetime | None = None
    is_running: bool = False
    redrives: int = 0
    not_redrivable_because: str = ""
    input: Mapping[str, Any] = field(default_factory=dict)
    output: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RunFailure:
    """Why a run failed: in which state, by which error, what that said, and what to do next."""

    state: str
    error: str
    cause: str
    hint: str


class RunSource(Protocol):
    """The runs of one environment. Each call may be made from any thread; it raises a ShoplakeError that names the thing."""

    @property
    def label(self) -> str:
        """Which environment on which AWS, for the head of each page."""
        ...

    @property
    def look_seconds(self) -> float:
        """How long after one look at what goes on the next may be taken."""
        ...

    def listed(self, count: int) -> Sequence[RunEntry]:
        """The newest runs, newest first, without input and output."""
        ...

    def run(self, run_id: str) -> RunEntry:
        """The run of that id; ConfigError where there is none."""
        ...

    def definition(self, run_id: str) -> Mapping[str, Any]:
        """The state machine as it was when that run began."""
        ...

    def events(self, run_id: str, *, after: int) -> Sequence[Mapping[str, Any]]:
        """The events of GetExecutionHistory whose ids are above `after`, oldest first."""
        ...

    def failure(self, run: RunEntry, events: Sequence[Mapping[str, Any]]) -> RunFailure | None:
        """What ended the run; None where it did not fail."""
        ...

    def log(self, events: Sequence[Mapping[str, Any]], state: str) -> Iterable[str]:
        """Every line that the newest job of that state printed, as it is read; none where it has no job."""
        ...

    def document(self, run: RunEntry, events: Sequence[Mapping[str, Any]]) -> Mapping[str, Any]:
        """The run as `shoplake runs show --json` prints it."""
        ...

    def warnings(self, run_id: str) -> Sequence[str]:
        """What is no failure and should be known, each in a few words, such as "7 quarantined"."""
        ...

    def progress(self, run: RunEntry, events: Sequence[Mapping[str, Any]]) -> Mapping[str, str]:
        """State -> how far the job in it is, such as "5 of 9 tables"; none for a state whose job has ended."""
        ...

    def stop(self, run_id: str) -> None:
        """End the run where it is."""
        ...

    def redrive(self, run_id: str) -> None:
        """Let the run go on where it failed; ConflictError where that is refused."""
        ...

    def run_again(self, run_id: str) -> str:
        """The id of a new run, started with that run's input."""
        ...
