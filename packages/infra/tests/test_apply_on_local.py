"""A whole environment on the local AWS: made, read, taken away and made again, by the calls that an account would get."""

import json
import time

import pytest
from shoplake_core.names import LOCAL_ACCOUNT, FunctionName, JobName, ResourceNames
from shoplake_infra.applier import applier_policy
from shoplake_infra.applying import apply
from shoplake_infra.dashboards import (
    DashboardAsset,
    DashboardAssets,
    DashboardSettings,
    DataSetAsset,
    data_set_arn,
    data_source_arn,
)
from shoplake_infra.database import SourceSettings
from shoplake_infra.environment import EnvironmentSettings, desired_environment
from shoplake_infra.planning import plan, plan_destroy
from shoplake_infra.replication import ReplicationSettings
from shoplake_infra.resources.quicksight_subscription import has_quicksight
from shoplake_infra.warehouse import WarehouseSettings

from .iam_actions import actions_of

pytestmark = pytest.mark.usefixtures("leaves_no_warehouse")
NAMES = ResourceNames("whole", LOCAL_ACCOUNT, "eu-central-1")
SETTINGS = EnvironmentSettings(
    source_host="",
    alert_emails=("ops@example.com",),
    rotate_source_days=30,
    new_source=SourceSettings(),
    replication=ReplicationSettings(source_schema="shop", tables=("orders",), test_connections=False),
    warehouse=WarehouseSettings(),
    dashboards=DashboardSettings(enabled=True),
    on_loopback=True,
)
PLAN_SECONDS = 5.0


def _assets():
    """One dashboard of a number, over one data set."""
    name, column = f"{NAMES.prefix}-sales", {"DataSetIdentifier": "daily", "ColumnName": "amount"}
    sql = {
        "DataSourceArn": data_source_arn(NAMES),
        "Name": "daily",
        "SqlQuery": "SELECT amount FROM gold.daily",
        "Columns": [{"Name": "amount", "Type": "DECIMAL"}],
    }
    request = {"Name": "daily", "PhysicalTableMap": {"gold": {"CustomSql": sql}}, "ImportMode": "SPICE"}
    daily = DataSetAsset(id=f"{name}-daily", request=request, tables=("daily",))
    wells = {"Values": [{"NumericalMeasureField": {"FieldId": "v", "Column": column}}]}
    number = {"KPIVisual": {"VisualId": "kpi", "ChartConfiguration": {"FieldWells": wells}}}
    definition = {
        "DataSetIdentifierDeclarations": [{"Identifier": "daily", "DataSetArn": data_set_arn(NAMES, daily.id)}],
        "Sheets": [{"SheetId": "one", "Name": "One", "Visuals": [number]}],
    }
    dashboard = DashboardAsset(id=name, title="Sales", definition=definition, data_sets=(daily,))
    return DashboardAssets(dashboards={"sales": dashboard})


@pytest.fixture
def desired(artifacts, on_local):
    if not has_quicksight(on_local):
        signup = {"AccountName": "shop", "AuthenticationMethod": "IAM_ONLY", "NotificationEmail": "bi@example.com"}
        on_local.client("quicksight").create_account_subscription(
            AwsAccountId=LOCAL_ACCOUNT, **signup, Edition="ENTERPRISE"
        )
    everything = desired_environment("shop", NAMES, SETTINGS, artifacts=artifacts, dashboards=_assets())
    # the front holds its answers against AWS's model, which has no form for "no limit yet": test_warehouse.py makes one
    return tuple(one for one in everything if one.kind != "redshift_usage_limit")


def _unchanged_plan_seconds(desired, on_local):
    begun = time.monotonic()
    assert plan(desired, on_local).lines() == ("no changes",)
    return time.monotonic() - begun


def test_a_whole_environment_is_made_once_taken_away_and_made_again(on_local, calls, desired):
    planned = plan(desired, on_local)
    assert planned.as_json()["add"] == len(desired) - 1, "the account's subscription is there"
    apply(planned, on_local)

    calls.reset()
    assert min(_unchanged_plan_seconds(desired, on_local) for _ in range(3)) < PLAN_SECONDS
    assert calls.writes == []

    _works(on_local)

    destroyed = plan_destroy(desired, on_local)
    kept = {kept.address.partition(" ")[0] for kept in destroyed.kept}
    assert kept == _DATA | _NEEDED_BY_DATA
    apply(destroyed, on_local)
    apply(plan(desired, on_local), on_local)
    assert plan(desired, on_local).changes == ()

    called = {action for operation in calls.operations.values() for action in actions_of(operation)}
    assert len(called) > 80
    assert called - _OF_THE_TEST <= {action for one in applier_policy(NAMES)["Statement"] for action in one["Action"]}


_DATA = {"bucket", "glue_database", "secret", "rds_instance", "redshift_namespace"}
_NEEDED_BY_DATA = {"kms_key", "role", "rds_subnet_group", "rds_parameter_group", "security_group", "subnet", "vpc"}
_OF_THE_TEST = {"glue:StartJobRun", "glue:GetJobRun", "glue:StartCrawler"} | {"quicksight:CreateAccountSubscription"}


def _works(aws):
    """What was made is of one piece: code and wheels are found, and roles may read the project."""
    glue = aws.client("glue")
    answer = aws.client("lambda").invoke(FunctionName=NAMES.function(FunctionName.RUN_LOCK), Payload=b'{"a": 1}')
    assert json.load(answer["Payload"]) == {"a": 1, "project": "{}"}, answer
    run = glue.start_job_run(JobName=NAMES.job(JobName.BRONZE_TO_SILVER))["JobRunId"]
    glue.start_crawler(Name=NAMES.crawler)
    while (state := glue.get_job_run(JobName=NAMES.job(JobName.BRONZE_TO_SILVER), RunId=run)["JobRun"])[
        "JobRunState"
    ] in {"STARTING", "RUNNING"}:
        time.sleep(0.05)
    assert state["JobRunState"] == "SUCCEEDED", state
    while (crawler := glue.get_crawler(Name=NAMES.crawler)["Crawler"])["State"] != "READY":
        time.sleep(0.05)
    assert crawler["LastCrawl"]["Status"] == "SUCCEEDED", crawler["LastCrawl"]
