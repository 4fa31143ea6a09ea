"""Runs queries on a warehouse that speaks PostgreSQL's protocol: read only, and no query longer than a reader waits."""

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import psycopg
from psycopg.rows import dict_row
from shoplake_core.endpoints import WarehouseEndpoint
from shoplake_core.errors import ResourceError

from shoplake_dashboards.page_data import Run
from shoplake_dashboards.sql import Query

__all__ = ["postgres_run"]

_PARAMETER = re.compile(r":(p\d+)\b")  # the query builder writes no literal and no `::`, so a colon is a parameter
_CONNECT_TIMEOUT_SECONDS = 5
_TIMEOUT_MILLISECONDS = 20_000
_WORK_MEMORY = (
    "64MB"  # a warehouse groups in memory; with PostgreSQL's own 4 MB a year of products would be sorted on disk
)


@contextmanager
def postgres_run(endpoint: WarehouseEndpoint) -> Iterator[Run]:
    """A function that runs one `Query`. It raises ResourceError where the warehouse is down or refuses the statement;
    after a failed connection it does not try again, so that a page with twenty tiles does not wait twenty times.
    """
    connection: psycopg.Connection[Any] | None = None
    down = ""
    try:
        connection = psycopg.connect(
            host=endpoint.host,
            port=endpoint.port,
            user=endpoint.user,
            password=endpoint.password,
            dbname=endpoint.database,
            connect_timeout=_CONNECT_TIMEOUT_SECONDS,
            autocommit=True,
            options=f"-c statement_timeout={_TIMEOUT_MILLISECONDS} -c default_transaction_read_only=on -c timezone=UTC"
            f" -c work_mem={_WORK_MEMORY}",
            row_factory=dict_row,
        )
    except psycopg.OperationalError:
        down = f"the warehouse at {endpoint.host}:{endpoint.port} does not answer"

    def run(query: Query) -> Sequence[Mapping[str, Any]]:
        if connection is None or connection.closed:
            raise ResourceError(
                down or "the warehouse closed the connection", hint="is it up? Then load the page again"
            )
        try:
            rows: Sequence[Mapping[str, Any]] = connection.execute(
                _PARAMETER.sub(r"%(\1)s", query.sql.replace("%", "%%")), dict(query.parameters)
            ).fetchall()
        except psycopg.Error as error:
            reason = error.diag.message_primary or str(error).splitlines()[0]
            raise ResourceError(
                f"the warehouse refused the query of {query.tile}: {reason}",
                hint="do its tables match the gold contracts? A run brings them up to date",
            ) from error
        return rows

    try:
        yield run
    finally:
        if connection is not None:
            connection.close()
