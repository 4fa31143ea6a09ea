"""Talk on stderr: a line a step where no terminal is, and errors that end with the next step."""

import io
from datetime import UTC, datetime

import pytest
from rich.console import Console
from shoplake.narration import Narrator
from shoplake_core.clock import SkipClock
from shoplake_core.errors import ConfigError


def narrator():
    out = io.StringIO()
    clock = SkipClock(datetime(2026, 1, 1, tzinfo=UTC))
    return Narrator(Console(file=out, width=120), clock), clock, out


def test_a_step_is_one_line_with_number_outcome_and_seconds():
    told, clock, out = narrator()
    with told.step(2, 3, "bronze -> silver") as talk:
        talk.note("working")
        clock.sleep(12.34)
        talk.result = "9 tables [all of them]"
    assert out.getvalue() == "[2/3] bronze -> silver             ok       12.3 s  9 tables [all of them]\n"


def test_a_failed_step_says_so_and_the_error_goes_on():
    told, _, out = narrator()
    with pytest.raises(ConfigError), told.step(1, 1, "x"):
        raise ConfigError("no")
    assert "failed" in out.getvalue()


def test_an_error_shows_its_code_and_last_what_to_do():
    told, _, out = narrator()
    told.error(ConfigError("[tables] names x", hint="take it out"))
    assert out.getvalue().splitlines() == ["error[CONFIG] [tables] names x", "  next: take it out"]
