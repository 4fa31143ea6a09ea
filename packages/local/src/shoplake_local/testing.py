"""Pytest fixtures: the local AWS, once a session, in processes of its own.

In a package's conftest.py: `from shoplake_local.testing import local_aws, object_store, postgres_server  # noqa: F401`
(the other two are what it stands on: the same servers that a test gets who asks for them).
"""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.client import Config
from shoplake_core.endpoints import AwsEndpoint, WarehouseEndpoint
from shoplake_core.names import LOCAL_ACCOUNT
from shoplake_engines.testing import (
    ObjectStore,
    PostgresServer,
    object_store,
    postgres_server,
    shared,
    temporary_state_folder,
)

from shoplake_local.front_engine import FrontEngine

__all__ = ["LocalAws", "local_aws", "object_store", "postgres_server"]


@dataclass(frozen=True, slots=True)
class LocalAws:
    """A running local AWS.

    Attributes:
        endpoint: glue and redshift-data.
        object_store: S3.
        warehouse: The PostgreSQL behind redshift-data.
        engine: The front's process.
        state_folder: Where the front's files lie.

    """

    endpoint: AwsEndpoint
    object_store: AwsEndpoint
    warehouse: WarehouseEndpoint
    engine: FrontEngine
    state_folder: Path

    def client(self, service: str) -> Any:
        """A boto3 client of that service; S3 goes to the object store."""
        return _client(self.object_store if service == "s3" else self.endpoint, service)


@cache  # a client takes a third of a second to make, and any number of threads may use one
def _client(at: AwsEndpoint, service: str) -> Any:
    return boto3.session.Session().client(
        service,  # type: ignore[call-overload]
        endpoint_url=at.url,
        region_name=at.region,
        aws_access_key_id=at.access_key_id,
        aws_secret_access_key=at.secret_access_key,
        config=Config(s3={"addressing_style": "path"}, retries={"total_max_attempts": 1}),
    )


@contextmanager
def _running_local_aws(object_store: ObjectStore, postgres_server: PostgresServer) -> Iterator[LocalAws]:
    folder = temporary_state_folder()
    engine = FrontEngine(
        folder,
        object_store=object_store.endpoint,
        warehouse=postgres_server.endpoint,
        region=object_store.endpoint.region,
        account=LOCAL_ACCOUNT,
        object_store_state=object_store.engine.folder.parent,
        check_answers=True,
        preferred_port=0,
    )
    try:
        yield LocalAws(engine.up(), object_store.endpoint, postgres_server.endpoint, engine, folder)
    finally:
        engine.down()
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def local_aws(pytestconfig: pytest.Config, object_store: ObjectStore, postgres_server: PostgresServer) -> LocalAws:
    """The local AWS for the whole session: make databases and schemas of your own in it."""
    return shared(pytestconfig, "local_aws", partial(_running_local_aws, object_store, postgres_server))
