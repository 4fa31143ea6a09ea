"""`seed`: a shop's whole history written into MySQL, with the ledger of what was planted in it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

import pymysql
from shoplake_core.clock import Clock, SystemClock
from shoplake_core.endpoints import MySqlEndpoint
from shoplake_core.errors import ConfigError, ResourceError
from shoplake_mysql.connections import connect

from shoplake_datagen.ledger import LedgerEntry
from shoplake_datagen.loading import can_load_local, load_table
from shoplake_datagen.schema import create_schema, drop_tables, table_row_counts
from shoplake_datagen.shop import ShopSettings, draw_shop

__all__ = ["SeedProgress", "SeedReport", "ShopNotEmptyError", "seed"]


class ShopNotEmptyError(ConfigError):
    """The schema already holds a shop, and nobody said that it may be replaced."""

    code = "SHOP_NOT_EMPTY"


@dataclass(frozen=True, slots=True, kw_only=True)
class SeedProgress:
    """How far one table is.

    Attributes:
        table: The table that is being written.
        rows: Rows written into it so far.
        of_rows: Rows it will have.
        elapsed_seconds: Since the seeding began.

    """

    table: str
    rows: int
    of_rows: int
    elapsed_seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class SeedReport:
    """What was written.

    Attributes:
        rows: Rows by table.
        seconds: From the first connection to the last commit.
        drawing_seconds: The share of it that drawing the rows took.
        method: "LOAD DATA LOCAL" or "INSERT".
        ledger: Every planted fault.

    """

    rows: Mapping[str, int]
    seconds: float
    drawing_seconds: float
    method: str
    ledger: tuple[LedgerEntry, ...]


def _refuse_other_rows(counts: Mapping[str, int], schema: str) -> None:
    full = {name: count for name, count in counts.items() if count}
    if full:
        found = ", ".join(f"{name} {count:,}" for name, count in full.items())
        raise ShopNotEmptyError(
            f'schema "{schema}" is not empty ({found} rows): seeding writes only into an empty shop',
            hint="name another schema, or pass --replace (replace=True) to drop these tables and start anew",
            schema=schema,
            rows=full,
        )


def seed(  # noqa: PLR0913 - the settings of one shop, all by keyword
    endpoint: MySqlEndpoint,
    *,
    orders: int,
    seed: int = 7,
    reference_time: datetime,
    on_progress: Callable[[SeedProgress], None] = lambda _progress: None,
    replace: bool = False,
    dirt: bool = True,
    history_days: int = 540,
    time_zone: str = "Europe/Berlin",
    schema: str = "shop",
    clock: Clock | None = None,
) -> SeedReport:
    """Write a shop with `orders` orders before `reference_time` into an empty schema.

    Args:
        endpoint: The server; its user needs CREATE, INSERT and, for `replace`, DROP.
        orders: Number of orders.
        seed: Equal seeds and reference times give equal bytes.
        reference_time: The shop's "now", with a zone.
        on_progress: Told after each committed chunk.
        replace: Drop the shop's tables first, children before parents.
        dirt: Plant faults and record them.
        history_days: How far back orders go.
        time_zone: The store's zone.
        schema: Made where it is missing.
        clock: For measuring; the system's by default.

    Raises:
        ShopNotEmptyError: The schema holds rows and `replace` is not set. Nothing was changed.
        ConfigError: A setting is out of range.
        DataError: The server altered a value.
        CredentialError: The server refused the login.
        ResourceError: The server is not there, or refused a statement.

    """
    time = clock or SystemClock()
    began = time.monotonic_seconds()
    settings = ShopSettings(
        orders=orders,
        seed=seed,
        reference_time=reference_time,
        history_days=history_days,
        time_zone=time_zone,
        dirt=dirt,
    )
    connection = connect(endpoint, local_infile=True)
    try:
        if replace:
            drop_tables(connection, schema)
        else:
            _refuse_other_rows(table_row_counts(connection, schema), schema)
        create_schema(connection, schema)
        drawing = time.monotonic_seconds()
        shop = draw_shop(settings)
        drawing_seconds = time.monotonic_seconds() - drawing
        by_local_file = can_load_local(connection)
        written: dict[str, int] = {}
        for rows in shop.tables:
            done = 0

            def report(count: int, name: str = rows.name, of_rows: int = len(rows)) -> None:
                nonlocal done
                done += count
                elapsed = time.monotonic_seconds() - began
                on_progress(SeedProgress(table=name, rows=done, of_rows=of_rows, elapsed_seconds=elapsed))

            written[rows.name] = load_table(connection, schema, rows, by_local_file=by_local_file, on_rows=report)
    except pymysql.MySQLError as error:
        raise ResourceError(
            f"MySQL at {endpoint.host}:{endpoint.port} refused to seed {schema}: {error}",
            hint="see the server's message; the user needs CREATE, DROP, INSERT and REFERENCES on the schema",
        ) from error
    finally:
        connection.close()
    return SeedReport(
        rows=written,
        seconds=time.monotonic_seconds() - began,
        drawing_seconds=drawing_seconds,
        method="LOAD DATA LOCAL" if by_local_file else "INSERT",
        ledger=shop.ledger,
    )
