"""Trouble in the states of the run's machine: calls that fail, hang or are held back, and how time goes on meanwhile."""

import json
import threading
from collections.abc import Callable, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Any

from shoplake_core.clock import SkipClock
from shoplake_local.stepfunctions.faults import StateError
from shoplake_orchestration.scopes import every_state

BROKEN = "Broken.ForGoodException"


class Kind(Enum):
    """What goes wrong in a state."""

    REFUSED_ONCE = auto()
    """The call does not get through, once."""
    UNHEARD_ONCE = auto()
    """It is done and the answer is lost, once."""
    FAILS = auto()
    """It fails whenever it is asked for, with nothing done; a job starts, and then fails."""
    HANGS = auto()
    """It never answers, with nothing done; a job never ends."""
    HELD = auto()
    """It is done, and the answer is held back until the test lets go: time stands still. A job never ends."""
    STARTS_UNHEARD = auto()
    """A job starts and would never end; the answer to its start is held back."""


@dataclass(slots=True)
class Trouble:
    """A fault that is in place."""

    kind: Kind
    error: str = BROKEN
    met: threading.Event = field(default_factory=threading.Event)


class TaskStates:
    """The Task states of a definition, found again by what they call: resource and literal arguments."""

    def __init__(self, definition: Mapping[str, Any]) -> None:
        self.by_name = {name: state for _, name, state in every_state(definition) if state["Type"] == "Task"}

    def name_of(self, resource: str, arguments: Any) -> str:
        found = [
            name
            for name, state in self.by_name.items()
            if state["Resource"] == resource and _fits(state["Arguments"], arguments)
        ]
        assert len(found) == 1, (resource, arguments, found)
        return found[0]


def _fits(wanted: Any, given: Any) -> bool:
    if isinstance(wanted, str) and wanted.startswith("{%"):
        return True
    if isinstance(wanted, Mapping):
        return isinstance(given, Mapping) and all(name in given and _fits(wanted[name], given[name]) for name in wanted)
    return wanted == given


class TroubledCalls:
    """Calls that a world answers (`go_on` first), with trouble by state. `asked` holds the state of every call."""

    def __init__(self, definition: Mapping[str, Any], clock: SkipClock) -> None:
        self.states, self.clock = TaskStates(definition), clock
        self.troubles: dict[str, Trouble] = {}
        self.asked: list[str] = []
        self.lock = threading.RLock()
        self._calls, self._hanging = 0, {}
        self.let_go = threading.Event()

    def go_on(self) -> None:
        """What has come about since somebody looked: the world says it."""
        raise NotImplementedError

    def trouble(self, state: str, kind: Kind, error: str = BROKEN) -> Trouble:
        self.troubles[state] = made = Trouble(kind, error)
        return made

    def mend(self) -> None:
        """End every fault, and let go of the calls that are held."""
        with self.lock:
            self.troubles.clear()
            self.let_go.set()
            self.let_go = threading.Event()

    def hangs_alone(self) -> bool:
        """Whether a call hangs and no other call is on its way: only time can go on."""
        with self.lock:
            return bool(self._hanging) and len(self._hanging) == self._calls

    def end_overdue(self) -> None:
        """Let go of the hanging calls that the engine has given up by now."""
        with self.lock:
            for key, (deadline, released) in list(self._hanging.items()):
                if self.now >= deadline:
                    del self._hanging[key]
                    released.set()

    @contextmanager
    def counted(self):
        with self.lock:
            self._calls += 1
        try:
            yield
        finally:
            with self.lock:
                self._calls -= 1

    def _hang(self, name: str) -> None:
        assert self.let_time_pass(name).wait(60)
        raise StateError("States.Runtime", "the engine listened to a call that it had given up")

    def let_time_pass(self, name: str) -> threading.Event:
        """Let time run until the state's call, begun now, has taken too long: the event says that it has."""
        timeout = self.states.by_name[name]["TimeoutSeconds"]
        seconds = int(timeout.strip("{% }")) if isinstance(timeout, str) else timeout
        released = threading.Event()
        with self.lock:
            self._hanging[object()] = (self.now + seconds, released)
        return released

    def troubled(self, name: str, do: Callable[[], Any]) -> Any:
        with self.lock:
            self.asked.append(name)
            trouble, let_go = self.troubles.get(name), self.let_go
            if trouble is not None and trouble.kind in {Kind.REFUSED_ONCE, Kind.UNHEARD_ONCE}:
                del self.troubles[name]
        if trouble is None:
            return self.done(do)
        if trouble.kind is Kind.HANGS:
            trouble.met.set()
            self._hang(name)
        if trouble.kind in {Kind.UNHEARD_ONCE, Kind.HELD}:
            try:
                answer = self.done(do)
            except StateError:
                answer = None
            trouble.met.set()
            if trouble.kind is Kind.HELD:
                assert let_go.wait(60)
                return answer
        trouble.met.set()
        raise StateError(trouble.error, json.dumps({"errorMessage": f"{name} has trouble"}))

    def done(self, do: Callable[[], Any]) -> Any:
        with self.lock:
            self.go_on()
            return do()

    @property
    def now(self) -> float:
        """The clock's seconds."""
        return self.clock.now().timestamp()


class WorldWaiter:
    """Lets waits pass at once, and time run out on a call that hangs; other answers are waited for."""

    def __init__(self, world: TroubledCalls) -> None:
        self._world = world

    def wait(self, woken: threading.Event, seconds: float | None, *, calls_in_flight: bool) -> None:
        if not calls_in_flight and seconds is not None:
            if not woken.is_set():
                self._world.clock.sleep(seconds)
            return
        while not woken.wait(0.002):
            if seconds is not None and self._world.hangs_alone():
                self._world.clock.sleep(seconds)
                self._world.end_overdue()
                return
