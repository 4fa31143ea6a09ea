"""The fixtures that other packages use."""

import subprocess
import sys
import time
from pathlib import Path

import psutil
import psycopg
import pymysql
from shoplake_engines.object_store_aws import create_buckets, s3_client


def _ask(endpoint, sql):
    connection = pymysql.connect(host=endpoint.host, port=endpoint.port, user=endpoint.user, password=endpoint.password)
    with connection, connection.cursor() as cursor:
        cursor.execute(sql)
        return cursor.fetchall()


def test_mysql_writes_whole_rows_with_names_to_its_binlog(mysql_server):
    rows = _ask(
        mysql_server.endpoint,
        "SELECT @@log_bin, @@binlog_format, @@binlog_row_image, @@binlog_row_metadata, @@local_infile, @@character_set_server",
    )
    assert rows == ((1, "ROW", "FULL", "FULL", 1, "utf8mb4"),)


def test_a_factory_server_takes_further_options(mysql_server_factory, mysql_server):
    first = mysql_server_factory("--innodb-lock-wait-timeout=7")
    second = mysql_server_factory()
    assert len({server.endpoint.port for server in (first, second, mysql_server)}) == 3
    assert _ask(first.endpoint, "SELECT @@innodb_lock_wait_timeout") == ((7,),)
    assert _ask(second.endpoint, "SELECT @@innodb_lock_wait_timeout") == ((50,),)


def test_postgres_answers_its_administrator(postgres_server):
    at = postgres_server.endpoint
    with psycopg.connect(host=at.host, port=at.port, user=at.user, password=at.password, dbname=at.database) as it:
        assert it.execute("SELECT current_user, current_database()").fetchone() == ("admin", "dev")


def test_object_store_keeps_what_it_is_given(object_store):
    assert create_buckets(object_store.endpoint, ["fixture-test"]) == ("fixture-test",)
    assert create_buckets(object_store.endpoint, ["fixture-test"]) == ()
    client = s3_client(object_store.endpoint)
    client.put_object(Bucket="fixture-test", Key="a/b", Body=b"text")
    assert client.get_object(Bucket="fixture-test", Key="a/b")["Body"].read() == b"text"


RUN = """
import os, signal
from shoplake_engines.testing import mysql_program, temporary_state_folder
from shoplake_engines.mysql_engine import MySqlEngine
folder = temporary_state_folder()
engine = MySqlEngine(folder, mysql_program(), fast=True, preferred_port=0)
engine.up()
print(folder, engine.status().pid, flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_servers_of_a_killed_test_run_end():
    answer = subprocess.run([sys.executable, "-c", RUN], check=False, stdout=subprocess.PIPE, text=True, timeout=120)
    folder, pid = answer.stdout.split()
    until = time.monotonic() + 30
    while (psutil.pid_exists(int(pid)) or Path(folder).exists()) and time.monotonic() < until:
        time.sleep(0.05)
    assert not psutil.pid_exists(int(pid))
    assert not Path(folder).exists()
