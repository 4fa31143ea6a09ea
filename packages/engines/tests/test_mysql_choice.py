"""A server program before Docker, Docker before giving up; giving up says what to install."""

from dataclasses import replace

import pymysql
import pytest
from shoplake_core.errors import ResourceError
from shoplake_engines import mysql_docker_engine, mysql_programs
from shoplake_engines.mysql_choice import mysql_engine_for
from shoplake_engines.mysql_docker_engine import DockerMySqlEngine, docker_answers
from shoplake_engines.mysql_engine import MySqlEngine
from shoplake_engines.testing import mysql_program


@pytest.fixture
def no_program(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(mysql_programs, "_FOLDERS", ())


def test_a_program_on_the_machine_is_taken(tmp_path):
    assert isinstance(mysql_engine_for(tmp_path), MySqlEngine)


def test_neither_program_nor_docker_says_what_to_install(no_program, monkeypatch, tmp_path):
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/nobody-listens")
    with pytest.raises(ResourceError, match="apt install mariadb-server-core"):
        mysql_engine_for(tmp_path)


def test_docker_is_taken_where_it_answers(no_program, monkeypatch, tmp_path):
    monkeypatch.setattr(mysql_docker_engine, "docker_answers", lambda: True)
    assert isinstance(mysql_engine_for(tmp_path), DockerMySqlEngine)


def test_data_in_docker_stay_there(tmp_path):
    (tmp_path / "mysql-docker").mkdir()
    assert isinstance(mysql_engine_for(tmp_path), DockerMySqlEngine)


def test_data_of_the_other_server_are_left_alone(tmp_path):
    data = tmp_path / "mysql" / "data"
    data.mkdir(parents=True)
    (data / "shoplake-bootstrapped").write_text("MySQL")
    (data / "ibdata1").write_bytes(b"precious")
    with pytest.raises(ResourceError, match="were made by MySQL"):
        MySqlEngine(tmp_path, replace(mysql_program(), is_mariadb=True)).up()
    assert (data / "ibdata1").read_bytes() == b"precious"


def test_a_named_program_that_is_none_is_refused(tmp_path):
    (tmp_path / "mysqld").write_text("#!/bin/sh\necho hello\n")
    (tmp_path / "mysqld").chmod(0o755)
    with pytest.raises(ResourceError, match="no MySQL or MariaDB server"):
        mysql_engine_for(tmp_path, program_path=tmp_path / "mysqld")


@pytest.mark.docker
def test_mysql_in_docker_keeps_its_data_over_down_and_up(tmp_path):
    if not docker_answers():
        pytest.skip("no Docker engine answers here")
    engine = DockerMySqlEngine(tmp_path, fast=True, preferred_port=0)
    try:
        endpoint = engine.up()
        with _connected(endpoint) as connection, connection.cursor() as cursor:
            cursor.execute("CREATE DATABASE kept")
        assert engine.down()
        assert engine.up() == endpoint
        with _connected(endpoint) as connection, connection.cursor() as cursor:
            cursor.execute("SELECT @@binlog_row_metadata FROM information_schema.schemata WHERE schema_name = 'kept'")
            assert cursor.fetchall() == (("FULL",),)
    finally:
        engine.erase()


def _connected(endpoint):
    return pymysql.connect(host=endpoint.host, port=endpoint.port, user=endpoint.user, password=endpoint.password)
