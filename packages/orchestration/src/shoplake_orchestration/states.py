"""The states of a machine as values, and their form in Amazon States Language with JSONata.

They hold no rule: `lint` judges what comes out. Plain values and `{% ... %}` expressions go in as they are.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

__all__ = [
    "Branch",
    "Catch",
    "Choice",
    "Fail",
    "Machine",
    "Map",
    "Parallel",
    "Pass",
    "Retry",
    "Rule",
    "State",
    "Succeed",
    "Task",
    "Wait",
]


def _without_absent(**fields: Any) -> dict[str, Any]:
    """The fields that are set: None and empty collections are absent in ASL."""
    return {name: value for name, value in fields.items() if value is not None and value not in ((), [])}


def _onward(target: str | None) -> dict[str, Any]:
    return {"End": True} if target is None else {"Next": target}


@dataclass(frozen=True, slots=True, kw_only=True)
class Retry:
    """Try again on these errors, after a growing delay with full jitter."""

    errors: tuple[str, ...]
    interval_seconds: int = 2
    max_attempts: int = 3
    backoff_rate: float = 2.0
    max_delay_seconds: int = 60

    def to_asl(self) -> dict[str, Any]:
        """A member of `Retry`."""
        return {
            "ErrorEquals": list(self.errors),
            "IntervalSeconds": self.interval_seconds,
            "MaxAttempts": self.max_attempts,
            "BackoffRate": self.backoff_rate,
            "MaxDelaySeconds": self.max_delay_seconds,
            "JitterStrategy": "FULL",
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Catch:
    """Go on elsewhere on these errors."""

    next: str
    errors: tuple[str, ...] = ("States.ALL",)
    assign: Mapping[str, Any] | None = None
    output: Any = None

    def to_asl(self) -> dict[str, Any]:
        """A member of `Catch`."""
        return _without_absent(ErrorEquals=list(self.errors), Assign=self.assign, Output=self.output, Next=self.next)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One rule of a Choice: the first whose condition is true is taken."""

    condition: str
    next: str
    assign: Mapping[str, Any] | None = None

    def to_asl(self) -> dict[str, Any]:
        """A member of `Choices`."""
        return _without_absent(Condition=self.condition, Assign=self.assign, Next=self.next)


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """Calls a service, or runs a job until it has ended (`.sync`)."""

    resource: str
    """What stands after `arn:aws:states:::`."""
    arguments: Any
    timeout_seconds: int | str
    retry: tuple[Retry, ...] = ()
    catch: tuple[Catch, ...] = ()
    next: str | None = None
    assign: Mapping[str, Any] | None = None
    output: Any = None
    comment: str | None = None

    def to_asl(self) -> dict[str, Any]:
        """The state."""
        return _without_absent(
            Type="Task",
            Comment=self.comment,
            Resource=f"arn:aws:states:::{self.resource}",
            Arguments=self.arguments,
            TimeoutSeconds=self.timeout_seconds,
            **_handled(self),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """Goes where the first true rule points, else to the default (with the state's own `assign`)."""

    rules: tuple[Rule, ...]
    default: str
    assign: Mapping[str, Any] | None = None
    comment: str | None = None

    def to_asl(self) -> dict[str, Any]:
        """The state."""
        return _without_absent(
            Type="Choice",
            Comment=self.comment,
            Choices=[rule.to_asl() for rule in self.rules],
            Assign=self.assign,
            Default=self.default,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Wait:
    """Waits a number of seconds."""

    seconds: int | str
    next: str | None = None
    assign: Mapping[str, Any] | None = None

    def to_asl(self) -> dict[str, Any]:
        """The state."""
        return _without_absent(Type="Wait", Seconds=self.seconds, Assign=self.assign, **_onward(self.next))


@dataclass(frozen=True, slots=True, kw_only=True)
class Pass:
    """Makes an output or variables, and calls nothing."""

    next: str | None = None
    assign: Mapping[str, Any] | None = None
    output: Any = None

    def to_asl(self) -> dict[str, Any]:
        """The state."""
        return _without_absent(Type="Pass", Assign=self.assign, Output=self.output, **_onward(self.next))


@dataclass(frozen=True, slots=True, kw_only=True)
class Succeed:
    """Ends the machine or branch well."""

    output: Any = None

    def to_asl(self) -> dict[str, Any]:
        """The state."""
        return _without_absent(Type="Succeed", Output=self.output)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fail:
    """Ends the machine or branch with an error."""

    error: str
    cause: str

    def to_asl(self) -> dict[str, Any]:
        """The state."""
        return {"Type": "Fail", "Error": self.error, "Cause": self.cause}


@dataclass(frozen=True, slots=True, kw_only=True)
class Branch:
    """States that know only each other: a branch of a Parallel, the body of a Map."""

    start_at: str
    states: Mapping[str, "State"]

    def to_asl(self) -> dict[str, Any]:
        """StartAt and States."""
        return {
            "StartAt": self.start_at,
            "States": {name: state.to_asl() for name, state in self.states.items()},
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Parallel:
    """Runs branches side by side; ends when all have."""

    branches: Sequence[Branch]
    next: str | None = None
    retry: tuple[Retry, ...] = ()
    catch: tuple[Catch, ...] = ()
    assign: Mapping[str, Any] | None = None
    output: Any = None

    def to_asl(self) -> dict[str, Any]:
        """The state."""
        return _without_absent(
            Type="Parallel",
            Branches=[branch.to_asl() for branch in self.branches],
            **_handled(self),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Map:
    """Runs its body once for each item, inline."""

    items: str
    body: Branch
    max_concurrency: int = 1
    next: str | None = None
    retry: tuple[Retry, ...] = ()
    catch: tuple[Catch, ...] = ()
    assign: Mapping[str, Any] | None = None
    output: Any = None

    def to_asl(self) -> dict[str, Any]:
        """The state."""
        return _without_absent(
            Type="Map",
            Items=self.items,
            MaxConcurrency=self.max_concurrency,
            ItemProcessor={"ProcessorConfig": {"Mode": "INLINE"}, **self.body.to_asl()},
            **_handled(self),
        )


def _handled(state: Task | Parallel | Map) -> dict[str, Any]:
    """What becomes of the state's end, good or bad."""
    return {
        "Retry": [retry.to_asl() for retry in state.retry],
        "Catch": [catch.to_asl() for catch in state.catch],
        "Assign": state.assign,
        "Output": state.output,
        **_onward(state.next),
    }


State = Task | Choice | Parallel | Map | Wait | Pass | Succeed | Fail


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """A whole state machine."""

    comment: str
    start_at: str
    states: Mapping[str, State] = field(default_factory=dict)

    def to_asl(self) -> dict[str, Any]:
        """The definition, in the order in which the states were given."""
        return {
            "Comment": self.comment,
            "QueryLanguage": "JSONata",
            "StartAt": self.start_at,
            "States": {name: state.to_asl() for name, state in self.states.items()},
        }
