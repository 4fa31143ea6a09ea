"""A disk without room stops the replicator with the next step, and costs nothing."""

import pytest


@pytest.mark.parametrize("file_bytes", [0, 600, 20_000], ids=["no file at all", "no state", "no file of the cut"])
def test_it_stops_by_name_and_goes_on_exactly_once_there_is_room(rig, file_bytes):
    rig.sql("CREATE TABLE t (id int PRIMARY KEY, v varchar(200))")
    rig.sql(*(f"INSERT INTO t VALUES ({key}, REPEAT('x', 200))" for key in range(5)))
    rig.load()
    rig.sql(*(f"INSERT INTO t VALUES ({key}, UUID())" for key in range(5, 900)))
    done = rig.process("--until-marker", rig.mark(), file_bytes=file_bytes)
    assert done.returncode == 4, done.stderr
    assert "no room to write" in done.stderr
    assert str(rig.folder / "state") in done.stderr
    assert "make room on that disk, then do this again" in done.stderr
    assert "Traceback" not in done.stderr
    rig.sql("UPDATE t SET v = 'after' WHERE id = 3")
    rig.catch_up()
    rig.assert_exact("t")
