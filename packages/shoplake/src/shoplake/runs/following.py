"""A run told while it goes on: each part as a step, with what it counted, and its failure as an error in words."""

import sys
from collections.abc import Mapping
from contextlib import AbstractContextManager
from typing import Any

from shoplake_core.clock import Clock
from shoplake_core.errors import ConflictError, DataError, DisagreementError, ShoplakeError

from shoplake.narration import Narrator, StepTalk
from shoplake.runs.documents_aws import RunReader, run_document
from shoplake.runs.executions_aws import Execution, Executions
from shoplake.runs.results import part_result
from shoplake.runs.story import RUN_PARTS, Failure, RunPart, entered_state, failure_in, part_of

__all__ = ["RunFailedError", "RunFollower"]

_POLL_SECONDS = 0.5
_RECONCILE_STATE = "Reconcile all layers"


class RunFailedError(DataError):
    """A run ended without doing all of its work; the message names the state."""

    code = "RUN_FAILED"


class RunFollower:
    """Follows one run to its end.

    Args:
        executions: Where the run is.
        reader: Where its jobs leave what they counted.
        narrator: Told of each part.
        clock: For waiting between two looks.
        first_number: Number of the run's first part, where the run is part of something longer.
        step_count: Number of all steps of that longer thing.

    """

    def __init__(
        self,
        executions: Executions,
        reader: RunReader,
        narrator: Narrator,
        *,
        clock: Clock,
        first_number: int = 1,
        step_count: int = len(RUN_PARTS),
    ) -> None:
        self._executions = executions
        self._reader = reader
        self._narrator = narrator
        self._clock = clock
        self._first = first_number
        self._count = step_count
        self._part: RunPart | None = None
        self._step: AbstractContextManager[StepTalk] | None = None
        self._talk: StepTalk | None = None

    def followed(self, execution: Execution) -> dict[str, Any]:
        """The document of the run, once it has succeeded.

        Raises:
            RunFailedError: It failed, was stopped, or took too long.
            ConflictError: Another run holds the lock.
            DisagreementError: Its layers disagree.

        """
        last_id = 0
        history: list[Mapping[str, Any]] = []
        try:
            while True:
                now = self._executions.described(execution.run_id)  # before its events: an end is seen with all of them
                fresh = self._executions.events(now, after=last_id)
                for event in fresh:
                    self._hear(event, now.run_id)
                history += fresh
                last_id = history[-1]["id"] if history else 0
                if not now.is_running:
                    break
                self._clock.sleep(_POLL_SECONDS)
        except BaseException:
            self._leave(*sys.exc_info())
            raise
        failure = failure_in(history)
        if failure is not None:
            error = _error(now, failure)
            self._leave(type(error), error, None)
            raise error
        self._finish(now.run_id)
        return run_document(now, history, self._reader.summaries(now.run_id))

    def _hear(self, event: Mapping[str, Any], run_id: str) -> None:
        state = entered_state(event)
        part = part_of(state)
        if part is not None and part is not self._part:
            self._finish(run_id)
            self._part = part
            number = self._first + RUN_PARTS.index(part)
            self._step = self._narrator.step(number, self._count, part.title)
            self._talk = self._step.__enter__()
        elif state and self._talk is not None:
            self._talk.note(state)

    def _finish(self, run_id: str) -> None:
        if self._part is not None and self._talk is not None:
            self._talk.result = part_result(self._part.name, self._reader.summary(run_id, self._part.name))
        self._leave(None, None, None)

    def _leave(self, kind: Any, error: BaseException | None, traceback: Any) -> None:
        step, self._step, self._talk, self._part = self._step, None, None, None
        if step is not None:
            try:
                step.__exit__(kind, error, traceback)
            except ShoplakeError as same:
                if same is not error:
                    raise


def _error(execution: Execution, failure: Failure) -> ShoplakeError:
    where = f' at "{failure.state}"' if failure.state else ""
    message = f"run {execution.run_id} failed{where}: {failure.cause or failure.error}"
    hint = f"mend the cause, then: shoplake runs redrive {execution.run_id}"
    if failure.error == "RunInProgress":
        return ConflictError(f"run {execution.run_id} was refused: {failure.cause}", hint="shoplake runs list")
    if failure.state == _RECONCILE_STATE:
        hint = f"shoplake runs show {execution.run_id}; `reload TABLE` mends silver, `run --rebuild` gold and the warehouse"
        return DisagreementError(message, hint=hint)
    return RunFailedError(message, hint=hint, run_id=execution.run_id, state=failure.state)
