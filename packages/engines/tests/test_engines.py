"""Every engine: up, up again, down, killed, port taken; and nothing of it listens beyond loopback."""

import contextlib
import json
import shutil
import socket
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from pathlib import Path

import psutil
import psycopg
import pymysql
import pytest
from botocore.exceptions import BotoCoreError, ClientError
from shoplake_core.errors import ResourceError
from shoplake_engines.mysql_engine import MySqlEngine
from shoplake_engines.object_store_aws import create_buckets, list_bucket_names, s3_client
from shoplake_engines.object_store_engine import ObjectStoreEngine
from shoplake_engines.postgres_engine import PostgresEngine
from shoplake_engines.processes import DetachedProcess
from shoplake_engines.testing import mysql_program, temporary_state_folder


@pytest.fixture
def folder():
    made = temporary_state_folder()
    yield made
    shutil.rmtree(made, ignore_errors=True)


def _mysql_query(endpoint, *statements):
    connection = pymysql.connect(
        host=endpoint.host, port=endpoint.port, user=endpoint.user, password=endpoint.password, autocommit=True
    )
    with connection, connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)
        return cursor.fetchall()


def _postgres_query(endpoint, *statements):
    with psycopg.connect(
        host=endpoint.host,
        port=endpoint.port,
        user=endpoint.user,
        password=endpoint.password,
        dbname=endpoint.database,
        autocommit=True,
    ) as connection:
        for statement in statements:
            result = connection.execute(statement)
        return result.fetchall()


class _MySql:
    def engine(self, folder, port=0):
        return MySqlEngine(folder, mysql_program(), preferred_port=port)

    def write(self, endpoint):
        _mysql_query(
            endpoint, "CREATE DATABASE d", "CREATE TABLE d.t (a INT PRIMARY KEY)", "INSERT INTO d.t VALUES (7)"
        )

    def read(self, endpoint):
        return _mysql_query(endpoint, "SELECT a FROM d.t")[0][0]


class _Postgres:
    def engine(self, folder, port=0):
        return PostgresEngine(folder, preferred_port=port)

    def write(self, endpoint):
        _postgres_query(endpoint, "CREATE TABLE t (a int)", "INSERT INTO t VALUES (7) RETURNING a")

    def read(self, endpoint):
        return _postgres_query(endpoint, "SELECT a FROM t")[0][0]


class _ObjectStore:
    def engine(self, folder, port=0):
        return ObjectStoreEngine(folder, preferred_port=port)

    def write(self, endpoint):
        create_buckets(endpoint, ["bucket"])
        s3_client(endpoint).put_object(Bucket="bucket", Key="t/a", Body=b"7")

    def read(self, endpoint):
        return int(s3_client(endpoint).get_object(Bucket="bucket", Key="t/a")["Body"].read())


def _port(endpoint):
    return endpoint.port if hasattr(endpoint, "port") else int(endpoint.url.rpartition(":")[2])


@pytest.fixture(params=[_MySql(), _Postgres(), _ObjectStore()], ids=["mysql", "postgres", "object-store"])
def kind(request):
    return request.param


def _family(pid):
    process = psutil.Process(pid)
    return [process, *process.children(recursive=True)]


def _listening(process):
    """Addresses that it listens on; none where it ended meanwhile, as a session's process of PostgreSQL may."""
    try:
        return [c.laddr.ip for c in process.net_connections(kind="inet") if c.status == psutil.CONN_LISTEN]
    except psutil.NoSuchProcess:
        return []


def _erase(engine):
    if hasattr(engine, "erase"):
        engine.erase()
    else:
        engine.down()


def test_life_of_an_engine(kind, folder):
    """Up, up from another object, killed with -9, up again, down, up: one endpoint, one set of data, no process left."""
    engine = kind.engine(folder)
    try:
        assert not engine.status().running
        endpoint = engine.up()
        kind.write(endpoint)
        status = engine.status()
        assert status.running
        assert status.port == _port(endpoint)
        second = kind.engine(folder)
        assert second.up() == endpoint
        assert second.status().pid == status.pid
        addresses = [ip for process in _family(status.pid) for ip in _listening(process)]
        assert set(addresses) == {"127.0.0.1"}
        psutil.Process(status.pid).kill()
        assert kind.engine(folder).up() == endpoint
        assert kind.read(endpoint) == 7
        family = _family(engine.status().pid)
        assert engine.down()
        assert not engine.status().running
        assert not [process for process in family if process.is_running() and process.status() != psutil.STATUS_ZOMBIE]
        assert not engine.down()
        assert engine.up() == endpoint
        assert kind.read(endpoint) == 7
    finally:
        _erase(engine)


def test_secrets_are_private_and_no_socket_is_left_elsewhere(kind, folder):
    engine = kind.engine(folder)
    try:
        endpoint = engine.up()
        secret = endpoint.password if hasattr(endpoint, "password") else endpoint.secret_access_key
        holders = []
        for path in folder.rglob("*"):
            if path.is_file() and secret in path.read_bytes().decode("latin-1"):
                holders.append(path)
                assert path.stat().st_mode & 0o077 == 0, path
        assert engine.folder / "admin.json" in holders
        assert secret not in repr(endpoint)
        assert secret not in " ".join(psutil.Process(engine.status().pid).cmdline())
    finally:
        _erase(engine)


def test_a_taken_port_gives_the_next_one(kind, folder):
    with contextlib.closing(socket.socket()) as other:
        other.bind(("127.0.0.1", 0))
        other.listen(1)
        taken = other.getsockname()[1]
        engine = kind.engine(folder, port=taken)
        try:
            endpoint = engine.up()
            assert _port(endpoint) > taken
        finally:
            _erase(engine)


def test_a_wrong_password_is_refused(kind, folder):
    engine = kind.engine(folder)
    try:
        endpoint = engine.up()
        if hasattr(endpoint, "password"):
            attempt = partial(kind.read, replace(endpoint, password="wrong"))
        else:
            attempt = partial(list_bucket_names, replace(endpoint, secret_access_key="wrong"), attempts=1)
        with pytest.raises(Exception, match=r"(?i)denied|password|signature"):
            attempt()
    finally:
        _erase(engine)


def test_mysql_has_no_account_without_a_password(mysql_server):
    accounts = _mysql_query(mysql_server.endpoint, "SELECT user, host FROM mysql.user")
    assert ("shoplake", "127.0.0.1") in accounts
    assert not [account for account in accounts if account[0] in {"", "root"}]
    with pytest.raises(pymysql.err.OperationalError):
        pymysql.connect(host="127.0.0.1", port=mysql_server.endpoint.port, user="root")


def test_mysql_start_that_fails_shows_the_servers_log(folder):
    engine = MySqlEngine(folder, mysql_program(), fast=True, preferred_port=0, extra_arguments=["--no-such-option"])
    with pytest.raises(ResourceError, match="no-such-option"):
        engine.up()
    assert not engine.status().running


def test_a_half_made_data_folder_is_made_anew(folder):
    """A bootstrap killed midway leaves files but no mark of completion."""
    data = folder / "mysql" / "data"
    data.mkdir(parents=True)
    (data / "ibdata1").write_bytes(b"half")
    engine = MySqlEngine(folder, mysql_program(), fast=True, preferred_port=0)
    try:
        assert _mysql_query(engine.up(), "SELECT 1") == ((1,),)
    finally:
        engine.down()


def test_two_processes_that_start_one_engine_at_once_share_it(folder):
    script = (
        "import sys; from pathlib import Path; from shoplake_engines.postgres_engine import PostgresEngine;"
        f"print(PostgresEngine(Path({str(folder)!r}), fast=True, preferred_port=0).up().port)"
    )
    starters = [subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True) for _ in range(2)]
    try:
        ports = {starter.communicate(timeout=90)[0] for starter in starters}
        assert len(ports) == 1
        assert "" not in ports
    finally:
        PostgresEngine(folder).erase()


def test_postgres_data_go_where_its_user_can_reach(folder):
    """Below a folder that is closed to others the data lie elsewhere, and the next `up` finds them."""
    closed = folder / "closed"
    closed.mkdir(mode=0o700)
    engine = PostgresEngine(closed, fast=True, preferred_port=0)
    try:
        endpoint = engine.up()
        _postgres_query(endpoint, "CREATE TABLE t (a int)", "INSERT INTO t VALUES (7) RETURNING a")
        assert closed.stat().st_mode & 0o777 == 0o700
        data = engine.data_folder
        engine.down()
        again = PostgresEngine(closed, fast=True)
        assert _postgres_query(again.up(), "SELECT a FROM t") == [(7,)]
        assert again.data_folder == data
        assert psutil.Process(again.status().pid).uids().effective != 0
    finally:
        engine.erase()
    assert not data.exists()


def test_psql_reaches_the_server(postgres_server):
    at = postgres_server.endpoint
    url = f"postgresql://{at.user}:{at.password}@{at.host}:{at.port}/{at.database}"
    command = [postgres_server.engine.psql_path(), "-At", url, "-c", "select lower('ÄB')"]
    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip() == "äb"


def test_s3_takes_one_of_racing_first_writers(object_store):
    create_buckets(object_store.endpoint, ["race"])
    client = s3_client(object_store.endpoint)

    def put(number):
        try:
            client.put_object(Bucket="race", Key="lock", Body=str(number).encode(), IfNoneMatch="*")
        except ClientError as error:
            return error.response["ResponseMetadata"]["HTTPStatusCode"]
        return 200

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(put, range(8)))
    assert answers.count(200) == 1
    assert set(answers) <= {200, 412, 409}


def test_s3_makes_no_bucket_by_itself(object_store):
    with pytest.raises(ClientError, match="NoSuchBucket"):
        s3_client(object_store.endpoint).put_object(Bucket="never-made", Key="a", Body=b"")


def test_no_socket_of_the_object_store_stays_in_tmp(folder):
    engine = ObjectStoreEngine(folder, preferred_port=0)
    engine.up()
    ports = {str(port) for port in json.loads((engine.folder / "admin.json").read_text())["ports"].values()}
    engine.down()
    left = [path for path in Path("/tmp").glob("seaweedfs-*.sock") if path.stem.rpartition("-")[2] in ports]
    assert left == []


def test_an_ended_server_is_noticed_while_it_starts(folder):
    """wait_until_ready does not sit out its time when the process is gone."""
    begun = time.monotonic()
    engine = MySqlEngine(folder, mysql_program(), fast=True, preferred_port=0, extra_arguments=["--server-id=x-1"])
    with contextlib.suppress(ResourceError):
        engine.up()
    engine.down()
    assert time.monotonic() - begun < 60
    assert DetachedProcess(engine.folder, "mysqld").running() is None


def test_no_acknowledged_object_is_lost_by_kill_9(folder):
    """Four writers, the server killed under them: what was acknowledged is listed and has its content."""
    engine = ObjectStoreEngine(folder, preferred_port=0)
    try:
        endpoint = engine.up()
        create_buckets(endpoint, ["killed"])
        pid = engine.status().pid
        acknowledged = {}
        client = s3_client(endpoint, attempts=1)

        def write(writer):
            for number in range(200):
                key, body = (
                    f"{writer}/{number:04d}",
                    f"{writer}-{number}-".encode() * (50_000 if number % 7 == 0 else 50),
                )
                try:
                    client.put_object(Bucket="killed", Key=key, Body=body, IfNoneMatch="*")
                except (ClientError, BotoCoreError):
                    return
                acknowledged[key] = body
                if len(acknowledged) == 60:
                    psutil.Process(pid).kill()

        with ThreadPoolExecutor(4) as pool:
            list(pool.map(write, range(4)))
        assert 60 <= len(acknowledged) < 800
        assert engine.up() == endpoint
        client = s3_client(endpoint)
        pages = client.get_paginator("list_objects_v2").paginate(Bucket="killed")
        listed = {entry["Key"] for page in pages for entry in page.get("Contents", ())}
        assert set(acknowledged) <= listed
        for key in listed & set(acknowledged):
            assert client.get_object(Bucket="killed", Key=key)["Body"].read() == acknowledged[key]
    finally:
        engine.down()
