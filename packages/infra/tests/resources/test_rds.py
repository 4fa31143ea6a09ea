"""A database server with its groups, played by moto."""

from dataclasses import replace
from types import SimpleNamespace

import pytest
from moto.rds.models import RDSBackend, rds_backends
from shoplake_core.errors import ResourceError
from shoplake_core.names import ResourceNames
from shoplake_infra.applying import apply
from shoplake_infra.database import SourceParts, SourceSettings, desired_source
from shoplake_infra.planning import plan, plan_destroy
from shoplake_infra.resources.kms_key import kms_key
from shoplake_infra.resources.rds_instance import InstanceShape
from shoplake_infra.resources.security_group import ALL_PORTS, LetIn, security_group
from shoplake_infra.resources.subnet import subnet
from shoplake_infra.resources.vpc import vpc

NAMES = ResourceNames("dev", "123456789012", "eu-central-1")
NAME = "shoplake-dev-source"


def desired_with(tags, shape=None):
    net = vpc("shoplake-dev", cidr="10.60.0.0/16", tags=tags)
    subnets = tuple(
        subnet(f"shoplake-dev-{zone}", vpc=net, cidr=f"10.60.{number}.0/24", zone=f"eu-central-1{zone}", tags=tags)
        for number, zone in enumerate("abc")
    )
    workers = security_group(
        "shoplake-dev-workers", vpc=net, description="w", let_in=(LetIn(None, ALL_PORTS),), tags=tags
    )
    key = kms_key("shoplake-dev", account=NAMES.account, description="", tags=tags)
    parts = SourceParts(vpc=net, subnets=subnets, workers=workers, key=key)
    settings = SourceSettings(shape=shape or InstanceShape())
    return (net, *subnets, workers, key), desired_source(NAMES, settings, parts=parts, tags=tags)


@pytest.fixture(autouse=True)
def modified_subnet_group_stays(monkeypatch):
    """moto 5.2.5 forgets a subnet group when it is modified."""
    modify = RDSBackend.modify_db_subnet_group

    def modified(backend, name, *rest):
        backend.subnet_groups[name] = modify(backend, name, *rest)
        return backend.subnet_groups[name]

    monkeypatch.setattr(RDSBackend, "modify_db_subnet_group", modified)


@pytest.fixture
def parameters_are_reset(aws):
    """moto 5.2.5 has no ResetDBParameterGroup."""

    def reset(params, **_):
        names = [value for name, value in params["body"].items() if name.endswith(".ParameterName")]
        group = rds_backends[NAMES.account][NAMES.region].db_parameter_groups[params["body"]["DBParameterGroupName"]]
        for name in names:
            del group.parameters[name]
        return SimpleNamespace(status_code=200), {"DBParameterGroupName": group.name}

    aws.session.events.register("before-call.rds.ResetDBParameterGroup", reset)


@pytest.fixture
def desired(tags):
    around, source = desired_with(tags)
    return (*around, *source)


def changed(desired, aws):
    return {c.resource.kind: [".".join(x.path) for x in c.changes] for c in plan(desired, aws).changes}


def test_a_server_is_made_private_encrypted_with_backups_and_no_password_of_ours(aws, calls, desired):
    first = plan(desired, aws)
    apply(first, aws)
    (server,) = aws.client("rds").describe_db_instances(DBInstanceIdentifier=NAME)["DBInstances"]
    assert (server["StorageEncrypted"], server["PubliclyAccessible"], server["DeletionProtection"]) == (
        True,
        False,
        True,
    )
    assert server["BackupRetentionPeriod"] == 7
    assert server["MasterUserSecret"]["SecretArn"]
    calls.reset()
    assert plan(desired, aws).changes == ()
    assert calls.writes == []


def test_what_was_changed_by_hand_is_set_again(aws, desired, parameters_are_reset):
    apply(plan(desired, aws), aws)
    rds = aws.client("rds")
    rds.modify_db_parameter_group(
        DBParameterGroupName=NAME,
        Parameters=[
            {"ParameterName": "binlog_format", "ParameterValue": "MIXED", "ApplyMethod": "immediate"},
            {"ParameterName": "max_connections", "ParameterValue": "9", "ApplyMethod": "immediate"},
        ],
    )
    rds.modify_db_subnet_group(
        DBSubnetGroupName=NAME,
        SubnetIds=[s["SubnetIdentifier"] for s in rds.describe_db_subnet_groups()["DBSubnetGroups"][0]["Subnets"]][:2],
    )
    rds.modify_db_instance(
        DBInstanceIdentifier=NAME,
        BackupRetentionPeriod=0,
        DeletionProtection=False,
        DBInstanceClass="db.t4g.micro",
        CloudwatchLogsExportConfiguration={"EnableLogTypes": ["general"], "DisableLogTypes": ["error"]},
        ApplyImmediately=True,
    )
    seen = changed(desired, aws)
    assert seen["rds_instance"] == ["backup_days", "class", "deletion_protection", "logs"]
    assert seen["rds_parameter_group"] == ["parameters.binlog_format", "parameters.max_connections"]
    assert len(seen["rds_subnet_group"]) == 1
    apply(plan(desired, aws), aws)
    assert changed(desired, aws) == {}


def test_a_stopped_server_is_started_and_changed_tags_come_back(aws, desired):
    apply(plan(desired, aws), aws)
    rds = aws.client("rds")
    rds.stop_db_instance(DBInstanceIdentifier=NAME)
    for kind in ("db", "pg", "subgrp"):
        arn = f"arn:aws:rds:eu-central-1:{NAMES.account}:{kind}:{NAME}"
        rds.add_tags_to_resource(ResourceName=arn, Tags=[{"Key": "Layer", "Value": "mine"}])
    desired = tuple(replace(r, tags={**r.tags, "Layer": "source"}) if r.kind.startswith("rds") else r for r in desired)
    assert changed(desired, aws) == {
        "rds_subnet_group": ["tags.Layer"],
        "rds_parameter_group": ["tags.Layer"],
        "rds_instance": ["state", "tags.Layer"],
    }
    apply(plan(desired, aws), aws)
    assert changed(desired, aws) == {}


def test_storage_that_rds_added_and_a_newer_release_are_no_difference(aws, tags):
    around, source = desired_with(tags, InstanceShape(storage_gib=20))
    apply(plan((*around, *source), aws), aws)
    aws.client("rds").modify_db_instance(
        DBInstanceIdentifier=NAME, AllocatedStorage=60, EngineVersion="8.4.7", ApplyImmediately=True
    )
    assert changed((*around, *source), aws) == {}
    around, larger = desired_with(tags, InstanceShape(storage_gib=100, most_storage_gib=900))
    assert changed((*around, *larger), aws) == {"rds_instance": ["storage.from_gib", "storage.to_gib"]}
    apply(plan((*around, *larger), aws), aws)
    assert changed((*around, *larger), aws) == {}


def test_an_apply_whose_every_answer_is_lost_still_ends(aws, calls, desired):
    around = desired[:-4]
    apply(plan(around, aws), aws)
    killed = []
    while (planned := plan(desired, aws)).changes:  # each apply does one write and never hears of it
        calls.reset(fail_at=1, after=True)
        with pytest.raises(ResourceError, match="apply again"):
            apply(planned, aws)
        killed += calls.writes
        assert len(killed) < 12
    assert [call for call in killed if call.startswith("rds:")] == [
        "rds:CreateDBSubnetGroup",
        "rds:CreateDBParameterGroup",
        "rds:ModifyDBParameterGroup",
        "rds:CreateDBInstance",
    ]


def test_a_destroy_leaves_what_is_not_ours_or_holds_data_and_what_that_needs(aws, desired):
    apply(plan(desired, aws), aws)
    other_key = "arn:aws:kms:eu-central-1:123456789012:key/other"
    moved = (*desired[:-1], replace(desired[-1], properties={**desired[-1].properties, "kms_key": other_key}))
    with pytest.raises(ResourceError, match="holds data and would have to be replaced: AWS cannot change its kms_key"):
        plan(moved, aws)

    rds = aws.client("rds")
    for kind, word in (("rds_instance", "db"), ("rds_parameter_group", "pg"), ("rds_subnet_group", "subgrp")):
        arn = f"arn:aws:rds:eu-central-1:{NAMES.account}:{word}:{NAME}"
        rds.remove_tags_from_resource(ResourceName=arn, TagKeys=["ManagedBy"])
        with pytest.raises(ResourceError, match=f"{kind} {NAME} exists and is not ours"):
            plan(desired, aws)
        kept = {kept.address: kept.reason for kept in plan_destroy(desired, aws, delete_data=True).kept}
        assert kept == {f"{kind} {NAME}": "it does not carry our tags"}
        rds.add_tags_to_resource(ResourceName=arn, Tags=[{"Key": "ManagedBy", "Value": "shoplake"}])

    kept = {kept.address.split()[0]: kept.reason for kept in plan_destroy(desired, aws).kept}
    assert kept["rds_instance"] == "it holds data, and deleting data was not asked for"
    assert {"rds_subnet_group", "rds_parameter_group", "kms_key", "vpc"} <= kept.keys()
    apply(plan_destroy(desired, aws, delete_data=True), aws)
    assert rds.describe_db_instances()["DBInstances"] == []
