"""The whole stack: up, found again, killed with -9 piece by piece and at once, down."""

import shutil
import subprocess
import sys

import boto3
import psutil
import psycopg
import pymysql
import pytest
from shoplake_core.endpoints import MySqlEndpoint
from shoplake_core.names import LOCAL_ACCOUNT, ResourceNames
from shoplake_engines.object_store_aws import create_buckets, list_bucket_names, s3_client
from shoplake_engines.testing import temporary_state_folder
from shoplake_local.stack import LocalStack

NAMES = ResourceNames("test", LOCAL_ACCOUNT, "eu-central-1")
ANY_PORTS = {"mysql": 0, "object-store": 0, "postgres": 0, "front": 0}


def stack_at(folder, **settings):
    return LocalStack(folder, NAMES, fast=True, preferred_ports=ANY_PORTS, check_answers=True, **settings)


@pytest.fixture
def folder():
    made = temporary_state_folder()
    yield made
    stack_at(made).erase()
    shutil.rmtree(made, ignore_errors=True)


def _glue(at):
    return boto3.client(
        "glue",
        endpoint_url=at.url,
        region_name=at.region,
        aws_access_key_id=at.access_key_id,
        aws_secret_access_key=at.secret_access_key,
    )


def _mysql(at):
    return pymysql.connect(host=at.host, port=at.port, user=at.user, password=at.password, autocommit=True)


def _postgres(at):
    return psycopg.connect(
        host=at.host, port=at.port, user=at.user, password=at.password, dbname=at.database, autocommit=True
    )


def _write(at):
    with _mysql(at.mysql) as connection, connection.cursor() as cursor:
        cursor.execute("CREATE DATABASE shop")
    with _postgres(at.warehouse) as connection:
        connection.execute("CREATE SCHEMA gold")
    create_buckets(at.object_store, [NAMES.bronze_bucket])
    s3_client(at.object_store).put_object(Bucket=NAMES.bronze_bucket, Key="a", Body=b"text")
    _glue(at.aws).create_database(DatabaseInput={"Name": NAMES.silver_database})


def _assert_all_there(at):
    with _mysql(at.mysql) as connection, connection.cursor() as cursor:
        cursor.execute("SHOW DATABASES LIKE 'shop'")
        assert cursor.fetchall() == (("shop",),)
    with _postgres(at.warehouse) as connection:
        assert connection.execute("SELECT 1 FROM pg_namespace WHERE nspname = 'gold'").fetchall() == [(1,)]
    assert s3_client(at.object_store).get_object(Bucket=NAMES.bronze_bucket, Key="a")["Body"].read() == b"text"
    assert _glue(at.aws).get_database(Name=NAMES.silver_database)["Database"]["Name"] == NAMES.silver_database


def _pids(stack):
    return {status.name: status.pid for status in stack.status()}


def test_life_of_a_stack(folder):
    lines = []
    stack = stack_at(folder)
    assert not any(status.running for status in stack.status())
    at = stack.up(lines.append)
    assert [line.partition(":")[0] for line in lines] == ["MySQL", "S3", "warehouse", "AWS"]
    assert list_bucket_names(at.object_store) == (), "buckets are provisioned, as on AWS"
    _write(at)
    pids = _pids(stack)
    assert list(pids) == ["mysql", "object-store", "postgres", "front"]
    assert None not in pids.values()

    second = stack_at(folder)
    assert second.up() == at
    assert _pids(second) == pids

    for name, pid in pids.items():
        psutil.Process(pid).kill()
        assert stack_at(folder).up() == at, name
        _assert_all_there(at)

    for pid in _pids(stack).values():
        psutil.Process(pid).kill()
    assert stack_at(folder).up() == at
    _assert_all_there(at)

    processes = [
        p for pid in _pids(stack).values() for p in (psutil.Process(pid), *psutil.Process(pid).children(recursive=True))
    ]
    ended = []
    stack.down(ended.append)
    assert ended == ["front: ended", "postgres: ended", "object-store: ended", "mysql: ended"]
    assert not [p for p in processes if p.is_running() and p.status() != psutil.STATUS_ZOMBIE]
    stack.down(ended.append)
    assert len(ended) == 4
    assert stack.up() == at
    _assert_all_there(at)


def test_another_process_finds_the_servers_and_ends_them(folder):
    at = stack_at(folder).up()
    script = (
        "import sys; from pathlib import Path; from shoplake_core.names import *; from shoplake_local.stack import LocalStack;"
        f"s = LocalStack(Path({str(folder)!r}), ResourceNames('test', LOCAL_ACCOUNT, 'eu-central-1'), fast=True, check_answers=True,"
        f" preferred_ports={ANY_PORTS!r}); print(s.up().aws.url, flush=True); s.down()"
    )
    answer = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=120, check=True)
    assert answer.stdout.strip() == at.aws.url
    assert not any(status.running for status in stack_at(folder).status())


def test_a_mysql_of_the_users_own_is_neither_started_nor_ended(folder, mysql_server):
    stack = stack_at(folder, mysql=mysql_server.endpoint)
    lines = []
    assert stack.up(lines.append).mysql == mysql_server.endpoint
    assert [status.name for status in stack.status()] == ["object-store", "postgres", "front"]
    assert lines[0].startswith("MySQL: yours")
    stack.down()
    with _mysql(mysql_server.endpoint) as connection, connection.cursor() as cursor:
        assert cursor.execute("SELECT 1") == 1


def test_progress_and_endpoints_show_no_secret(folder):
    lines = []
    at = stack_at(folder).up(lines.append)
    shown = " ".join([*lines, repr(at)])
    for secret in (
        at.mysql.password,
        at.warehouse.password,
        at.object_store.secret_access_key,
        at.aws.secret_access_key,
    ):
        assert secret not in shown


def test_the_front_follows_a_warehouse_that_had_to_move(folder):
    """Another program took the warehouse's port while it was down: the front is started anew for the new one."""
    import socket

    stack = stack_at(folder)
    at = stack.up()
    stack._warehouse.down()
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        other.bind(("127.0.0.1", at.warehouse.port))
        other.listen(1)
        moved = stack.up()
    assert moved.warehouse.port != at.warehouse.port
    assert moved.aws == at.aws
    client = boto3.client(
        "redshift-data",
        endpoint_url=moved.aws.url,
        region_name=moved.aws.region,
        aws_access_key_id=moved.aws.access_key_id,
        aws_secret_access_key=moved.aws.secret_access_key,
    )
    assert client.list_databases(WorkgroupName="shoplake", Database="dev")["Databases"] == ["dev"]


def test_it_needs_a_mysql_or_says_what_to_install(folder, monkeypatch, tmp_path):
    from shoplake_core.errors import ResourceError
    from shoplake_engines import mysql_programs

    with monkeypatch.context() as patched:
        patched.setenv("PATH", str(tmp_path))
        patched.setattr(mysql_programs, "_FOLDERS", ())
        patched.setenv("DOCKER_HOST", f"unix://{tmp_path}/nobody-listens")
        with pytest.raises(ResourceError, match="SHOPLAKE_MYSQL_URL"):
            stack_at(folder).up()
        external = MySqlEndpoint(host="127.0.0.1", port=1, user="u", password="p")
        assert not any(status.running for status in stack_at(folder, mysql=external).status())
