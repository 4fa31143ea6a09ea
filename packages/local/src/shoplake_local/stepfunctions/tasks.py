"""What the engine asks of the world outside: calls, and jobs to wait for. Tests bring a small one of their own."""

from dataclasses import dataclass
from typing import Any, Protocol

from shoplake_local.stepfunctions.faults import StateError

__all__ = ["Answer", "TaskRunner", "is_job"]


def is_job(resource: str) -> bool:
    """Whether the task starts a job and ends with it."""
    return resource.endswith(".sync")


class TaskRunner(Protocol):
    """Called from several threads at once. Every method may raise `StateError`."""

    def call(self, resource: str, arguments: Any, *, role_arn: str) -> Any:
        """The answer of a plain task, as JSON."""
        ...

    def submit(self, resource: str, arguments: Any, *, role_arn: str) -> dict[str, Any]:
        """Start the job of a `.sync` task: what `poll` and `cancel` need, as JSON."""
        ...

    def poll(self, resource: str, job: dict[str, Any], *, role_arn: str) -> dict[str, Any] | None:
        """The job's result, or None while it runs.

        Raises:
            StateError: The job failed.

        """
        ...

    def cancel(self, resource: str, job: dict[str, Any], *, role_arn: str) -> None:
        """Ask for the job's end."""
        ...


@dataclass(frozen=True, slots=True)
class Answer:
    """What a call brought: a result, the job that was started, or a fault. `running`: the job has not ended."""

    call: int
    resource: str
    result: Any = None
    job: dict[str, Any] | None = None
    fault: StateError | None = None
    running: bool = False
