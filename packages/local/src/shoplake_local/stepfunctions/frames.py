"""Where an execution is: a tree of frames, one a scope (the machine, a branch, an iteration), written down as JSON."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any, Self

__all__ = ["Frame", "Phase"]


class Phase(StrEnum):
    """What a frame does now."""

    PENDING = "pending"
    """An iteration that waits for a free place."""
    ENTERING = "entering"
    BEGINNING = "beginning"
    """Entered, its work not begun: after a retry's wait, and after a redrive."""
    WAITING = "waiting"
    RETRYING = "retrying"
    CALLING = "calling"
    POLLING = "polling"
    CHILDREN = "children"
    DONE = "done"
    FAILED = "failed"
    ABORTED = "aborted"


ENDED = frozenset({Phase.DONE, Phase.FAILED, Phase.ABORTED})


@dataclass(slots=True)
class Frame:
    """One scope's place. Times are epoch seconds."""

    state: str
    input: Any
    variables: dict[str, Any]
    phase: Phase = Phase.ENTERING
    last_event: int = 0
    entered_at: float = 0.0
    due_at: float | None = None
    """When a wait, a pause before a retry, or the pause before the next poll ends."""
    deadline: float | None = None
    """When the task that runs has taken too long."""
    retries: dict[str, int] = field(default_factory=dict)
    """Attempts used of each retrier, by its number."""
    call: int | None = None
    """The call that runs or is to run: an answer with another number is for an attempt that is over."""
    arguments: Any = None
    job: dict[str, Any] | None = None
    """What a `.sync` task waits for."""
    children: list["Frame"] = field(default_factory=list)
    item: dict[str, Any] | None = None
    """Index and Value, of an iteration of a Map."""
    noted: bool = False
    """Whether the frame above has taken note of its end."""
    output: Any = None
    error: str | None = None
    cause: str | None = None

    @property
    def ended(self) -> bool:
        """Whether nothing more happens in it."""
        return self.phase in ENDED

    @property
    def retry_count(self) -> int:
        """How often the state was tried again."""
        return sum(self.retries.values())

    def every(self) -> Iterator["Frame"]:
        """The frame and all below."""
        yield self
        for child in self.children:
            yield from child.every()

    def times(self) -> Iterator[float]:
        """The moments at which something happens by itself."""
        for frame in self.every():
            # a poll that runs now has its next moment when it is answered
            pausing = frame.phase in {Phase.WAITING, Phase.RETRYING} or (
                frame.phase is Phase.POLLING and frame.call is None
            )
            if pausing and frame.due_at is not None:
                yield frame.due_at
            if frame.phase in {Phase.CALLING, Phase.POLLING} and frame.deadline is not None:
                yield frame.deadline

    def to_json(self) -> dict[str, Any]:
        """Itself as JSON."""
        return asdict(self)

    @classmethod
    def from_json(cls, members: dict[str, Any]) -> Self:
        """The frame that `to_json` wrote."""
        kept = dict(members)
        kept["phase"] = Phase(kept["phase"])
        kept["children"] = [cls.from_json(child) for child in kept["children"]]
        return cls(**kept)

    def redriven(self) -> None:
        """Everything that did not succeed begins again, at the state where it is; what is done stays done."""
        if self.phase in {Phase.DONE, Phase.PENDING}:
            return
        self.retries, self.due_at, self.deadline, self.call = {}, None, None, None
        self.job, self.error, self.cause, self.noted = None, None, None, False
        unfinished = [child for child in self.children if child.phase is not Phase.DONE]
        if unfinished:
            self.phase = Phase.CHILDREN
            for child in unfinished:
                child.redriven()
        elif self.phase is not Phase.ENTERING:
            self.phase, self.children = Phase.BEGINNING, []
