"""The main parts of the runs' pages, from a source: what has ended is read once, what goes on is gone on with."""

from collections import deque
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import datetime
from threading import Lock
from typing import Any

from shoplake_core.clock import Clock
from shoplake_core.suggestions import did_you_mean
from shoplake_orchestration.graph import graph

from shoplake_console.graph_layout import layout_of
from shoplake_console.list_page import STATUSES, list_main, seconds_before
from shoplake_console.run_choices import ChoiceError, chosen
from shoplake_console.run_page import Drawing, RunPage, run_main, selected_state
from shoplake_console.runs_port import RunEntry, RunSource

__all__ = ["RunPages"]

_LISTED = 30
_LOG_LINES = 60
_KEPT_HISTORIES = 8
_AT_ONCE = 6
_STEP_SECONDS = 2


@dataclass
class RunPages:
    """Looks at the runs.

    Attributes:
        source: The runs.
        clock: Time.
        token: What a form must send.

    """

    source: RunSource
    clock: Clock
    token: str
    _histories: dict[str, list[Mapping[str, Any]]] = field(default_factory=dict)
    _ended: dict[tuple[str, Any], tuple[RunEntry, Sequence[str]]] = field(default_factory=dict)
    _befores: dict[tuple[str, Any], float | None] = field(default_factory=dict)
    _drawings: dict[str, Drawing] = field(default_factory=dict)
    _documents: dict[tuple[str, int], Mapping[str, Any]] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)

    def runs(self, query: Mapping[str, str]) -> str:
        """The list; ChoiceError for a status that no run can have."""
        status = query.get("status", "")
        if status and status not in STATUSES:
            raise ChoiceError(
                f'no run can be "{status}"{did_you_mean(status, STATUSES)}', hint=f"one of: {', '.join(STATUSES)}"
            )
        runs = self._listed()
        warnings = {run.run_id: told for run in runs if (told := self._known(run)[1])}
        return list_main([self._known(run)[0] for run in runs], status=status, now=self.clock.now(), warnings=warnings)

    def _listed(self) -> Sequence[RunEntry]:
        """The newest runs; what has ended since the last look is read side by side."""
        runs = self.source.listed(_LISTED)
        with ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="run") as pool:
            list(pool.map(self._known, runs))
        return runs

    def _known(self, run: RunEntry) -> tuple[RunEntry, Sequence[str]]:
        """The run with what it counted, and its warnings: that is told by calls of their own, once for each that has ended."""
        if run.is_running:
            return run, ()
        key = (run.run_id, run.ended_at)
        if key not in self._ended:
            whole = replace(self.source.run(run.run_id), status=run.status)
            self._ended[key] = whole, self.source.warnings(run.run_id)
        return self._ended[key]

    def run(self, run_id: str, query: Mapping[str, str]) -> str:
        """One run; ChoiceError for a choice that there is not."""
        run = self.source.run(run_id)  # before its events: an end is seen with all of them
        events = self.history(run_id)
        drawing = self.drawing(run_id)
        failure = self.source.failure(run, events)
        asked = chosen(query, drawing.graph)
        state = selected_state(asked.state, drawing.graph, events, failure)
        shown = RunPage(
            run=run,
            drawing=drawing,
            events=events,
            failure=failure,
            view=asked.view,
            state=state,
            page=asked.page,
            errors_only=asked.errors_only,
            log=deque(self.source.log(events, state), maxlen=_LOG_LINES) if state else (),
            progress=self.source.progress(run, events),
            document=self.document(run, events),
            before_seconds=self._before(run),
            token=self.token,
            now=_stepwise(self.clock.now()) if run.is_running else self.clock.now(),
        )
        return run_main(shown)

    def _before(self, run: RunEntry) -> float | None:
        """How long the run before took; asked once, when the run has succeeded and is compared with it."""
        key = (run.run_id, run.ended_at)
        if run.status == "succeeded" and key not in self._befores:
            runs = [self._known(one)[0] for one in self._listed()]
            numbers = [number for number, one in enumerate(runs) if one.run_id == run.run_id]
            self._befores[key] = seconds_before(runs, numbers[0]) if numbers else None
        return self._befores.get(key)

    def drawing(self, run_id: str) -> Drawing:
        """The machine of that run, which never changes: a redrive goes on with it."""
        if run_id not in self._drawings:
            definition = self.source.definition(run_id)
            drawn = graph(definition)
            self._drawings[run_id] = Drawing(definition, drawn, layout_of(drawn))
            while len(self._drawings) > _KEPT_HISTORIES:
                del self._drawings[next(iter(self._drawings))]
        return self._drawings[run_id]

    def document(self, run: RunEntry, events: Sequence[Mapping[str, Any]]) -> Mapping[str, Any]:
        """The run's document; what its jobs left is read again where its history has gone on."""
        key = (run.run_id, events[-1]["id"] if events else 0)
        if key not in self._documents:
            self._documents[key] = self.source.document(run, events)
            while len(self._documents) > _KEPT_HISTORIES:
                del self._documents[next(iter(self._documents))]
        return self._documents[key]

    def history(self, run_id: str) -> Sequence[Mapping[str, Any]]:
        """Its events so far, oldest first."""
        with self._lock:
            known = self._histories.pop(run_id, [])
            known = [*known, *self.source.events(run_id, after=known[-1]["id"] if known else 0)]
            self._histories[run_id] = known
            while len(self._histories) > _KEPT_HISTORIES:
                del self._histories[next(iter(self._histories))]
            return known


def _stepwise(now: datetime) -> datetime:
    """The time in steps: a page that only tells it on is not sent again with each look."""
    return now.replace(second=now.second - now.second % _STEP_SECONDS, microsecond=0)
