"""Real servers for the functions: MySQL, S3, and the local AWS's Glue, Secrets Manager and Data API."""

import uuid

import pytest
from shoplake_core.names import LOCAL_ACCOUNT, ResourceNames
from shoplake_engines.object_store_aws import create_buckets
from shoplake_engines.testing import mysql_server  # noqa: F401
from shoplake_local.testing import local_aws, object_store, postgres_server  # noqa: F401
from shoplake_mysql.connections import connect, execute


class SharedBuckets(ResourceNames):
    """Databases of its own and buckets of the session: SeaweedFS keeps volumes for each bucket."""

    def _bucket(self, what):
        return f"functions-{what}"


@pytest.fixture
def names(object_store):  # noqa: F811
    names = SharedBuckets(f"t{uuid.uuid4().hex[:8]}", LOCAL_ACCOUNT, object_store.endpoint.region)
    create_buckets(object_store.endpoint, names.buckets)
    return names


@pytest.fixture
def s3(local_aws):  # noqa: F811
    return local_aws.client("s3")


@pytest.fixture
def connection(mysql_server):  # noqa: F811
    connection = connect(mysql_server.endpoint)
    yield connection
    connection.close()


@pytest.fixture
def schema(connection, names):
    execute(connection, f"CREATE DATABASE {names.environment} CHARACTER SET utf8mb4")
    return names.environment
