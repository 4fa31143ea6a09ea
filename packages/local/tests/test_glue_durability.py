"""The catalogue against a plain dictionary, over reopenings and kills, and under writers that race."""

import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from tempfile import mkdtemp

from hypothesis import given, settings
from hypothesis import strategies as st
from shoplake_core.clock import SkipClock
from shoplake_local.glue.service import GlueService
from shoplake_local.service import ServiceError


def _service(folder):
    clock = SkipClock(datetime(2026, 11, 25, tzinfo=UTC))
    return GlueService(folder / "glue.sqlite", account="000000000000", region="eu-central-1", clock=clock)


NAMES = st.sampled_from(["a", "b"])
OPERATIONS = st.lists(
    st.one_of(
        st.tuples(st.just("create"), NAMES, st.integers(0, 9)),
        st.tuples(
            st.just("update"), NAMES, st.integers(0, 9), st.sampled_from(["right", "stale", "none"]), st.booleans()
        ),
        st.tuples(st.just("delete"), NAMES),
        st.tuples(st.just("reopen")),
    ),
    max_size=25,
)


class Oracle:
    """Name -> (version, value, archived versions): what each call does, and the error that it must answer."""

    def __init__(self):
        self.tables = {}

    def create(self, name, value):
        call = ("CreateTable", {"DatabaseName": "d", "TableInput": _table(name, value)})
        if name in self.tables:
            return call, "AlreadyExistsException"
        self.tables[name] = (0, value, {})
        return call, None

    def update(self, name, value, version, skip):
        parameters = {"DatabaseName": "d", "TableInput": _table(name, value), "SkipArchive": skip}
        current, before, archived = self.tables.get(name, (0, 0, {}))
        if version != "none":
            parameters["VersionId"] = str(current if version == "right" else current + 7)
        call = ("UpdateTable", parameters)
        if name not in self.tables:
            return call, "EntityNotFoundException"
        if version == "stale":
            return call, "ConcurrentModificationException"
        self.tables[name] = (current + 1, value, archived if skip else archived | {current: before})
        return call, None

    def delete(self, name):
        call = ("DeleteTable", {"DatabaseName": "d", "Name": name})
        return call, None if self.tables.pop(name, None) else "EntityNotFoundException"


@settings(max_examples=60, deadline=None)
@given(OPERATIONS)
def test_any_history_gives_what_a_dictionary_gives(operations):
    """Refusals by AWS's names, versions counted, and reopening forgets nothing."""
    folder = Path(mkdtemp(prefix="shoplake-glue-", dir="/dev/shm" if Path("/dev/shm").is_dir() else None))
    service = _service(folder)
    oracle = Oracle()
    try:
        service.call("CreateDatabase", {"DatabaseInput": {"Name": "d"}})
        for kind, *rest in operations:
            if kind == "reopen":
                service.close()
                service = _service(folder)
                continue
            call, error = getattr(oracle, kind)(*rest)
            assert _error_of(service, *call) == error
        found = service.call("GetTables", {"DatabaseName": "d"})["TableList"]
        assert {t["Name"]: (int(t["VersionId"]), _value(t)) for t in found} == {
            n: t[:2] for n, t in oracle.tables.items()
        }
        for name, (version, value, archived) in oracle.tables.items():
            versions = service.call("GetTableVersions", {"DatabaseName": "d", "TableName": name})["TableVersions"]
            assert {int(v["VersionId"]): _value(v["Table"]) for v in versions} == archived | {version: value}
    finally:
        service.close()
        shutil.rmtree(folder, ignore_errors=True)


def _error_of(service, operation, parameters):
    """The code of the error that the call answers; None where it succeeds."""
    try:
        service.call(operation, parameters)
    except ServiceError as error:
        return error.code
    return None


def _table(name, value):
    return {"Name": name, "Parameters": {"value": str(value)}}


def _value(table):
    return int(table["Parameters"]["value"])


def test_racing_writers_count_exactly_their_successes(tmp_path):
    """Read, add one, write back if unchanged: the counter ends at the number of writes that were acknowledged."""
    service = _service(tmp_path)
    service.call("CreateDatabase", {"DatabaseInput": {"Name": "d"}})
    service.call("CreateTable", {"DatabaseName": "d", "TableInput": _table("t", 0)})

    def add(_):
        errors = []
        for _ in range(20):
            table = service.call("GetTable", {"DatabaseName": "d", "Name": "t"})["Table"]
            update = {
                "DatabaseName": "d",
                "TableInput": _table("t", _value(table) + 1),
                "VersionId": table["VersionId"],
                "SkipArchive": True,
            }
            errors.append(_error_of(service, "UpdateTable", update))
        return errors

    with ThreadPoolExecutor(8) as pool:
        errors = [error for answers in pool.map(add, range(8)) for error in answers]
    assert set(errors) <= {None, "ConcurrentModificationException"}
    table = service.call("GetTable", {"DatabaseName": "d", "Name": "t"})["Table"]
    assert _value(table) == int(table["VersionId"]) == errors.count(None)
    service.close()


WRITER = """
import os, sys
from datetime import UTC, datetime
from pathlib import Path
from shoplake_core.clock import SkipClock
from shoplake_local.glue.service import GlueService
s = GlueService(Path(sys.argv[1]) / "glue.sqlite", account="0", region="r", clock=SkipClock(datetime(2026, 1, 1, tzinfo=UTC)))
for number in range(1, 100_000):
    s.call("UpdateTable", {"DatabaseName": "d", "TableInput": {"Name": "t", "Parameters": {"value": str(number)}}, "SkipArchive": True})
    os.write(1, b"%d\\n" % number)
"""


def test_an_acknowledged_update_survives_kill_9(tmp_path):
    """A writer that says what was acknowledged, killed amid its work: the catalogue holds that update or the next."""
    service = _service(tmp_path)
    service.call("CreateDatabase", {"DatabaseInput": {"Name": "d"}})
    service.call("CreateTable", {"DatabaseName": "d", "TableInput": _table("t", 0)})
    service.close()
    for _ in range(3):
        writer = subprocess.Popen([sys.executable, "-c", WRITER, str(tmp_path)], stdout=subprocess.PIPE)
        lines = [writer.stdout.readline() for _ in range(40)]
        writer.kill()
        lines += writer.stdout.readlines()
        writer.wait()
        acknowledged = int(lines[-1])
        service = _service(tmp_path)
        table = service.call("GetTable", {"DatabaseName": "d", "Name": "t"})["Table"]
        assert _value(table) in {acknowledged, acknowledged + 1}
        service.close()
