"""The reference project's dashboards as QuickSight gets them, and the account that has none of it."""

import contextlib
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from botocore.exceptions import ClientError
from shoplake.cloud import Cloud
from shoplake.quicksight_estate import can_have_dashboards, dashboard_assets, why_without_dashboards
from shoplake.workspace import open_workspace
from shoplake_core.clock import SystemClock
from shoplake_core.errors import ConfigError
from shoplake_infra.artifacts.platforms import Target
from shoplake_infra.aws import Aws
from shoplake_infra.dashboards import spice_refreshes


@pytest.fixture
def account(local_aws):
    """Whether dashboards are wanted, and where -> the environment in an account that has never heard of QuickSight."""
    workspace = open_workspace(project=None, start=Path(__file__).parents[3], environment={})
    quicksight, here = local_aws.client("quicksight"), {"AwsAccountId": workspace.names.account}
    with contextlib.suppress(ClientError):  # another file's tests may have signed up
        settings = {"DefaultNamespace": "default", "TerminationProtectionEnabled": False}
        quicksight.update_account_settings(**here, **settings)
        quicksight.delete_account_subscription(**here)

    def made(target, *, wanted, workspace=workspace):
        deployment = replace(workspace.deployment, dashboards_enabled=wanted)
        aws = Aws(local_aws.endpoint, clock=SystemClock())
        return Cloud(replace(workspace, deployment=deployment), target, workspace.names, aws, SystemClock())

    return made


def test_an_account_without_quicksight_goes_without_dashboards_and_is_told_in_one_line(account):
    wanted, unwanted = account(Target.AWS, wanted=True), account(Target.AWS, wanted=False)
    assert not can_have_dashboards(wanted)
    told = why_without_dashboards(wanted)
    assert told.startswith("dashboards are left out: account 000000000000 has no Enterprise edition of QuickSight")
    assert "sign up" in told
    assert "\n" not in told
    assert why_without_dashboards(unwanted) == ""


def test_a_laptop_signs_itself_up_where_dashboards_are_wanted(account):
    assert not can_have_dashboards(account(Target.LOCAL, wanted=False))
    wanted = account(Target.LOCAL, wanted=True)
    assert can_have_dashboards(wanted)
    assert why_without_dashboards(wanted) == ""
    assert can_have_dashboards(account(Target.AWS, wanted=True)), "it is one account"


def test_every_dashboard_of_the_project_is_sent_and_what_spice_holds_of_it_is_refreshed_by_its_tables(account):
    assets = dashboard_assets(account(Target.AWS, wanted=True))
    assert {one.id for one in assets.dashboards.values()} == {
        "shoplake-dev-customer-behaviour",
        "shoplake-dev-inventory",
        "shoplake-dev-pipeline-health",
        "shoplake-dev-sales-performance",
    }
    refreshes = {one.data_set_id.removeprefix("shoplake-dev-"): one for one in spice_refreshes(assets.dashboards)}
    assert not [name for name in refreshes if name.startswith("pipeline-health")], "it is asked live"
    sales = refreshes["sales-performance-sales"]
    assert (sales.tables, sales.date_column) == (("agg_sales_daily", "dim_product"), "event_date")
    assert sales.look_back_days == 45
    people = refreshes["customer-behaviour-people"]
    assert people.as_json() == {"id": "shoplake-dev-customer-behaviour-people", "tables": ["agg_customer_rfm"]}


def test_a_copy_of_the_runs_records_is_refused_because_no_run_refreshes_it(account, tmp_path):
    shutil.copytree(Path(__file__).parents[3] / "shop", tmp_path / "shop", ignore=shutil.ignore_patterns(".shoplake"))
    dashboard = tmp_path / "shop/dashboards/pipeline_health.toml"
    dashboard.write_text(dashboard.read_text().replace("direct_query = true\n", ""))
    copied = open_workspace(project=tmp_path / "shop", start=tmp_path, environment={})
    with pytest.raises(ConfigError, match="which is no gold table") as refused:
        dashboard_assets(account(Target.AWS, wanted=True, workspace=copied))
    assert "direct_query = true" in refused.value.hint
