"""What a person is told while the command works: on stderr, bars only on a terminal, one line a step elsewhere."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from rich.console import Console
from rich.markup import escape
from rich.status import Status
from shoplake_core.clock import Clock
from shoplake_core.errors import ShoplakeError

__all__ = ["Narrator", "StepTalk"]

_TITLE_WIDTH = 34


@dataclass
class StepTalk:
    """What one step says about itself: `note` while it works, `result` when it is done."""

    _status: Status | None
    _prefix: str
    result: str = ""

    def note(self, text: str) -> None:
        """Show `text` beside the step while it works (on a terminal only)."""
        if self._status is not None:
            self._status.update(f"{self._prefix} [dim]{escape(text)}[/dim]")


class Narrator:
    """Talks about steps: number, title, outcome, seconds."""

    def __init__(self, console: Console, clock: Clock) -> None:
        self._console = console
        self._clock = clock
        self._begun_seconds = clock.monotonic_seconds()
        self.step_seconds: dict[str, float] = {}

    def say(self, text: str = "") -> None:
        """One line."""
        self._console.print(escape(text), highlight=False, soft_wrap=True)

    def heading(self, text: str) -> None:
        """A line that begins a part."""
        self._console.print()
        self._console.print(f"[bold]{escape(text)}[/bold]", highlight=False)

    def elapsed_seconds(self) -> float:
        """Seconds since the narrator was made."""
        return self._clock.monotonic_seconds() - self._begun_seconds

    @contextmanager
    def step(self, number: int, count: int, title: str) -> Iterator[StepTalk]:
        """Announce step `number` of `count`; when it ends, say how and how long it took."""
        prefix = f"[{number}/{count}] {title}".ljust(_TITLE_WIDTH)
        begun = self._clock.monotonic_seconds()
        live = self._console.is_terminal
        status = self._console.status(escape(prefix)) if live else None
        talk = StepTalk(status, escape(prefix))
        if status is not None:
            status.start()
        word, style = "ok", "green"
        try:
            yield talk
        except (ShoplakeError, KeyboardInterrupt):
            word, style = "failed", "red"
            raise
        finally:
            if status is not None:
                status.stop()
            seconds = self._clock.monotonic_seconds() - begun
            self.step_seconds[title] = self.step_seconds.get(title, 0.0) + seconds
            self._console.print(
                f"{escape(prefix)} [{style}]{word:<6}[/{style}] {seconds:6.1f} s  {escape(talk.result)}".rstrip(),
                highlight=False,
                soft_wrap=True,
            )

    def error(self, error: ShoplakeError) -> None:
        """The error: what happened, and last what to do next."""
        self._console.print(
            f"[bold red]error\\[{error.code}][/bold red] {escape(error.message)}", highlight=False, soft_wrap=True
        )
        if error.hint:
            self._console.print(f"  [bold]next:[/bold] {escape(error.hint)}", highlight=False, soft_wrap=True)
