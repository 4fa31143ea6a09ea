"""One PostgreSQL and one small gold for the session; a headless Chromium where this machine has one."""

import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest
from shoplake_core.contracts import TableContract
from shoplake_core.endpoints import WarehouseEndpoint
from shoplake_core.project import project_from_folder
from shoplake_dashboards.loading import all_contracts, dashboards_from_folder
from shoplake_dashboards.page_data import PageData, Run, read_page
from shoplake_dashboards.page_state import page_state_from_url
from shoplake_dashboards.postgres_rows import postgres_run
from shoplake_dashboards.tree import Dashboard
from shoplake_engines.testing import PostgresServer, postgres_server  # noqa: F401

sys.path.insert(0, str(Path(__file__).parent))  # for the module beside the tests
import small_gold


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "browser: drives a headless Chromium; skipped where there is none")


SHOP = Path(__file__).parents[3] / "shop"


@pytest.fixture(scope="session")
def contracts() -> dict[str, TableContract]:
    return all_contracts(project_from_folder(SHOP).gold)


@pytest.fixture(scope="session")
def dashboards(contracts: dict[str, TableContract]) -> dict[str, Dashboard]:
    return dashboards_from_folder(SHOP, contracts)


def _connect(endpoint: WarehouseEndpoint) -> psycopg.Connection:
    return psycopg.connect(
        host=endpoint.host,
        port=endpoint.port,
        user=endpoint.user,
        password=endpoint.password,
        dbname=endpoint.database,
        autocommit=True,
    )


def make_database(server: WarehouseEndpoint, name: str) -> WarehouseEndpoint:
    with _connect(server) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    return replace(server, database=name)


@pytest.fixture(scope="session")
def gold(postgres_server: PostgresServer, contracts: dict[str, TableContract]) -> WarehouseEndpoint:  # noqa: F811
    """A database with the small gold."""
    endpoint = make_database(postgres_server.endpoint, "small_gold")
    with _connect(endpoint) as connection:
        small_gold.create_gold(connection, contracts)
        small_gold.fill_gold(connection, contracts)
    return endpoint


@pytest.fixture(scope="session")
def empty_gold(postgres_server: PostgresServer, contracts: dict[str, TableContract]) -> WarehouseEndpoint:  # noqa: F811
    """The same tables without a row; `agg_sales_daily` has lost a column."""
    endpoint = make_database(postgres_server.endpoint, "empty_gold")
    with _connect(endpoint) as connection:
        small_gold.create_gold(connection, contracts)
        connection.execute("ALTER TABLE gold.agg_sales_daily DROP COLUMN net_sales")
    return endpoint


@pytest.fixture(scope="session")
def run(gold: WarehouseEndpoint) -> Iterator[Run]:
    with postgres_run(gold) as runner:
        yield runner


@pytest.fixture(scope="session")
def sql(gold: WarehouseEndpoint) -> Iterator[psycopg.Connection]:
    """A connection for a test's own, direct SQL."""
    with _connect(gold) as connection:
        yield connection


@pytest.fixture(scope="session")
def read(dashboards: dict[str, Dashboard], contracts: dict[str, TableContract], run: Run) -> Callable[..., PageData]:
    """`read("sales_performance", "?period=last_7_days")` on the small gold, on its own day."""

    def made(name: str, url: str = "", *, using: Run = run) -> PageData:
        state = page_state_from_url(dashboards[name], url, today=small_gold.TODAY)
        return read_page(
            dashboards[name], state, contracts=contracts, run=using, currency="EUR", time_zone="Europe/Berlin"
        )

    return made
