"""Pytest fixtures: the real servers, once a test process, on temporary folders (in memory where there is /dev/shm).

In a package's conftest.py: `from shoplake_engines.testing import mysql_server, object_store, postgres_server  # noqa: F401`
and `mysql_server_factory` where a test needs a server of its own or with further options.
"""

import itertools
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar, cast

import pytest
from shoplake_core.endpoints import AwsEndpoint, MySqlEndpoint, WarehouseEndpoint, parse_mysql_url

from shoplake_engines.mysql_docker_engine import IMAGE, DockerMySqlEngine, docker_answers
from shoplake_engines.mysql_engine import MySqlEngine
from shoplake_engines.mysql_programs import INSTALL_HINT, MySqlProgram, find_mysql_program
from shoplake_engines.object_store_engine import ObjectStoreEngine
from shoplake_engines.orphans import guard
from shoplake_engines.postgres_engine import PostgresEngine

__all__ = [
    "MySqlServer",
    "ObjectStore",
    "PostgresServer",
    "mysql_8",
    "mysql_program",
    "mysql_server",
    "mysql_server_factory",
    "object_store",
    "postgres_server",
    "shared",
    "temporary_state_folder",
]

_MEMORY = Path("/dev/shm")  # noqa: S108 - only a folder of its own below it is used
_ANY_PORT = 0
_T = TypeVar("_T")
_guards: list[subprocess.Popen[bytes]] = []  # their pipes close with this process


@dataclass(frozen=True, slots=True)
class MySqlServer:
    """A running MySQL or MariaDB; `endpoint` has all rights."""

    endpoint: MySqlEndpoint
    engine: MySqlEngine


@dataclass(frozen=True, slots=True)
class ObjectStore:
    """A running S3; `endpoint` has all rights."""

    endpoint: AwsEndpoint
    engine: ObjectStoreEngine


@dataclass(frozen=True, slots=True)
class PostgresServer:
    """A running PostgreSQL; `endpoint` has all rights."""

    endpoint: WarehouseEndpoint
    engine: PostgresEngine


@dataclass(frozen=True, slots=True)
class _Shared:
    """Name -> what was made, and what ends it."""

    things: dict[str, Any]
    stack: ExitStack


_SHARED = pytest.StashKey[_Shared]()


def temporary_state_folder() -> Path:
    """A new folder for servers' files. Others may pass through it (as root, PostgreSQL runs as another user).

    Servers left in it end, and it goes, with this test run: also where that is killed before any fixture can clean up.

    """
    folder = Path(tempfile.mkdtemp(prefix="shoplake-test-", dir=_MEMORY if _MEMORY.is_dir() else None))
    folder.chmod(0o711)
    _guards.append(guard(folder))
    return folder


def mysql_program() -> MySqlProgram:
    """The server program under test: the first on this machine, or the one that SHOPLAKE_TEST_MYSQL_PROGRAM names.

    So one set of tests runs on MariaDB and on MySQL. A named program that does not run fails: a lane that was asked
    for is never passed over in silence.

    """
    named = os.environ.get("SHOPLAKE_TEST_MYSQL_PROGRAM")
    program = find_mysql_program(Path(named) if named else None)
    if program is None:
        pytest.fail(f"these tests need a real MySQL or MariaDB server: {INSTALL_HINT}")
    return program


def _mysql(folder: Path, *extra_arguments: str) -> MySqlServer:
    engine = MySqlEngine(folder, mysql_program(), fast=True, extra_arguments=extra_arguments, preferred_port=_ANY_PORT)
    return MySqlServer(engine.up(), engine)


def shared(config: pytest.Config, name: str, make: Callable[[], AbstractContextManager[_T]]) -> _T:
    """What `make` gives: made once in this test process, and ended with it.

    A session fixture that several conftest.py import is one fixture in each of them, so without this a run over all packages
    would hold a set of servers for each.

    """
    if _SHARED not in config.stash:
        config.stash[_SHARED] = _Shared({}, ExitStack())
        config.add_cleanup(config.stash[_SHARED].stack.close)
    held = config.stash[_SHARED]
    if name not in held.things:
        held.things[name] = held.stack.enter_context(make())
    return cast("_T", held.things[name])


@contextmanager
def _running_mysql() -> Iterator[MySqlServer]:
    folder = temporary_state_folder()
    server = None
    try:
        server = _mysql(folder)
        yield server
    finally:
        if server is not None:
            server.engine.down()
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def mysql_server(pytestconfig: pytest.Config) -> MySqlServer:
    """A server for the whole session: make databases of your own on it."""
    return shared(pytestconfig, "mysql_server", _running_mysql)


@pytest.fixture(scope="session")
def mysql_8() -> Iterator[MySqlEndpoint]:
    """A MySQL that is no MariaDB, with all rights: the one that SHOPLAKE_TEST_MYSQL_URL names (it may be filled and broken),
    else one in Docker. Skipped where no Docker engine answers: mark its tests `docker`.
    """
    named = os.environ.get("SHOPLAKE_TEST_MYSQL_URL")
    if named:
        yield parse_mysql_url(named)
        return
    if not docker_answers():
        pytest.skip(
            f"no Docker engine answers here for {IMAGE}; or set SHOPLAKE_TEST_MYSQL_URL=mysql://root@127.0.0.1:3306"
        )
    folder = temporary_state_folder()
    engine = DockerMySqlEngine(folder, fast=True, preferred_port=_ANY_PORT)
    try:
        yield engine.up()
    finally:
        engine.erase()
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def mysql_server_factory() -> Iterator[Callable[..., MySqlServer]]:
    """Makes servers of the test's own: `mysql_server_factory("--gtid-strict-mode=1", ...)`; they end with the test."""
    folder = temporary_state_folder()
    started: list[MySqlServer] = []
    numbers = itertools.count()

    def start(*extra_arguments: str) -> MySqlServer:
        server = _mysql(folder / str(next(numbers)), *extra_arguments)
        started.append(server)
        return server

    try:
        yield start
    finally:
        for server in started:
            server.engine.down()
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _running_object_store() -> Iterator[ObjectStore]:
    folder = temporary_state_folder()
    engine = ObjectStoreEngine(folder, preferred_port=_ANY_PORT)
    try:
        yield ObjectStore(engine.up(), engine)
    finally:
        engine.down()
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def object_store(pytestconfig: pytest.Config) -> ObjectStore:
    """An object store for the whole session: make buckets of your own in it."""
    return shared(pytestconfig, "object_store", _running_object_store)


@contextmanager
def _running_postgres() -> Iterator[PostgresServer]:
    folder = temporary_state_folder()
    engine = PostgresEngine(folder, fast=True, preferred_port=_ANY_PORT)
    try:
        yield PostgresServer(engine.up(), engine)
    finally:
        engine.erase()
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def postgres_server(pytestconfig: pytest.Config) -> PostgresServer:
    """A PostgreSQL for the whole session: make databases or schemas of your own in it."""
    return shared(pytestconfig, "postgres_server", _running_postgres)
