import json
from dataclasses import replace

import pytest
from shoplake_core.names import ResourceNames, RoleName
from shoplake_infra.applying import apply
from shoplake_infra.environment import EnvironmentSettings, desired_environment
from shoplake_infra.network import NetworkSettings
from shoplake_infra.planning import plan, plan_destroy
from shoplake_infra.policies import SERVICES, RolePolicies
from shoplake_infra.resources.kms_key import kms_key
from shoplake_infra.runs import RunSettings

NAMES = ResourceNames("dev", "123456789012", "eu-central-1")
SETTINGS = EnvironmentSettings(source_host="db.internal", alert_emails=("ops@example.com",))
RUNS = RunSettings(definition={"StartAt": "Done", "States": {"Done": {"Type": "Succeed"}}})
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
        (RoleName.STATE_MACHINE, set()),
        (RoleName.SCHEDULER, set()),
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
        (RoleName.JOB, "shoplake/dev/masking-key-??????"),
    }


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
        text = json.dumps(policies.statements(role), default=str, separators=(",", ":"))
        assert len(text) < 10_240 - 100, role


def test_an_environment_is_made_once_and_reads_as_desired(aws, calls):
    desired = desired_environment("shop", NAMES, replace(SETTINGS, network=NetworkSettings(), runs=RUNS))
    planned = plan(desired, aws)
    assert planned.as_json()["add"] == len(desired)
    apply(planned, aws)
    calls.reset()
    assert plan(desired, aws).changes == ()
    assert calls.writes == []


def test_a_destroyed_environment_keeps_data_its_key_and_the_masking_key_and_is_made_again(aws):
    desired = desired_environment("shop", NAMES, SETTINGS)
    apply(plan(desired, aws), aws)
    destroyed = plan_destroy(desired, aws)
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
    apply(plan(desired, aws), aws)
    assert plan(desired, aws).changes == ()


def test_environments_of_one_account_share_no_resource():
    prod = desired_environment("shop", ResourceNames("prod", "123456789012", "eu-central-1"), SETTINGS)
    dev = desired_environment("shop", NAMES, SETTINGS)
    assert not {resource.address for resource in prod} & {resource.address for resource in dev}


def test_a_schedule_starts_nothing_until_told(aws):
    def state(**changed):
        desired = desired_environment("shop", NAMES, replace(SETTINGS, runs=replace(RUNS, **changed)))
        apply(plan(desired, aws), aws)
        return aws.client("scheduler").get_schedule(Name="shoplake-dev", GroupName="shoplake-dev")

    assert state()["State"] == "DISABLED"
    now = state(scheduled=True, time_zone="Europe/Berlin")
    assert (now["State"], now["ScheduleExpressionTimezone"]) == ("ENABLED", "Europe/Berlin")
    assert now["Target"]["Arn"] == NAMES.state_machine_arn
