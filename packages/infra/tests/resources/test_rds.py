"""A database server with its groups, played by moto."""

from dataclasses import replace

import pytest
from moto.rds.models import RDSBackend
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


def test_what_was_changed_by_hand_is_set_again(aws, desired):
    apply(plan(desired, aws), aws)
    rds = aws.client("rds")
    rds.modify_db_parameter_group(
        DBParameterGroupName=NAME,
        Parameters=[{"ParameterName": "binlog_format", "ParameterValue": "MIXED", "ApplyMethod": "immediate"}],
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
    assert seen["rds_parameter_group"] == ["parameters.binlog_format"]
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


def test_an_apply_that_fails_before_any_of_its_calls_is_gone_on_with(aws, calls, desired):
    around, source = desired[:-4], desired[-4:]
    apply(plan(around, aws), aws)
    calls.reset()
    apply(plan(desired, aws), aws)
    number_of_writes = len(calls.writes)
    assert number_of_writes == 6
    for number in range(1, number_of_writes + 1):
        for after in (False, True):
            destroyed = plan_destroy(desired, aws, delete_data=True)
            apply(replace(destroyed, changes=destroyed.changes[: len(source)]), aws)
            calls.reset(fail_at=number, after=after)
            with pytest.raises(ResourceError, match="apply again"):
                apply(plan(desired, aws), aws)
            apply(plan(desired, aws), aws)
            assert plan(desired, aws).changes == ()


def test_a_destroy_leaves_the_server_and_what_it_needs_unless_its_data_shall_go(aws, desired):
    apply(plan(desired, aws), aws)
    kept = {kept.address.split()[0]: kept.reason for kept in plan_destroy(desired, aws).kept}
    assert kept["rds_instance"] == "it holds data, and deleting data was not asked for"
    assert {"rds_subnet_group", "rds_parameter_group", "kms_key", "vpc"} <= kept.keys()
    apply(plan_destroy(desired, aws, delete_data=True), aws)
    assert aws.client("rds").describe_db_instances()["DBInstances"] == []


@pytest.mark.parametrize("kind", ["rds_subnet_group", "rds_parameter_group", "rds_instance"])
def test_one_that_is_not_ours_is_refused(aws, desired, kind):
    apply(plan(desired, aws), aws)
    rds = aws.client("rds")
    (mine,) = (resource for resource in desired if resource.kind == kind)
    arn = {"rds_subnet_group": "subgrp", "rds_parameter_group": "pg", "rds_instance": "db"}[kind]
    rds.remove_tags_from_resource(
        ResourceName=f"arn:aws:rds:eu-central-1:{NAMES.account}:{arn}:{mine.name}", TagKeys=["ManagedBy"]
    )
    with pytest.raises(ResourceError, match=f"{kind} {mine.name} exists and is not ours"):
        plan(desired, aws)


def test_another_key_would_replace_the_server_and_is_refused(aws, desired):
    apply(plan(desired, aws), aws)
    moved = tuple(
        replace(r, properties={**r.properties, "kms_key": "arn:aws:kms:eu-central-1:123456789012:key/x"})
        if r.kind == "rds_instance"
        else r
        for r in desired
    )
    with pytest.raises(ResourceError, match="holds data and would have to be replaced: AWS cannot change its kms_key"):
        plan(moved, aws)
