"""The warehouse on the local AWS: moto has no Redshift Serverless."""

from dataclasses import replace

import pytest
from botocore.exceptions import ClientError
from shoplake_core.errors import ConfigError, ResourceError
from shoplake_core.names import LOCAL_ACCOUNT, ResourceNames
from shoplake_infra.applying import apply
from shoplake_infra.network import NetworkSettings, desired_network
from shoplake_infra.planning import plan, plan_destroy
from shoplake_infra.resources.kms_key import kms_key
from shoplake_infra.resources.redshift_workgroup import WarehousePower
from shoplake_infra.resources.role import role
from shoplake_infra.warehouse import WarehouseParts, WarehouseSettings, desired_warehouse

pytestmark = pytest.mark.usefixtures("leaves_no_warehouse")
NAMES = ResourceNames("wh", LOCAL_ACCOUNT, "eu-central-1")
NAME = "shoplake-wh"
TAGS = {"Project": "shop", "Environment": "wh", "ManagedBy": "shoplake"}


def parts():
    network = desired_network(NAMES, NetworkSettings(interface_services=()), tags=TAGS)
    key = kms_key(NAME, account=LOCAL_ACCOUNT, description="", tags=TAGS)
    reader = role(f"{NAME}-warehouse", services=("redshift.amazonaws.com",), statements=(), tags=TAGS)
    around = (network.vpc, *network.subnets, network.workers, key, reader)
    return around, WarehouseParts(
        vpc=network.vpc, subnets=network.subnets, workers=network.workers, key=key, role=reader
    )


def desired_with(settings=None):
    around, needed = parts()
    return (*around, *desired_warehouse(NAMES, settings or WarehouseSettings(), parts=needed, tags=TAGS))


@pytest.fixture
def on_local(on_local, calls):
    on_local.session.events.register("after-call.redshift-serverless.*", calls.answered)
    return on_local


@pytest.fixture
def serverless(on_local):
    """The client; what a test leaves is taken away, the network stays for the next one."""
    client = on_local.client("redshift-serverless")
    yield client
    warehouse = plan_destroy(desired_with(), on_local, delete_data=True)
    kinds = ("redshift_workgroup", "redshift_namespace")  # limits go with their workgroup
    apply(replace(warehouse, changes=tuple(c for c in warehouse.changes if c.resource.kind in kinds)), on_local)


def add_monthly_limit(serverless):
    """A limit of somebody else's, which stays as it is."""
    arn = serverless.get_workgroup(workgroupName=NAME)["workgroup"]["workgroupArn"]
    serverless.create_usage_limit(resourceArn=arn, usageType="serverless-compute", period="monthly", amount=1000)


def limits(serverless):
    return {limit["period"]: limit for limit in serverless.list_usage_limits()["usageLimits"]}


def changed(desired, aws):
    return {c.resource.kind: [".".join(x.path) for x in c.changes] for c in plan(desired, aws).changes}


def test_a_warehouse_is_made_private_with_a_limit_and_what_was_changed_by_hand_is_set_again(
    on_local, calls, serverless
):
    desired = desired_with()
    apply(plan(desired[:-1], on_local), on_local)
    add_monthly_limit(serverless)
    apply(plan(desired, on_local), on_local)
    assert {period: limit["amount"] for period, limit in limits(serverless).items()} == {"daily": 24, "monthly": 1000}
    assert limits(serverless)["daily"]["breachAction"] == "deactivate"
    workgroup = serverless.get_workgroup(workgroupName=NAME)["workgroup"]
    assert (workgroup["publiclyAccessible"], workgroup["enhancedVpcRouting"]) == (False, True)
    assert len(workgroup["subnetIds"]) == 3
    namespace = serverless.get_namespace(namespaceName=NAME)["namespace"]
    assert namespace["dbName"] == "shop"
    assert namespace["adminPasswordSecretArn"]
    tags = serverless.list_tags_for_resource(resourceArn=workgroup["workgroupArn"])["tags"]
    assert {"key": "Environment", "value": "wh"} in tags
    calls.reset()
    assert plan(desired, on_local).lines() == ("no changes",)
    assert calls.writes == []

    daily = limits(serverless)["daily"]["usageLimitId"]
    serverless.update_usage_limit(usageLimitId=daily, amount=9999, breachAction="log")
    serverless.update_namespace(namespaceName=NAME, logExports=["userlog"])
    parameters = [{"parameterKey": "require_ssl", "parameterValue": "false"}]
    serverless.update_workgroup(workgroupName=NAME, configParameters=parameters)
    seen = changed(desired, on_local)
    assert set(seen["redshift_namespace"]) >= {"logs"}
    assert set(seen["redshift_workgroup"]) >= {"parameters.require_ssl"}
    assert seen["redshift_usage_limit"] == ["beyond", "rpu_hours"]
    larger = desired_with(WarehouseSettings(power=WarehousePower(base_rpu=16, most_rpu=128), daily_rpu_hours=10))
    calls.reset()
    apply(plan(larger, on_local), on_local)
    assert plan(larger, on_local).changes == ()
    assert calls.writes.count("redshift-serverless:UpdateWorkgroup") == 3, "one thing a call"
    assert limits(serverless)["monthly"]["amount"] == 1000


def test_an_apply_killed_anywhere_is_gone_on_with_and_a_destroy_keeps_the_data(on_local, calls, serverless):
    desired = desired_with()
    around, _ = parts()
    apply(plan(around, on_local), on_local)
    failures = []
    desired, limit = desired[:-1], desired[-1:]
    while True:  # each apply does one write and never hears of it
        planned = plan(desired, on_local)
        if not planned.changes:
            if not limit:
                break
            calls.reset()
            add_monthly_limit(serverless)
            desired, limit = (*desired, *limit), ()
            continue
        calls.reset(fail_at=1, after=True)
        try:
            apply(planned, on_local)
        except ResourceError as error:
            failures.append(str(error).partition(" failed")[0])
        assert len(failures) < 12
    calls.reset()
    assert [failure.split()[1] for failure in failures if failure.startswith("+")] == [
        "redshift_namespace",
        "redshift_workgroup",
        "redshift_usage_limit",
    ]
    assert limits(serverless).keys() == {"daily", "monthly"}

    kept = {kept.address.split()[0] for kept in plan_destroy(desired, on_local).kept}
    assert {"redshift_namespace", "kms_key", "role"} <= kept
    destroyed = plan_destroy(desired, on_local)
    kinds = ("redshift_workgroup", "redshift_usage_limit")
    apply(replace(destroyed, changes=tuple(c for c in destroyed.changes if c.resource.kind in kinds)), on_local)
    with pytest.raises(ClientError, match="ResourceNotFoundException"):
        serverless.get_workgroup(workgroupName=NAME)
    assert changed(desired, on_local).keys() == {"redshift_workgroup", "redshift_usage_limit"}

    arn = serverless.get_namespace(namespaceName=NAME)["namespace"]["namespaceArn"]
    serverless.untag_resource(resourceArn=arn, tagKeys=["ManagedBy"])
    with pytest.raises(ResourceError, match=f"redshift_namespace {NAME} exists and is not ours"):
        plan(desired, on_local)
    serverless.tag_resource(resourceArn=arn, tags=[{"key": "ManagedBy", "value": "shoplake"}])


def test_two_zones_are_too_few():
    _, needed = parts()
    with pytest.raises(ConfigError, match="Redshift Serverless wants 3"):
        desired_warehouse(NAMES, WarehouseSettings(), parts=replace(needed, subnets=needed.subnets[:2]), tags=TAGS)
