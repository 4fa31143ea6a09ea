"""`shoplake.toml`: read exactly or refused by name."""

import pytest
from shoplake_core.config import ProjectConfig, parse_project_config
from shoplake_core.errors import ConfigError


def test_an_empty_file_gives_the_defaults():
    assert parse_project_config("", where="x") == ProjectConfig()


def test_settings_are_read():
    text = '[store]\ntime_zone = "Europe/Berlin"\n[tables]\ninclude = ["orders"]\n'
    config = parse_project_config(text, where="x")
    assert (config.store_time_zone, config.tables) == ("Europe/Berlin", ("orders",))


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        pytest.param('[store]\ntimezone = "UTC"', 'did you mean "store.time_zone"', id="unknown-setting"),
        pytest.param('[store]\ntime_zone = "Mars/Base"', "no IANA time zone", id="unknown-zone"),
        pytest.param('[silver]\ntombstone_days = "30"', "expected int", id="wrong-type"),
        pytest.param("[silver]\ntombstone_days = true", "expected int", id="bool-is-no-number"),
        pytest.param("[silver]\ntombstone_days = 0", "above 0", id="out-of-range"),
        pytest.param("[silver", "not valid TOML", id="not-toml"),
    ],
)
def test_a_wrong_setting_is_named(text, fault):
    with pytest.raises(ConfigError) as caught:
        parse_project_config(text, where="shoplake.toml")
    assert fault in str(caught.value)
