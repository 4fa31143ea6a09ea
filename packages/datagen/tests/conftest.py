"""A real server, with the shop seeded once for the tests that only read."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from shoplake_datagen import SeedReport, seed
from shoplake_engines.testing import mysql_server, mysql_server_factory  # noqa: F401
from shoplake_mysql.connections import connect

REFERENCE = datetime(2026, 3, 31, 12, tzinfo=UTC)


@pytest.fixture(scope="session")
def seeded(mysql_server) -> SeedReport:  # noqa: F811 - the fixture itself
    """A shop of 6,000 orders in the schema `read_shop`, which no test changes."""
    return seed(mysql_server.endpoint, orders=6_000, seed=7, reference_time=REFERENCE, schema="read_shop")


@pytest.fixture
def connection(mysql_server) -> Iterator:  # noqa: F811 - the fixture itself
    """A connection of the test's own, with all rights."""
    opened = connect(mysql_server.endpoint)
    yield opened
    opened.close()
