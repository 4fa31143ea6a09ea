"""The simulated shop on this laptop: seeded, and living on."""

import shutil
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from shoplake_datagen.ledger import LedgerEntry, ledger_lines
from shoplake_datagen.load import run_load
from shoplake_datagen.seeding import seed as seed_history
from shoplake_mysql.connections import connect, fetch_all, quote_name

from shoplake.laptop import Laptop, erase_servers
from shoplake.workspace import Workspace

__all__ = ["LiveLoad", "SeededShop", "ledger_path", "live_on", "remove_state", "seed_shop", "shop_order_count"]


@dataclass(frozen=True, slots=True)
class SeededShop:
    """How much was written."""

    row_count: int
    dirt_count: int


@dataclass(frozen=True, slots=True)
class LiveLoad:
    """How much was changed."""

    transaction_count: int
    row_count: int


def ledger_path(workspace: Workspace) -> Path:
    """Where the ledger of planted faults lies: what was planted, and what silver must make of it."""
    return workspace.state_folder / "dirt.jsonl"


def _append_ledger(workspace: Workspace, entries: Iterable[LedgerEntry]) -> None:
    with ledger_path(workspace).open("a", encoding="utf-8") as file:
        file.write(ledger_lines(entries))


def shop_order_count(laptop: Laptop) -> int:
    """Orders that the shop holds now; 0 where it does not exist."""
    schema = laptop.workspace.project.config.source_schema
    connection = connect(laptop.mysql)
    try:
        sql = "SELECT COUNT(*) FROM information_schema.TABLES WHERE TABLE_SCHEMA = %s AND TABLE_NAME = 'orders'"
        if not fetch_all(connection, sql, (schema,))[0][0]:
            return 0
        return int(fetch_all(connection, f"SELECT COUNT(*) FROM {quote_name(schema, 'orders')}")[0][0])
    finally:
        connection.close()


def seed_shop(laptop: Laptop, *, orders: int, seed: int, on_progress: Callable[[str], None]) -> SeededShop:
    """How much was written into the empty shop.

    Raises:
        ShopNotEmptyError: It already holds rows.

    """
    config = laptop.workspace.project.config
    report = seed_history(
        laptop.mysql,
        orders=orders,
        seed=seed,
        reference_time=laptop.clock.now().replace(microsecond=0),
        on_progress=lambda p: on_progress(f"{p.table}: {p.rows:,} of {p.of_rows:,} rows"),
        time_zone=config.store_time_zone,
        schema=config.source_schema,
        clock=laptop.clock,
    )
    ledger_path(laptop.workspace).unlink(missing_ok=True)
    _append_ledger(laptop.workspace, report.ledger)
    return SeededShop(row_count=sum(report.rows.values()), dirt_count=len(report.ledger))


def live_on(laptop: Laptop, *, transactions: int, seed: int, on_progress: Callable[[str], None]) -> LiveLoad:
    """How much a bounded stretch of live transactions changed."""
    report = run_load(
        laptop.mysql,
        transactions=transactions,
        seed=seed,
        schema=laptop.workspace.project.config.source_schema,
        on_progress=lambda p: on_progress(f"{p.transactions:,} of {p.of_transactions:,} transactions"),
        clock=laptop.clock,
    )
    _append_ledger(laptop.workspace, report.ledger)
    return LiveLoad(
        transaction_count=report.completed,
        row_count=sum(count for operations in report.rows.values() for count in operations.values()),
    )


def remove_state(workspace: Workspace) -> None:
    """Delete the state folder of a project whose servers are down."""
    erase_servers(workspace)
    shutil.rmtree(workspace.state_folder, ignore_errors=True)
