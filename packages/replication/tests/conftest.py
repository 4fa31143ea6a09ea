"""A source schema, a bucket and a replicator of the test's own, and bronze read back the way its readers do."""

# ruff: noqa: F811 - pytest hands fixtures over by the name of the import

import io
import itertools
import json
import os
import resource
import subprocess
import sys
import threading
import time
import uuid
from dataclasses import dataclass, field
from pathlib import Path

import boto3
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from shoplake_core.bronze import epoch_record_from_json
from shoplake_core.clock import SystemClock
from shoplake_engines.testing import mysql_8, mysql_server, mysql_server_factory, object_store  # noqa: F401
from shoplake_mysql.connections import connect, execute
from shoplake_mysql.marker import commit_marker, ensure_marker_table
from shoplake_mysql.rows import read_batches
from shoplake_mysql.tables import read_table_shape
from shoplake_replication import standard_s3_settings, standard_table_mappings
from shoplake_replication.bronze_aws import S3Bronze
from shoplake_replication.config import parse_config
from shoplake_replication.failpoints import NO_FAILPOINT, failpoint_of
from shoplake_replication.reload_requests import ALL_TABLES, request_reload
from shoplake_replication.replicator import Replicator

HEADER = ["Op", "_committed_at", "_sequence", "_stream_position"]
_counter = itertools.count()


def until(condition, seconds=40):
    """Wait until a condition holds; fail where it does not in time."""
    pause, deadline = threading.Event(), time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        pause.wait(0.02)


@dataclass
class Rig:
    """One replicator with its source schema and bucket."""

    endpoint: object
    aws: object
    schema: str
    bucket: str
    folder: Path
    s3: object
    connection: object
    settings: dict = field(default_factory=lambda: standard_s3_settings(flush_interval_seconds=0.2))
    extra: dict = field(default_factory=dict)
    mappings: dict | None = None
    server: object = None

    def wait(self, condition):
        """Wait until a condition holds."""
        until(condition)

    def wait_streaming(self):
        """Wait until all that waits for its load is loaded and the stream runs."""
        until(lambda: (self.folder / "state" / "status.json").exists() and self.status()["state"] == "streaming")

    def sql(self, *statements):
        for statement in statements:
            execute(self.connection, statement)

    def config_text(self):
        return json.dumps(
            {
                "source": {"host": self.endpoint.host, "port": self.endpoint.port, "user": self.endpoint.user},
                "table_mappings": self.mappings or standard_table_mappings(self.schema),
                "s3": {"bucket": self.bucket, "endpoint_url": self.aws.url, "region": self.aws.region},
                "s3_settings": self.settings,
                "state_dir": str(self.folder / "state"),
                **self.extra,
            }
        )

    def config(self):
        return parse_config(self.config_text(), password=self.endpoint.password)

    def replicator(self, stop=lambda: False, failpoint=NO_FAILPOINT, bronze=S3Bronze):
        config = self.config()
        return Replicator(
            config, bronze=bronze(config.s3), clock=SystemClock(), stop_requested=stop, failpoint=failpoint
        )

    def mark(self):
        token = uuid.uuid4().hex
        ensure_marker_table(self.connection)
        commit_marker(self.connection, token)
        return token

    def load(self):
        """Load what is not loaded; nothing is streamed."""
        self.replicator(stop=lambda: True).run()

    def catch_up(self):
        """Stream until all that is committed now is in bronze."""
        self.replicator().run(until_marker=self.mark())

    def running(self):
        """A context in which the replicator runs in a thread."""
        return Running(self)

    def killed_at(self, step, token=""):
        """Run in a child process that kills itself at a step; True if it got there."""
        child = os.fork()
        if child == 0:
            try:
                self.replicator(failpoint=failpoint_of(step)).run(until_marker=token)
            finally:
                os._exit(0)
        _, outcome = os.waitpid(child, 0)
        return os.WIFSIGNALED(outcome)

    def ask_reload(self, table=""):
        """What the command `reload` does: one table of the schema, or all."""
        request_reload(self.folder / "state", f"{self.schema}.{table}" if table else ALL_TABLES)

    def process(self, *arguments, failpoint="", command="run", file_bytes=None):
        """The command as a process; its files may grow to `file_bytes`, which is what a full disk or a quota is to it."""

        def limit_files():
            if file_bytes is not None:
                resource.setrlimit(resource.RLIMIT_FSIZE, (file_bytes, file_bytes))

        (self.folder / "config.json").write_text(self.config_text())
        return subprocess.run(
            [
                sys.executable,
                "-m",
                "shoplake_replication",
                command,
                "--config",
                str(self.folder / "config.json"),
                *arguments,
            ],
            env=os.environ | {"SHOPLAKE_SOURCE_PASSWORD": self.endpoint.password, "SHOPLAKE_FAILPOINT": failpoint},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
            preexec_fn=limit_files,
        )

    def status(self):
        return json.loads((self.folder / "state" / "status.json").read_text())

    def table_status(self, table):
        return self.status()["tables"][f"{self.schema}.{table}"]

    def keys(self, prefix=""):
        pages = self.s3.get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix=prefix)
        return [item["Key"] for page in pages for item in page.get("Contents", [])]

    def get(self, key):
        return self.s3.get_object(Bucket=self.bucket, Key=key)["Body"].read()

    def parquet(self, key):
        return pq.read_table(io.BytesIO(self.get(key)))

    def files(self, table, schema=None):
        return sorted(self.keys(f"{schema or self.schema}/{table}/"))

    def epochs(self, table):
        keys = sorted(self.keys(f"_shoplake/epochs/{self.schema}/{table}/"))
        return [epoch_record_from_json(self.get(key).decode()) for key in keys]

    def changes(self, table):
        """All change rows as dictionaries, by `_sequence`; a sequence that came twice must say the same."""
        rows = {}
        for key in self.files(table):
            if "/LOAD" in key:
                continue
            for row in self.parquet(key).to_pylist():
                assert rows.setdefault(row["_sequence"], row) == row
        return [rows[sequence] for sequence in sorted(rows)]

    def load_rows(self, table):
        record = self.epochs(table)[-1]
        rows = [row for file in record.files for row in self.parquet(f"{self.schema}/{table}/{file.name}").to_pylist()]
        assert len(rows) == record.rows
        assert {row["_committed_at"] for row in rows} <= {record.started_at}
        return rows

    def replay(self, table, key=("id",)):
        """The rows that bronze says the table holds now, by key."""
        floor = self.epochs(table)[-1].sequence_floor
        state = {tuple(row[name] for name in key): row for row in self.load_rows(table)}
        for row in self.changes(table):
            if row["_sequence"] <= floor:
                continue
            place = tuple(row[name] for name in key)
            if row["Op"] == "D":
                assert place in state, f"delete of a row that is not there: {row}"
                del state[place]
            elif row["Op"] == "I":
                assert place not in state, f"insert of a row that is there: {row}"
                state[place] = row
            else:
                assert place in state, f"update of a row that is not there: {row}"
                state[place] = row
        return {
            place: {name: value for name, value in row.items() if name not in HEADER} for place, row in state.items()
        }

    def select(self, table, key=("id",)):
        with connect(self.endpoint) as other:
            shape = read_table_shape(other, self.schema, table)
            rows = pa.Table.from_batches(read_batches(other, shape), schema=shape.arrow_schema).to_pylist()
        return {tuple(row[name] for name in key): row for row in rows}

    def assert_exact(self, table, key=("id",)):
        assert self.replay(table, key) == self.select(table, key)


class Running:
    """The replicator in a thread."""

    def __init__(self, rig):
        self.rig = rig
        self.stop = threading.Event()
        self.error = None
        self.thread = threading.Thread(target=self._run)

    def _run(self):
        try:
            self.rig.replicator(stop=self.stop.is_set).run()
        except BaseException as error:  # noqa: BLE001 - handed to the test
            self.error = error

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.stop.set()
        self.thread.join(60)
        assert not self.thread.is_alive()
        if self.error:
            raise self.error


def make_rig(endpoint, store, folder):
    name = f"r{os.getpid()}n{next(_counter)}"
    s3 = boto3.client(
        "s3",
        endpoint_url=store.endpoint.url,
        region_name=store.endpoint.region,
        aws_access_key_id=store.endpoint.access_key_id,
        aws_secret_access_key=store.endpoint.secret_access_key,
    )
    s3.create_bucket(Bucket=name)
    connection = connect(endpoint)
    execute(connection, f"CREATE DATABASE {name} CHARACTER SET utf8mb4")
    execute(connection, f"USE {name}")
    return Rig(endpoint, store.endpoint, name, name, folder, s3, connection)


@pytest.fixture
def aws_variables(object_store, monkeypatch):
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", object_store.endpoint.access_key_id)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", object_store.endpoint.secret_access_key)


@pytest.fixture
def rig(mysql_server, object_store, tmp_path, aws_variables):
    made = make_rig(mysql_server.endpoint, object_store, tmp_path)
    yield made
    execute(made.connection, f"DROP DATABASE IF EXISTS {made.schema}")
    made.connection.close()


@pytest.fixture(params=["engine", pytest.param("mysql", marks=pytest.mark.docker)])
def any_rig(request, object_store, tmp_path, aws_variables):
    """A rig on the engine's server (MariaDB where there is one), and one on MySQL 8 (named, or in Docker)."""
    if request.param == "engine":
        endpoint = request.getfixturevalue("mysql_server").endpoint
    else:
        endpoint = request.getfixturevalue("mysql_8")
    made = make_rig(endpoint, object_store, tmp_path)
    yield made
    execute(made.connection, f"DROP DATABASE IF EXISTS {made.schema}")
    made.connection.close()


@pytest.fixture
def rig_on(mysql_server_factory, object_store, tmp_path, aws_variables):
    """Makes a rig on a server of its own, started with further arguments."""
    made = []

    def make(*arguments):
        server = mysql_server_factory(*arguments)
        rig = make_rig(server.endpoint, object_store, tmp_path)
        rig.server = server
        made.append(rig)
        return rig

    yield make
    for rig in made:
        rig.connection.close()
