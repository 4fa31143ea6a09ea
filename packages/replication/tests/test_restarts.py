"""A replicator that dies anywhere and starts again has lost nothing, and doubled nothing under another name."""

import json

import pytest
from botocore.exceptions import ClientError
from shoplake_core.errors import ConfigError
from shoplake_replication.bronze_aws import S3Bronze, sha256_of
from shoplake_replication.config import S3Target
from shoplake_replication.errors import BronzeUnreachableError, LineageError, OverwriteError, TakenOverError
from shoplake_replication.failpoints import Step
from shoplake_replication.state import load_state, save_state

LOAD_STEPS = [step for step in Step if "load" in step.value or "epoch" in step.value]
CHANGE_STEPS = [step for step in Step if step not in LOAD_STEPS]


def _table(rig):
    rig.sql("CREATE TABLE t (id int PRIMARY KEY, v varchar(20))", "INSERT INTO t VALUES (1, 'a'), (2, 'b'), (3, 'c')")


def _changes(rig, round_number):
    rig.sql(
        f"INSERT INTO t VALUES ({10 + round_number}, 'new')",
        f"UPDATE t SET v = 'round {round_number}' WHERE id = 1",
        f"UPDATE t SET id = {100 + round_number} WHERE id = (SELECT MIN(id) FROM (SELECT id FROM t WHERE id > 1) x)",
        "DELETE FROM t WHERE id = 3",
    )


@pytest.mark.parametrize("step", LOAD_STEPS, ids=lambda step: step.value)
def test_killed_in_a_load(rig, step):
    _table(rig)
    assert rig.killed_at(step.value, rig.mark())
    _changes(rig, 1)
    rig.catch_up()
    rig.assert_exact("t")
    listed = [file.name for record in rig.epochs("t") for file in record.files]
    assert len(listed) == len(set(listed))


@pytest.mark.parametrize("step", CHANGE_STEPS, ids=lambda step: step.value)
def test_killed_in_a_cut(rig, step):
    _table(rig)
    rig.load()
    _changes(rig, 1)
    assert rig.killed_at(step.value, rig.mark())
    before = {key: rig.get(key) for key in rig.files("t")}
    _changes(rig, 2)
    rig.catch_up()
    rig.assert_exact("t")
    assert {key: rig.get(key) for key in before} == before
    names = [key for key in rig.files("t") if "LOAD" not in key]
    rows = [row["_sequence"] for key in names for row in rig.parquet(key).to_pylist()]
    assert rows == sorted(set(rows)), "files in the order of their names hold each change once, in binlog order"


def test_position_of_a_transaction_is_saved_only_at_its_end(rig):
    """CDC-04: fifty rows in one transaction, cut as small as can be, and killed after the first file."""
    rig.settings["CdcMinFileSize"] = 1
    rig.sql("CREATE TABLE t (id int PRIMARY KEY, v varchar(2000))")
    rig.load()
    rig.connection.begin()
    for key in range(50):
        rig.sql(f"INSERT INTO t VALUES ({key}, repeat('x', 2000))")
    rig.connection.commit()
    assert rig.killed_at("after-change-put", rig.mark())
    rig.catch_up()
    rig.assert_exact("t")


def test_second_replicator_on_one_state_folder_is_refused(rig):
    _table(rig)
    rig.load()
    with rig.running():
        rig.wait_streaming()
        with pytest.raises(TakenOverError, match="uses the state folder"):
            rig.load()


def test_second_replicator_with_the_same_server_id_is_refused(rig, tmp_path):
    """CDC-14."""
    _table(rig)
    rig.extra["server_id"] = 4711
    with rig.running():
        rig.wait_streaming()
        rig.wait(lambda: _registered(rig, 4711))
        other = type(rig)(**{**rig.__dict__, "folder": tmp_path / "other"})
        (tmp_path / "other").mkdir()
        with pytest.raises(TakenOverError, match="server_id 4711 is in use"):
            other.load()


def _registered(rig, server_id):
    from shoplake_mysql.connections import fetch_all

    return server_id in {int(row[0]) for row in fetch_all(rig.connection, "SHOW SLAVE HOSTS")}


def test_another_servers_position_is_refused_until_reload(rig):
    """CDC-06: the saved position looks as if it were reached already."""
    _table(rig)
    rig.load()
    state = load_state(rig.folder / "state")
    state.lineage = "00000000-another-server"
    save_state(rig.folder / "state", state)
    rig.sql("INSERT INTO t VALUES (11, 'eleven')")
    with pytest.raises(LineageError, match="another-server"):
        rig.catch_up()
    assert rig.status()["state"] == "failed"
    assert rig.status()["error"]["code"] == "BINLOG_LINEAGE"
    assert rig.process(command="reload").returncode == 0
    rig.catch_up()
    rig.assert_exact("t")
    first, second = rig.epochs("t")
    assert second.sequence_floor > first.sequence_floor


def test_a_reset_servers_binlog_of_the_same_name_is_refused(rig):
    """CDC-06: same lineage row (it came with the backup), same file name, another file."""
    _table(rig)
    rig.load()
    rig.catch_up()
    state = load_state(rig.folder / "state")
    assert state.file_created > 0
    state.file_created -= 3600
    save_state(rig.folder / "state", state)
    with pytest.raises(LineageError, match="reset or restored"):
        rig.catch_up()


def test_object_with_other_content_is_never_overwritten(rig):
    _table(rig)
    rig.load()
    _changes(rig, 1)
    assert rig.killed_at("before-change-put", rig.mark())
    cut = json.loads((rig.folder / "state" / "cut.json").read_text())
    rig.s3.put_object(Bucket=rig.bucket, Key=cut["files"][0]["key"], Body=b"somebody else's")
    with pytest.raises(OverwriteError, match=r"is there already"):
        rig.catch_up()


def test_a_file_put_before_a_kill_is_known_again_by_a_role_that_may_not_read(rig, aws_variables, tmp_path):
    """DMS's documented role puts, lists and deletes: HeadObject is refused to it."""
    bronze = S3Bronze(S3Target(bucket=rig.bucket, endpoint_url=rig.aws.url, region=rig.aws.region))

    def refuse(**_):
        raise ClientError({"Error": {"Code": "403", "Message": "Forbidden"}}, "HeadObject")

    bronze._client.head_object = refuse
    path = tmp_path / "file"
    path.write_bytes(b"rows" * 3_000_000)
    assert bronze.put_file("again/file", path, sha256_of(path)) == bronze.put_file("again/file", path, sha256_of(path))
    assert bronze.put_text("again/text", "{}") == bronze.put_text("again/text", "{}")
    path.write_bytes(b"other rows")
    with pytest.raises(OverwriteError, match="is there already, with other content"):
        bronze.put_file("again/file", path, sha256_of(path))


def test_broken_state_is_refused(rig):
    _table(rig)
    rig.load()
    (rig.folder / "state" / "state.json").write_text("{}")
    with pytest.raises(ConfigError, match="no state of this replicator"):
        rig.catch_up()


def test_the_command_runs_reports_and_ends_on_sigterm(rig):
    _table(rig)
    run = rig.process("--until-marker", rig.mark())
    assert (run.returncode, run.stderr) == (0, "")
    status = json.loads(rig.process(command="status").stdout)
    assert status["state"] == "stopped"
    assert status["tables"][f"{rig.schema}.t"]["loaded_rows"] == 3


def test_the_command_dies_where_the_failpoint_says(rig):
    _table(rig)
    assert rig.process(failpoint="before-epoch-put").returncode == -9
    rig.catch_up()
    rig.assert_exact("t")


class _FailingBronze(S3Bronze):
    """S3 that does not answer now and then: before it took the file, and after."""

    calls = 0

    def put_file(self, key, path, sha256):
        type(self).calls += 1
        call = self.calls
        if call in {1, 2, 5}:
            raise BronzeUnreachableError("no answer")
        etag = super().put_file(key, path, sha256)
        if call in {3, 6}:
            raise BronzeUnreachableError("no answer, and the file is there")
        return etag


def test_an_outage_of_the_store_is_waited_for(rig):
    _table(rig)
    rig.load()
    _FailingBronze.calls = 0
    _changes(rig, 1)
    rig.replicator(bronze=_FailingBronze).run(until_marker=rig.mark())
    _changes(rig, 2)
    rig.replicator(bronze=_FailingBronze).run(until_marker=rig.mark())
    assert _FailingBronze.calls >= 7
    rig.assert_exact("t")
    names = [key for key in rig.files("t") if "LOAD" not in key]
    rows = [row["_sequence"] for key in names for row in rig.parquet(key).to_pylist()]
    assert rows == sorted(set(rows))


def test_store_that_is_not_there_is_named(aws_variables):
    bronze = S3Bronze(S3Target(bucket="b", endpoint_url="http://127.0.0.1:9", region="eu-central-1"))
    with pytest.raises(BronzeUnreachableError, match="s3://b/"):
        bronze.put_text("x", "y")
