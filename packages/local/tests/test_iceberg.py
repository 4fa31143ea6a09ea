"""Iceberg through pyiceberg's GlueCatalog: commits are kept, and of racing writers none loses its rows."""

import json
import shutil
import subprocess
import sys
import uuid

import psutil
import pyarrow as pa
import pytest
from pyiceberg.catalog.glue import GlueCatalog
from pyiceberg.exceptions import CommitFailedException, NoSuchTableError, TableAlreadyExistsError
from shoplake_engines.object_store_aws import create_buckets
from shoplake_engines.testing import temporary_state_folder
from shoplake_local.front_engine import FrontEngine

BUCKET = "iceberg-test"
SCHEMA = pa.schema([("id", pa.int64()), ("Name", pa.string())])


def properties(aws, object_store):
    return {
        "glue.endpoint": aws.url,
        "glue.region": aws.region,
        "glue.access-key-id": aws.access_key_id,
        "glue.secret-access-key": aws.secret_access_key,
        "s3.endpoint": object_store.url,
        "s3.region": object_store.region,
        "s3.access-key-id": object_store.access_key_id,
        "s3.secret-access-key": object_store.secret_access_key,
    }


@pytest.fixture
def catalog(local_aws):
    create_buckets(local_aws.object_store, [BUCKET])
    return GlueCatalog("local", **properties(local_aws.endpoint, local_aws.object_store))


@pytest.fixture
def table(catalog):
    namespace = f"n_{uuid.uuid4().hex[:10]}"
    catalog.create_namespace(namespace)
    return catalog.create_table(f"{namespace}.orders", schema=SCHEMA, location=f"s3://{BUCKET}/{namespace}/orders")


def _rows(*numbers):
    return pa.table({"id": list(numbers), "Name": [str(n) for n in numbers]}, schema=SCHEMA)


def _ids(catalog, table):
    return sorted(catalog.load_table(table.name()).scan().to_arrow()["id"].to_pylist())


def test_create_append_read_list_drop(catalog, table):
    table.append(_rows(1, 2))
    table.append(_rows(3))
    assert _ids(catalog, table) == [1, 2, 3]
    namespace, name = table.name()
    assert catalog.list_tables(namespace) == [(namespace, name)]
    with pytest.raises(TableAlreadyExistsError):
        catalog.create_table((namespace, name), schema=SCHEMA, location=f"s3://{BUCKET}/again")
    catalog.rename_table((namespace, name), (namespace, "renamed"))
    with pytest.raises(NoSuchTableError):
        catalog.load_table((namespace, name))
    catalog.drop_table((namespace, "renamed"))
    catalog.drop_namespace(namespace)


def test_a_commit_from_a_stale_table_is_refused(catalog, table):
    """The optimistic check of the catalogue itself, without pyiceberg's retry: one of two equal updates wins."""
    stale = catalog.load_table(table.name())
    table.append(_rows(1))
    with pytest.raises(CommitFailedException):
        catalog.commit_table(stale, *_pending(stale, _rows(2)))
    assert _ids(catalog, table) == [1]


def test_a_commit_between_anothers_check_and_its_update_is_not_lost(local_aws, catalog, table):
    """The window that only the catalogue can close: the other writer has checked its requirements and sends its update."""
    other = GlueCatalog("other", **properties(local_aws.endpoint, local_aws.object_store))
    others_table = other.load_table(table.name())
    pending = []

    def commit_first(**_):
        if not pending:
            pending.append("once")
            catalog.load_table(table.name()).append(_rows(1))

    other.glue.meta.events.register("before-call.glue.UpdateTable", commit_first)
    with pytest.raises(CommitFailedException):
        other.commit_table(others_table, *_pending(others_table, _rows(2)))
    assert pending
    assert _ids(catalog, table) == [1]
    other.load_table(table.name()).append(_rows(2))
    assert _ids(catalog, table) == [1, 2]


def _pending(table, rows):
    """Requirements and updates of an append that has not been committed."""
    transaction = table.transaction()
    transaction.append(rows)
    return tuple(transaction._requirements), tuple(transaction._updates)


WRITER = """
import sys, json
import pyarrow as pa
from pyiceberg.catalog.glue import GlueCatalog
from pyiceberg.exceptions import CommitFailedException
properties, name, first = json.loads(sys.argv[1]), tuple(json.loads(sys.argv[2])), int(sys.argv[3])
catalog = GlueCatalog("local", **properties)
schema = pa.schema([("id", pa.int64()), ("Name", pa.string())])
print("ready", flush=True)
sys.stdin.readline()
lost = 0
for number in range(first, first + 6):
    rows = pa.table({"id": [number], "Name": [str(number)]}, schema=schema)
    for _ in range(40):
        try:
            catalog.load_table(name).append(rows)
            break
        except CommitFailedException:
            lost += 1
    else:
        raise SystemExit("never committed")
print(lost, flush=True)
"""


def test_no_commit_of_two_racing_writers_is_lost(local_aws, catalog, table):
    arguments = [json.dumps(properties(local_aws.endpoint, local_aws.object_store)), json.dumps(table.name())]
    writers = [
        subprocess.Popen(
            [sys.executable, "-c", WRITER, *arguments, first], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        for first in ("0", "100")
    ]
    for writer in writers:
        assert writer.stdout.readline() == "ready\n"
    for writer in writers:
        writer.stdin.write("go\n")
        writer.stdin.flush()
    for writer in writers:
        writer.communicate(timeout=120)
        assert writer.returncode == 0
    assert _ids(catalog, table) == [*range(6), *range(100, 106)]


def test_what_was_committed_survives_kill_9(local_aws):
    """A front of its own, killed after each commit: every acknowledged commit is there, under the same endpoint."""
    folder = temporary_state_folder()

    def engine():
        return FrontEngine(
            folder,
            object_store=local_aws.object_store,
            warehouse=local_aws.warehouse,
            region="eu-central-1",
            account="000000000000",
            preferred_port=0,
        )

    try:
        create_buckets(local_aws.object_store, [BUCKET])
        endpoint = engine().up()
        catalog = GlueCatalog("local", **properties(endpoint, local_aws.object_store))
        catalog.create_namespace("killed")
        location = f"s3://{BUCKET}/killed-{uuid.uuid4().hex[:8]}"
        table = catalog.create_table("killed.orders", schema=SCHEMA, location=location)
        for number in range(3):
            catalog.load_table(table.name()).append(_rows(number))
            psutil.Process(engine().status().pid).kill()
            assert engine().up() == endpoint
        assert _ids(catalog, table) == [0, 1, 2]
    finally:
        engine().down()
        shutil.rmtree(folder, ignore_errors=True)
