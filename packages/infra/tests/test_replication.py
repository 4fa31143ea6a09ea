"""Replication on the local AWS, from nothing to a task that runs on a real MySQL and a real S3."""

import json
from dataclasses import replace

import pymysql
import pytest
from shoplake_core.errors import ResourceError
from shoplake_core.names import LOCAL_ACCOUNT, ResourceNames, RoleName
from shoplake_engines.testing import mysql_server  # noqa: F401
from shoplake_infra.applying import apply
from shoplake_infra.network import NetworkSettings, desired_network
from shoplake_infra.planning import plan, plan_destroy
from shoplake_infra.policies import RolePolicies
from shoplake_infra.replication import ReplicationParts, ReplicationSettings, desired_replication
from shoplake_infra.resource import Ref
from shoplake_infra.resources.bucket import bucket
from shoplake_infra.resources.dms_instance import ReplicationMachine
from shoplake_infra.resources.kms_key import kms_key
from shoplake_infra.resources.role import role
from shoplake_infra.resources.secret import Login, login_secret
from shoplake_mysql.marker import ensure_marker_table

NAMES = ResourceNames("repl", LOCAL_ACCOUNT, "eu-central-1")
NAME = "shoplake-repl"
TAGS = {"Project": "shop", "Environment": "repl", "ManagedBy": "shoplake"}
SCHEMA, USER = "infra_repl", "infra_repl"
SETTINGS = ReplicationSettings(source_schema=SCHEMA, tables=("orders",), flush_interval_seconds=1)
DMS_KINDS = ("dms_task", "dms_connection", "dms_endpoint", "dms_instance", "dms_subnet_group")


@pytest.fixture
def on_local(on_local, calls):
    for service in ("database-migration-service", "iam"):
        on_local.session.events.register(f"after-call.{service}.*", calls.answered)
    return on_local


@pytest.fixture(scope="module")
def around(mysql_server):  # noqa: F811 - pytest's way to take a fixture
    at = mysql_server.endpoint
    network = desired_network(NAMES, NetworkSettings(interface_services=()), tags=TAGS)
    key = kms_key(NAME, account=LOCAL_ACCOUNT, description="", tags=TAGS)
    replicator = role(
        NAMES.role(RoleName.REPLICATION),
        services=("dms.amazonaws.com", f"dms.{NAMES.region}.amazonaws.com"),
        statements=RolePolicies(NAMES, key).statements(RoleName.REPLICATION),
        tags=TAGS,
    )
    login = Login(host=at.host, port=at.port, username=USER)
    secret = login_secret(NAMES.source_secret, login=login, description="", key=key, tags=TAGS)
    bronze = bucket(NAMES.bronze_bucket, key=key, tags=TAGS, lifecycle=(), tls_only=False)
    parts = ReplicationParts(
        subnets=network.subnets,
        security_groups=(network.workers,),
        key=key,
        role=replicator,
        source_secret=secret,
        bronze=bronze,
    )
    return (network.vpc, *network.subnets, network.workers, key, replicator, secret, bronze), parts


@pytest.fixture
def desired_with(around, source, on_local):
    """Replication alone: what it stands on is there, and read once a test."""
    others, parts = around
    there = plan(others, on_local).attributes

    def known(value):
        if isinstance(value, Ref):
            return there[value.address][value.attribute] if value.address in there else value
        if isinstance(value, dict):
            return {name: known(member) for name, member in value.items()}
        return value

    def desired(settings=SETTINGS):
        return tuple(
            replace(
                one, properties=known(one.properties), depends_on=tuple(a for a in one.depends_on if a not in there)
            )
            for one in desired_replication(NAMES, settings, parts=parts, tags=TAGS)
        )

    return desired


@pytest.fixture
def source(mysql_server, around, on_local):  # noqa: F811 - pytest's way to take a fixture
    """The schema and a user; gives a function that sets its password, to the secret's own for none."""
    others, _ = around
    apply(plan(others, on_local), on_local)
    secret = on_local.client("secretsmanager").get_secret_value(SecretId=NAMES.source_secret)["SecretString"]
    at = mysql_server.endpoint
    with pymysql.connect(host=at.host, port=at.port, user=at.user, password=at.password, autocommit=True) as connection:
        cursor = connection.cursor()
        cursor.execute(f"CREATE DATABASE IF NOT EXISTS {SCHEMA}")
        cursor.execute(f"CREATE TABLE IF NOT EXISTS {SCHEMA}.orders (id INT PRIMARY KEY, total DECIMAL(10,2))")
        ensure_marker_table(connection)
        cursor.execute(f"CREATE USER IF NOT EXISTS {USER}@'%'")
        cursor.execute(f"GRANT ALL ON *.* TO {USER}@'%'")

        def set_password(password=""):
            password = password or json.loads(secret)["password"]
            cursor.execute(f"ALTER USER {USER}@'%%' IDENTIFIED BY %s", (password,))

        set_password()
        yield set_password


@pytest.fixture
def dms(on_local, source, desired_with):
    """The client; what a test leaves is taken away, and the network stays for the next one."""
    client = on_local.client("dms")
    yield client
    take_away(on_local, desired_with())
    assert ours(client.describe_replication_tasks()["ReplicationTasks"], "ReplicationTaskIdentifier") == []
    assert ours(subnet_groups(client), "ReplicationSubnetGroupIdentifier") == []
    assert on_local.client("iam").get_role(RoleName="dms-vpc-role"), "it is the account's"


def ours(found, name):
    """Those of this environment: the local AWS is shared with other tests."""
    return [one for one in found if one[name].startswith(NAME)]


def subnet_groups(dms):
    return dms.describe_replication_subnet_groups()["ReplicationSubnetGroups"]


def take_away(aws, desired):
    destroyed = plan_destroy(desired, aws)
    changes = tuple(change for change in destroyed.changes if change.resource.kind in DMS_KINDS)
    apply(replace(destroyed, changes=changes), aws)


def changed(desired, aws):
    return {
        f"{c.resource.kind} {c.resource.name.removeprefix(f'{NAME}-')}": [".".join(x.path) for x in c.changes]
        for c in plan(desired, aws).changes
    }


def task_of(dms):
    filters = [{"Name": "replication-task-id", "Values": [NAMES.replication_task]}]
    return dms.describe_replication_tasks(Filters=filters)["ReplicationTasks"][0]


def wait_for(aws, dms, *states):
    for _ in range(600):
        if task_of(dms)["Status"] in states:
            return
        aws.clock.sleep(0.1)
    raise AssertionError(task_of(dms))


def test_it_is_made_ready_to_start_mended_and_goes_on_running_over_a_change(on_local, calls, dms, desired_with):
    desired = desired_with()
    apply(plan(desired, on_local), on_local)
    calls.reset()
    assert plan(desired, on_local).lines() == ("no changes",)
    assert calls.writes == []
    task = task_of(dms)
    arn = task["ReplicationTaskArn"]
    assert task["Status"] == "ready", "a run starts it"
    tags = {tag["Key"]: tag["Value"] for tag in dms.list_tags_for_resource(ResourceArn=arn)["TagList"]}
    assert tags["Environment"] == "repl", "runs may start it by that"

    _change_by_hand(dms, task)
    wait_for(on_local, dms, "ready")
    seen = changed(desired, on_local)
    assert seen.pop("dms_subnet_group replication")[0].startswith("subnets.")
    assert {path for path in seen.pop("dms_instance replication") if path != "state"} == {"multi_az", "storage_gib"}
    assert seen.pop("dms_endpoint bronze") == ["settings.CompressionType"]
    assert seen.pop("dms_task bronze") == ["settings.Logging.EnableLogging"]
    assert set(seen) <= {"dms_connection bronze"}, "DMS tests it again by itself"
    apply(plan(desired, on_local), on_local)
    assert changed(desired, on_local) == {}

    dms.start_replication_task(ReplicationTaskArn=arn, StartReplicationTaskType="start-replication")
    wait_for(on_local, dms, "running")
    other = desired_with(replace(SETTINGS, largest_value_kilobytes=128, minimum_file_kilobytes=16_000))
    planned = plan(other, on_local)
    assert [".".join(change.path) for c in planned.changes for change in c.changes] == [
        "settings.CdcMinFileSize",
        "settings.TargetMetadata.LobMaxSize",
    ]
    calls.reset()
    apply(planned, on_local)
    stop, start = "dms:StopReplicationTask", "dms:StartReplicationTask"
    assert calls.writes == [stop, "dms:ModifyEndpoint", start, stop, "dms:ModifyReplicationTask", start]
    wait_for(on_local, dms, "running")


def _change_by_hand(dms, task):
    settings = {"FullLoadSettings": {"TargetTablePrepMode": "DO_NOTHING"}, "Logging": {"EnableLogging": False}}
    settings["TargetMetadata"] = {"ParallelLoadThreads": 2}  # none of ours
    dms.modify_replication_task(
        ReplicationTaskArn=task["ReplicationTaskArn"], ReplicationTaskSettings=json.dumps(settings)
    )
    dms.modify_endpoint(EndpointArn=task["TargetEndpointArn"], S3Settings={"CompressionType": "gzip"})
    dms.modify_replication_instance(
        ReplicationInstanceArn=task["ReplicationInstanceArn"], AllocatedStorage=60, MultiAZ=True
    )
    (group,) = ours(subnet_groups(dms), "ReplicationSubnetGroupIdentifier")
    dms.modify_replication_subnet_group(
        ReplicationSubnetGroupIdentifier=group["ReplicationSubnetGroupIdentifier"],
        SubnetIds=[subnet["SubnetIdentifier"] for subnet in group["Subnets"]][:2],
    )


def test_an_apply_killed_anywhere_is_gone_on_with(on_local, calls, dms, source, desired_with):
    desired = desired_with()
    source("another")
    failures = []
    while (planned := plan(desired, on_local)).changes:  # each apply does one write and never hears of it
        tested = bool(failures) and "killed at TestConnection" in failures[-1]
        calls.reset(fail_at=2 if tested else 1, after=True)  # else no test would ever be waited for
        try:
            apply(planned, on_local)
        except ResourceError as error:
            failures.append(str(error))
            if "Access denied" in failures[-1]:
                source()
        assert len(failures) < 20
    calls.reset()
    killed = [failure.partition(" failed")[0] for failure in failures if "killed at" in failure]
    kinds = ("dms_subnet_group", "dms_instance", "dms_endpoint", "dms_connection", "dms_task")
    assert {failure.split()[1] for failure in killed} >= set(kinds)
    (told,) = (failure for failure in failures if "Access denied" in failure)
    assert told.startswith(f"dms_connection {NAME}-source failed: ")
    wait_for(on_local, dms, "ready")
    assert len(ours(dms.describe_replication_tasks()["ReplicationTasks"], "ReplicationTaskIdentifier")) == 1

    arn = task_of(dms)["ReplicationTaskArn"]
    calls.reset(fail_at=1, after=True)
    with pytest.raises(ResourceError, match="killed at DeleteReplicationTask"):
        take_away(on_local, desired)
    apply(plan(desired, on_local), on_local)  # regretted at once, while the task is going
    assert plan(desired, on_local).changes == ()
    assert task_of(dms)["ReplicationTaskArn"] != arn
    arn = task_of(dms)["ReplicationTaskArn"]
    dms.remove_tags_from_resource(ResourceArn=arn, TagKeys=["ManagedBy"])
    with pytest.raises(ResourceError, match=f"dms_task {NAMES.replication_task} exists and is not ours"):
        plan(desired, on_local)
    dms.add_tags_to_resource(ResourceArn=arn, Tags=[{"Key": "ManagedBy", "Value": "shoplake"}])
    larger = desired_with(replace(SETTINGS, machine=ReplicationMachine(class_name="dms.r6i.large")))
    assert changed(larger, on_local) == {"dms_instance replication": ["class"]}
