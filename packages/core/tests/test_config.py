"""`shoplake.toml`: read exactly or refused by name."""

import pytest
from shoplake_core.config import ProjectConfig, parse_project_config
from shoplake_core.deployment import parse_deployment_config
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


def test_an_environment_has_its_own_tables_over_those_of_all():
    text = """
        [project]
        region = "eu-central-1"
        [replication]
        flush_interval_seconds = 1.0
        [schedule]
        enabled = false
        [environments.prod.replication]
        flush_interval_seconds = 60
        [environments.prod.schedule]
        enabled = true
        [environments.prod.dashboards]
        enabled = true
    """
    assert parse_project_config(text, where="x").flush_interval_seconds == 1.0
    prod = parse_project_config(text, where="x", environment="prod")
    assert (prod.environment, prod.flush_interval_seconds, prod.region) == ("prod", 60, "eu-central-1")
    dev, prod = (parse_deployment_config(text, environment=name, where="x") for name in ("dev", "prod"))
    assert (dev.scheduled, dev.dashboards_enabled) == (False, False)
    assert (prod.scheduled, prod.dashboards_enabled) == (True, True)


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        pytest.param('[schedule]\nenabled = "yes"', "schedule.enabled: expected bool", id="wrong-type"),
        pytest.param("[dashboards]\nenabled = 1", "dashboards.enabled: expected bool", id="number-is-no-bool"),
        pytest.param(
            '[dashboards]\nreaders = ["bi", 7]', "dashboards.readers: expected texts", id="list-of-more-than-texts"
        ),
        pytest.param("[warehouse]\nbase_rpu = -1", "must not be negative", id="negative"),
        pytest.param('[source]\nrds_instance = "a"\nnew_rds_instance = true', "keep one", id="two-sources"),
        pytest.param("[source]\nbinlog_hours = 200", "RDS takes 1 to 168", id="binlog-kept-too-long"),
        pytest.param("[shop]\nevery_minutes = 5", "set shop.simulated, too", id="no-shop-to-live-on"),
        pytest.param("[environments]\nprod = 1", "must be a table", id="environment-is-no-table"),
    ],
)
def test_a_wrong_setting_of_the_deployment_is_named(text, fault):
    with pytest.raises(ConfigError) as caught:
        parse_deployment_config(text, environment="dev", where="shoplake.toml")
    assert fault in str(caught.value)
