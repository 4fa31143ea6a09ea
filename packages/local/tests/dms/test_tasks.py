"""A replication task from its start to its end, on a real MySQL and a real S3."""

import os
import signal
import time

import psutil

from .conftest import BUCKET, SCHEMA, SECRET, USER, mappings


def _runs(pid):
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE  # an orphan, where nobody reaps it
    except psutil.NoSuchProcess:
        return False


def _kill(*pids):
    for pid in pids:
        os.kill(pid, signal.SIGKILL)
    until = time.monotonic() + 10
    while any(_runs(pid) for pid in pids):
        assert time.monotonic() < until
        time.sleep(0.01)


def test_a_task_starts_once_its_connections_were_tested(laptop):
    start = {"ReplicationTaskArn": laptop.task, "StartReplicationTaskType": "start-replication"}
    assert "Test connection" in laptop.refused("InvalidResourceStateFault", "start_replication_task", **start)
    assert laptop.dms.describe_table_statistics(ReplicationTaskArn=laptop.task)["TableStatistics"] == []
    laptop.may_write(False)
    laptop.set_password("other")
    failed = laptop.test_connections()
    assert {one["Status"] for one in failed.values()} == {"failed"}
    assert f"as {USER}: Access denied" in failed[laptop.source]["LastFailureMessage"]
    assert "AccessDenied" in failed[laptop.target]["LastFailureMessage"]
    laptop.may_write(True)
    laptop.set_password("first")
    assert {one["Status"] for one in laptop.test_connections().values()} == {"successful"}
    assert laptop.objects() == []  # the object of the test is deleted
    only = {"ReplicationTaskArn": laptop.task, "StartReplicationTaskType": "resume-processing"}
    assert "RESUME_PROCESSING" in laptop.refused("InvalidResourceStateFault", "start_replication_task", **only)


def test_tables_are_loaded_and_followed_and_one_in_error_says_why(running):
    task, found = running.described(), running.statistics()
    states = {name: (one["TableState"], one["FullLoadRows"]) for name, one in found.items()}
    assert states == {
        "customers": ("Table completed", 3),
        "orders": ("Table completed", 1),
        "notes": ("Table error", 0),
    }
    stats = task["ReplicationTaskStats"]
    assert (stats["TablesLoaded"], stats["TablesErrored"], stats["FullLoadProgressPercent"]) == (2, 1, 100)
    assert f"{SCHEMA}.notes: {SCHEMA}.notes has no primary key" in task["LastFailureMessage"]
    running.sql(
        f"INSERT INTO {SCHEMA}.customers VALUES (4, 'Bob')",
        f"UPDATE {SCHEMA}.customers SET name = 'Ann' WHERE id = 1",
        f"DELETE FROM {SCHEMA}.customers WHERE id = 2",
    )
    counters = ("Inserts", "Updates", "Deletes")
    running.tables(lambda now: [now["customers"][name] for name in counters] == [1, 1, 1])
    assert len([key for key in running.objects() if key.startswith(f"{SCHEMA}/customers/LOAD")]) == 1


def test_a_table_is_loaded_anew(running):
    running.sql(f"ALTER TABLE {SCHEMA}.notes ADD PRIMARY KEY (id)", f"INSERT INTO {SCHEMA}.notes VALUES (1, 'x')")
    tables = [{"SchemaName": SCHEMA, "TableName": name} for name in ("notes", "orders")]
    running.dms.reload_tables(ReplicationTaskArn=running.task, TablesToReload=tables)
    found = running.tables(
        lambda now: all(
            one["FullLoadReloaded"] and one["TableState"] == "Table completed"
            for name, one in now.items()
            if name != "customers"
        )
    )
    assert (found["notes"]["FullLoadRows"], found["customers"]["FullLoadReloaded"]) == (1, False)
    assert "LastFailureMessage" not in running.described()
    unknown = [{"SchemaName": SCHEMA, "TableName": "none"}]
    running.refused(
        "InvalidResourceStateFault", "reload_tables", ReplicationTaskArn=running.task, TablesToReload=unknown
    )


def test_a_running_task_and_what_it_uses_stay_as_they_are(running):
    task = {"ReplicationTaskArn": running.task}
    start = {**task, "StartReplicationTaskType": "resume-processing"}
    assert running.refused("InvalidResourceStateFault", "start_replication_task", **start).endswith("state: running")
    running.refused("InvalidResourceStateFault", "modify_replication_task", **task, TableMappings=mappings("orders"))
    running.refused("InvalidResourceStateFault", "delete_replication_task", **task)
    for arn in (running.source, running.target):
        running.refused("InvalidResourceStateFault", "modify_endpoint", EndpointArn=arn, EndpointIdentifier="other")
        running.refused("InvalidResourceStateFault", "delete_endpoint", EndpointArn=arn)
    instance = {"ReplicationInstanceArn": running.instance}
    running.refused("InvalidResourceStateFault", "delete_replication_instance", **instance)
    group = {"ReplicationSubnetGroupIdentifier": "shop"}
    running.refused("InvalidResourceStateFault", "delete_replication_subnet_group", **group)


def test_the_replicator_outlives_a_killed_front_and_is_found_again(running):
    arn, replicator = running.task, running.pid()
    _kill(running.front.status().pid)
    running.sql(f"INSERT INTO {SCHEMA}.orders VALUES (2, 1.00)")
    running.up()
    assert running.described()["Status"] == "running"
    assert (running.pid(), running.described()["ReplicationTaskArn"]) == (replicator, arn)
    running.tables(lambda now: now["orders"]["Inserts"] == 1)


def test_a_killed_replicator_is_a_failed_task_that_resumes_exactly(running):
    _kill(running.pid())
    failed = running.task_is("failed")
    assert failed["StopReason"].startswith("Stop Reason FATAL_ERROR")
    assert "ended without saying why" in failed["LastFailureMessage"]
    start = {"ReplicationTaskArn": running.task, "StartReplicationTaskType": "start-replication"}
    message = running.refused("InvalidResourceStateFault", "start_replication_task", **start)
    assert message == "Start Type : START_REPLICATION, valid only for tasks running for the first time"
    loads = [key for key in running.objects() if "LOAD" in key]
    inserts = running.statistics()["orders"]["Inserts"]
    running.sql(f"INSERT INTO {SCHEMA}.orders VALUES (3, 2.00)")
    assert "LastFailureMessage" not in running.start()
    running.tables(lambda now: now["orders"]["Inserts"] == inserts + 1)
    assert [key for key in running.objects() if "LOAD" in key] == loads


def test_a_laptop_that_was_shut_goes_on_by_itself(running):
    replicator = running.pid()
    _kill(running.front.status().pid)  # also where the front is gone, its replicators end with `down`
    assert running.front.down()
    assert not _runs(replicator)
    running.up()
    assert running.described()["Status"] in {"starting", "running"}
    running.task_is("running")
    assert running.pid() != replicator


def test_a_rotated_secret_is_read_at_the_next_start(running):
    running.set_password("second")
    threads = running.sql(f"SELECT ID FROM information_schema.PROCESSLIST WHERE USER = '{USER}'")
    running.sql(*(f"KILL {row[0]}" for row in threads))
    assert "Access denied" in running.task_is("failed")["LastFailureMessage"]
    running.client("secretsmanager").put_secret_value(SecretId=SECRET, SecretString=running.secret_text())
    running.start()
    config = next((running.folder / "front" / "state" / "dms").glob("*/config.json"))
    assert "second" not in config.read_text("utf-8")


def test_a_role_without_rights_on_the_bucket_fails_the_task(running):
    running.may_write(False)
    running.sql(f"INSERT INTO {SCHEMA}.orders VALUES (10, 2.00)")
    failed = running.task_is("failed")
    assert "AccessDenied" in failed["LastFailureMessage"]
    assert BUCKET in failed["LastFailureMessage"]
    running.may_write(True)
    running.start()
    running.tables(lambda now: now["orders"]["Inserts"] >= 1)


def test_a_stopped_task_may_be_changed_loaded_anew_and_deleted(running):
    task = {"ReplicationTaskArn": running.task}
    assert running.dms.stop_replication_task(**task)["ReplicationTask"]["Status"] == "stopping"
    running.wait("replication_task_stopped", "replication-task-arn", running.task)
    assert running.described()["StopReason"] == "Stop Reason NORMAL"
    reload = {**task, "TablesToReload": [{"SchemaName": SCHEMA, "TableName": "orders"}]}
    running.refused("InvalidResourceStateFault", "reload_tables", **reload)
    changed = running.dms.modify_replication_task(**task, TableMappings=mappings("customers", "orders"))
    assert changed["ReplicationTask"]["Status"] == "modifying"
    running.refused("InvalidResourceStateFault", "delete_replication_task", **task)
    running.task_is("stopped")
    settings = {"CdcMaxBatchInterval": 2}
    running.dms.modify_endpoint(EndpointArn=running.target, S3Settings=settings)
    assert running.connection(running.target)["Status"] == "successful"  # tested again by itself
    endpoint = running.dms.describe_endpoints(Filters=[{"Name": "endpoint-arn", "Values": [running.target]}])
    assert endpoint["Endpoints"][0]["S3Settings"]["BucketName"] == BUCKET
    loads = [key for key in running.objects() if "/LOAD" in key]
    running.start("reload-target")
    running.until(
        lambda: {key.rpartition("/")[0] for key in running.objects() if "/LOAD" in key and key not in loads},
        lambda found: found == {f"{SCHEMA}/customers", f"{SCHEMA}/orders"},
    )
    running.dms.stop_replication_task(**task)
    running.task_is("stopped")
    assert running.dms.delete_replication_task(**task)["ReplicationTask"]["Status"] == "deleting"
    running.wait("replication_task_deleted", "replication-task-arn", running.task)
    running.dms.delete_endpoint(EndpointArn=running.source)
    running.wait("endpoint_deleted", "endpoint-arn", running.source)
    running.dms.delete_replication_instance(ReplicationInstanceArn=running.instance)
    running.wait("replication_instance_deleted", "replication-instance-arn", running.instance)
    running.dms.delete_replication_subnet_group(ReplicationSubnetGroupIdentifier="shop")
    assert running.dms.describe_connections()["Connections"] == []
