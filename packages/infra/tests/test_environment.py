import json
from dataclasses import replace

import pytest
from shoplake_core.errors import ConfigError
from shoplake_core.names import FunctionName, JobName, ResourceNames, RoleName
from shoplake_infra.applying import apply
from shoplake_infra.dashboards import DashboardAsset, DashboardAssets, DashboardSettings, DataSetAsset
from shoplake_infra.database import SourceSettings
from shoplake_infra.environment import EnvironmentSettings, desired_environment
from shoplake_infra.planning import plan, plan_destroy
from shoplake_infra.policies import SERVICES, RolePolicies
from shoplake_infra.replication import ReplicationSettings
from shoplake_infra.resource import in_creation_order
from shoplake_infra.resources.kms_key import kms_key
from shoplake_infra.runs import RunSettings, bound_definition
from shoplake_infra.warehouse import WarehouseSettings

NAMES = ResourceNames("dev", "123456789012", "eu-central-1")
SETTINGS = EnvironmentSettings(source_host="db.internal", alert_emails=("ops@example.com",))
WRITES = ("s3:PutObject", "s3:DeleteObject")


@pytest.fixture(scope="module")
def policies():
    return RolePolicies(NAMES, kms_key("k", account=NAMES.account, description="", tags={}))


def allowed(policies, role, action):
    return {
        str(resource)
        for statement in policies.statements(role)
        if action in statement["Action"]
        for resource in statement["Resource"]
    }


def buckets_written(policies, role):
    arns = {arn for action in WRITES for arn in allowed(policies, role, action)}
    return {arn.removeprefix("arn:aws:s3:::").replace("-123456789012-eu-central-1", "") for arn in arns}


@pytest.mark.parametrize(
    ("role", "written"),
    [
        (RoleName.REPLICATION, {"shoplake-dev-bronze/*"}),
        (RoleName.CRAWLER, set()),
        (RoleName.JOB, {"shoplake-dev-silver/*", "shoplake-dev-gold/*", "shoplake-dev-artifacts/runs/*"}),
        (RoleName.CONTROL_FUNCTION, {"shoplake-dev-artifacts/runs/*", "shoplake-dev-artifacts/locks/*"}),
        (RoleName.SOURCE_FUNCTION, {"shoplake-dev-artifacts/runs/*"}),
        (RoleName.SHOP_FUNCTION, set()),
        (RoleName.SOURCE_PREPARATION, set()),
        (RoleName.STATE_MACHINE, set()),
        (RoleName.SCHEDULER, set()),
        (RoleName.SHOP_SCHEDULER, set()),
        (RoleName.WAREHOUSE, set()),
    ],
)
def test_a_role_writes_the_objects_of_its_own_layer_only(policies, role, written):
    assert buckets_written(policies, role) == written


def test_only_who_needs_a_secret_reads_it(policies):
    readers = {
        (role, arn.split(":")[-1])
        for role in SERVICES
        for arn in allowed(policies, role, "secretsmanager:GetSecretValue")
    }
    assert readers == {
        (RoleName.REPLICATION, "shoplake/dev/source-??????"),
        (RoleName.SOURCE_FUNCTION, "shoplake/dev/source-??????"),
        (RoleName.SOURCE_FUNCTION, "shoplake/dev/masking-key-??????"),
        (RoleName.SHOP_FUNCTION, "shoplake/dev/source-??????"),
        (RoleName.SOURCE_PREPARATION, "shoplake/dev/source-??????"),
        (RoleName.SOURCE_PREPARATION, "rds!db-*"),
        (RoleName.JOB, "shoplake/dev/masking-key-??????"),
    }


def test_who_holds_the_run_lock_is_read_by_jobs_and_functions_and_a_lock_that_lacks_is_told_from_a_refusal(policies):
    lock = f"arn:aws:s3:::{NAMES.artifacts_bucket}/locks/*"
    readers = {role for role in SERVICES if lock in allowed(policies, role, "s3:GetObject")}
    assert readers == {RoleName.JOB, RoleName.CONTROL_FUNCTION}
    (listing,) = (
        statement
        for statement in policies.statements(RoleName.CONTROL_FUNCTION)
        if statement["Action"] == ["s3:ListBucket"] and NAMES.artifacts_bucket in statement["Resource"][0]
    )
    assert "Condition" not in listing


def test_no_statement_allows_a_whole_service_and_stars_are_few(policies):
    starred = set()
    for role in SERVICES:
        for statement in policies.statements(role):
            assert not any(action.endswith("*") for action in statement["Action"])
            if "*" in statement["Resource"] and "Condition" not in statement:
                starred |= {action.split(":")[0] for action in statement["Action"]}
    assert starred == {"dms", "ec2", "logs", "xray"}, "AWS knows no resource for these"


def test_every_policy_is_small_enough_for_iam(policies):
    for role in SERVICES:
        text = json.dumps(replace(policies, dashboards=True).statements(role), default=str, separators=(",", ":"))
        assert len(text) < 10_240 - 100, role


def test_only_the_run_and_its_reconciliation_call_functions(policies):
    callers = {
        role: sorted(arn.rpartition("shoplake-dev-")[2] for arn in found)
        for role in SERVICES
        if (found := allowed(policies, role, "lambda:InvokeFunction"))
    }
    assert callers == {
        RoleName.JOB: ["bronze-state", "source-marker", "source-reading"],
        RoleName.STATE_MACHINE: ["bronze-state", "run-lock", "source-marker", "warehouse-loads"],
        RoleName.SHOP_SCHEDULER: ["shop"],
    }
    machine = json.dumps(bound_definition(NAMES, RunSettings(), project_url="s3://code/project"))
    called = {name for name in FunctionName if f'"{NAMES.function(name)}"' in machine}
    assert {NAMES.function(name).removeprefix("shoplake-dev-") for name in called} == {*callers[RoleName.STATE_MACHINE]}


@pytest.fixture
def desired(artifacts):
    def made(assets=None, **changed):
        settings = replace(SETTINGS, **changed)
        everything = desired_environment("shop", NAMES, settings, artifacts=artifacts, dashboards=assets)
        return tuple(without_policy(one) if one.kind == "bucket" else one for one in everything)

    return made


def without_policy(bucket):
    """moto 5.2.5 denies without looking at the condition, so that a TLS-only policy denies all."""
    assert bucket.properties["policy"]["Statement"][0]["Sid"] == "TlsOnly"
    return replace(bucket, properties={**bucket.properties, "policy": {}})


def test_a_destroyed_environment_keeps_data_its_key_and_the_masking_key_and_is_made_again(aws, desired):
    small = desired(network=None)
    apply(plan(small, aws), aws)
    destroyed = plan_destroy(small, aws)
    kinds = sorted(kept.address for kept in destroyed.kept)
    assert kinds == sorted(
        [
            *(f"bucket {name}" for name in NAMES.buckets),
            *(f"glue_database dev_{layer}" for layer in ("bronze", "silver", "gold")),
            "kms_key shoplake-dev",
            f"secret {NAMES.masking_secret}",
        ]
    )
    apply(destroyed, aws)
    apply(plan(small, aws), aws)
    assert plan(small, aws).changes == ()


def test_environments_of_one_account_share_no_resource(artifacts, desired):
    names = ResourceNames("prod", "123456789012", "eu-central-1")
    prod = desired_environment("shop", names, SETTINGS, artifacts=artifacts)
    assert not {resource.address for resource in prod} & {resource.address for resource in desired()}


def test_a_schedule_starts_nothing_until_told_and_stale_numbers_are_told_only_then(aws, desired):
    def state(**changed):
        wanted = desired(network=None, runs=RunSettings(**changed))
        apply(plan(wanted, aws), aws)
        alarms = {one["AlarmName"]: one for one in aws.client("cloudwatch").describe_alarms()["MetricAlarms"]}
        schedule = aws.client("scheduler").get_schedule(Name="shoplake-dev", GroupName="shoplake-dev")
        return schedule, alarms.get("shoplake-dev-stale")

    schedule, stale = state()
    assert (schedule["State"], stale) == ("DISABLED", None)
    schedule, stale = state(scheduled=True, time_zone="Europe/Berlin")
    assert (schedule["State"], schedule["ScheduleExpressionTimezone"]) == ("ENABLED", "Europe/Berlin")
    assert schedule["Target"]["Arn"] == NAMES.state_machine_arn
    assert (stale["EvaluationPeriods"], stale["ComparisonOperator"]) == (26, "LessThanThreshold")
    assert stale["TreatMissingData"] == "breaching"


def test_the_simulated_shop_lives_on_by_itself_where_that_is_asked_for(aws, desired):
    addresses = {one.address for one in desired(network=None, simulated_shop=True)}
    assert not {"schedule shoplake-dev-shop", "role shoplake-dev-shop-scheduler"} & addresses
    wanted = desired(network=None, simulated_shop=True, shop_every_minutes=5)
    apply(plan(wanted, aws), aws)
    assert plan(wanted, aws).changes == ()
    schedule = aws.client("scheduler").get_schedule(Name="shoplake-dev-shop", GroupName="shoplake-dev")
    assert (schedule["State"], schedule["ScheduleExpression"]) == ("ENABLED", "rate(5 minutes)")
    assert schedule["Target"]["Arn"].endswith(":function:shoplake-dev-shop")
    assert schedule["Target"]["RoleArn"].endswith(":role/shoplake-dev-shop-scheduler")
    event = json.loads(schedule["Target"]["Input"])
    assert (event["action"], event["seed"]) == ("load", "<aws.scheduler.scheduled-time>")


def test_the_machine_calls_what_the_environment_has(desired):
    everything = desired()
    text = json.dumps(bound_definition(NAMES, RunSettings(), project_url="s3://code/project"))
    assert "${" not in text
    (machine,) = (one for one in everything if one.kind == "state_machine")
    called = {one.name for one in everything if one.kind in {"function", "glue_job", "glue_crawler"}}
    asked = {name for name in called if f'"{name}"' in text}
    assert {NAMES.function("run_lock"), *map(NAMES.job, JobName), NAMES.crawler} <= asked
    assert {address.partition(" ")[2] for address in machine.depends_on} >= asked


def test_every_function_has_its_role_place_and_the_project_that_it_works_for(desired):
    unasked = {"function shoplake-dev-shop", "function shoplake-dev-prepare-source"}
    assert not unasked & {one.address for one in desired()}
    everything = desired(simulated_shop=True, new_source=SourceSettings())
    functions = {one.name: one.properties for one in everything if one.kind == "function"}
    assert set(functions) == {NAMES.function(name) for name in FunctionName}
    for name in FunctionName:
        properties = functions[NAMES.function(name)]
        module = "shoplake_datagen.handler" if name is FunctionName.SHOP else "shoplake_functions.handlers"
        assert properties["handler"] == f"{module}.{name.value}"
        assert len(properties["subnets"]) == (3 if name.in_vpc else 0), name
        role = properties["role_arn"].address.removeprefix("role shoplake-dev-")
        own = {FunctionName.SHOP: "shop-function", FunctionName.PREPARE_SOURCE: "source-preparation"}
        assert role == own.get(name, "source-function" if name.in_vpc else "control-function")
        assert properties["variables"]["SHOPLAKE_PROJECT"].startswith(f"s3://{NAMES.artifacts_bucket}/code/project/")


def test_a_new_source_is_prepared_before_replication_tries_to_log_in(desired):
    replication = ReplicationSettings(source_schema="shop", tables=("orders",))
    everything = desired(new_source=SourceSettings(), replication=replication, simulated_shop=True)
    (preparation,) = (one for one in everything if one.kind == "source_preparation")
    order = [one.address for one in in_creation_order(everything)]
    before, after = order[: order.index(preparation.address)], order[order.index(preparation.address) :]
    assert {"rds_instance shoplake-dev-source", "function shoplake-dev-prepare-source"} <= {*before}
    assert f"secret {NAMES.source_secret}" in before
    assert {"dms_connection shoplake-dev-source", "dms_task shoplake-dev-bronze"} <= {*after}
    assert {name: preparation.properties[name] for name in ("schema", "binlog_retention_hours", "simulated_shop")} == {
        "schema": "shop",
        "binlog_retention_hours": 72,
        "simulated_shop": True,
    }
    assert "source_preparation" not in {one.kind for one in desired(replication=replication)}


def test_a_rotated_secret_has_its_function_and_the_function_lets_secrets_manager_call_it(aws, desired):
    rotated, name = desired(network=None, rotate_source_days=30), NAMES.function(FunctionName.ROTATE_SOURCE_SECRET)
    apply(plan(rotated, aws), aws)
    assert plan(rotated, aws).changes == ()
    found = aws.client("secretsmanager").describe_secret(SecretId=NAMES.source_secret)
    assert (found["RotationEnabled"], found["RotationRules"]["AutomaticallyAfterDays"]) == (True, 30)
    assert found["RotationLambdaARN"].endswith(name)
    (statement,) = json.loads(aws.client("lambda").get_policy(FunctionName=name)["Policy"])["Statement"]
    assert statement["Principal"] == {"Service": "secretsmanager.amazonaws.com"}
    left = desired(network=None)
    assert [c.path for p in plan(left, aws).changes for c in p.changes] == [
        ("rotation", "days"),
        ("rotation", "function_arn"),
    ]
    apply(plan(left, aws), aws)
    assert plan(left, aws).changes == ()


def test_a_run_refreshes_the_environments_own_data_sets_and_may_only_where_dashboards_are_enabled(policies, desired):
    request = {"Name": "store", "ImportMode": "SPICE", "PhysicalTableMap": {}}
    asked = {"ColumnName": "day", "Size": 45, "SizeUnit": "DAY"}
    store = DataSetAsset(id="shoplake-dev-store", request=request, tables=("daily",), look_back=asked)
    sales = DashboardAsset(id="shoplake-dev-sales", title="Sales", definition={}, data_sets=(store,))
    everything = desired(
        warehouse=WarehouseSettings(),
        dashboards=DashboardSettings(enabled=True),
        assets=DashboardAssets(dashboards={"sales": sales}),
    )
    (machine,) = (one for one in everything if one.kind == "state_machine")
    states = machine.properties["definition"]["States"]
    given = states["Plan what dashboards read anew"]["Arguments"]["Payload"]["data_sets"]
    assert json.loads(given.strip("{}% ")) == [{"id": store.id, "tables": ["daily"], "date": "day", "days": 45}]
    (empty,) = (one for one in desired(warehouse=WarehouseSettings()) if one.kind == "state_machine")
    assert "$count([]) > 0" in json.dumps(empty.properties["definition"])

    may = replace(policies, dashboards=True)
    ours = {"arn:aws:quicksight:eu-central-1:123456789012:dataset/shoplake-dev-*"}
    assert allowed(may, RoleName.STATE_MACHINE, "quicksight:CreateIngestion") == ours
    assert allowed(may, RoleName.CONTROL_FUNCTION, "quicksight:ListIngestions") == ours
    assert not [role for role in SERVICES if "quicksight" in json.dumps(policies.statements(role), default=str)]


def test_dashboards_are_left_out_unless_enabled_and_share_a_group_with_the_warehouse(desired):
    warehouse = WarehouseSettings()
    assert not [one.address for one in desired(warehouse=warehouse) if "quicksight" in one.address]
    everything = desired(warehouse=warehouse, dashboards=DashboardSettings(enabled=True))
    (workgroup,) = (one for one in everything if one.kind == "redshift_workgroup")
    (connection,) = (one for one in everything if one.kind == "quicksight_vpc_connection")
    shared = {*workgroup.properties["security_groups"]} & {*connection.properties["security_groups"]}
    assert shared == {"shoplake-dev-quicksight"}
    with pytest.raises(ConfigError, match="without a warehouse"):
        desired(dashboards=DashboardSettings(enabled=True))
