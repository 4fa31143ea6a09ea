"""Which command a command line asks for."""

import pytest
from shoplake.cli import asked_command


@pytest.mark.parametrize(
    ("line", "command"),
    [
        ("run --rebuild", "run"),
        ("--project demo up", "up"),
        ("--project=demo up", "up"),
        ("--debug --no-color plan --target aws", "plan"),
        ("--help", ""),
        ("", ""),
    ],
)
def test_the_command_is_found_behind_flags_and_their_values(line, command):
    assert asked_command(line.split()) == command
