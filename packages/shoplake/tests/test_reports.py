"""Commands that report on the project alone: no server, no account."""

import json
from importlib import import_module
from pathlib import Path

import pytest
from shoplake.cli import app
from typer.testing import CliRunner

SHOP = str(Path(__file__).parents[3] / "shop")


@pytest.fixture
def told():
    """Words -> (exit code, stdout, stderr) of the command on the reference project."""
    for name in ("dash", "metrics", "iam_policy"):
        import_module(f"shoplake.commands.{name}")

    def call(*words):
        done = CliRunner().invoke(app, ["--project", SHOP, *words])
        return done.exit_code, done.stdout, done.stderr

    return call


def test_a_metric_is_shown_whole_and_a_wrong_name_gets_the_nearest(told):
    code, out, _ = told("metrics", "show", "aov")
    assert (code, "Average order value" in out, "NULLIF" in out) == (0, True, True)
    document = json.loads(told("metrics", "show", "aov", "--json")[1])
    assert document["schema_version"] == 1
    assert {"formula", "grain", "unit", "owner", "caveat", "sql"} <= set(document)
    assert "aov" in json.loads(told("metrics", "list", "--json")[1])["metrics"]
    code, _, err = told("metrics", "show", "aow")
    assert (code, 'did you mean "aov"' in err) == (2, True)


def test_every_dashboard_of_the_project_is_valid(told):
    code, out, _ = told("dash", "validate", "--json")
    assert code == 0
    tiles = json.loads(out)["dashboards"]
    assert set(tiles) == {"customer_behaviour", "inventory", "pipeline_health", "sales_performance"}
    assert min(tiles.values()) > 3


def test_the_rights_of_whoever_applies_fit_into_managed_policies(told):
    code, out, _ = told("iam-policy", "--account", "123456789012", "--env", "prod")
    policies = json.loads(out)["policies"]
    assert (code, bool(policies)) == (0, True)
    for name, policy in policies.items():
        assert name.startswith("shoplake-prod-applier-")
        assert len(json.dumps(policy, separators=(",", ":"))) <= 6144
        assert "123456789012" in json.dumps(policy)
