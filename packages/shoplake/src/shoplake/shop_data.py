"""The simulated shop on this laptop: seeded, and living on."""

from dataclasses import dataclass

from shoplake_mysql.connections import connect

from shoplake.laptop import Laptop

__all__ = ["LiveLoad", "SeededShop", "ledger_path", "live_on", "remove_state", "seed_shop", "shop_order_count"]

_LIVE_SECONDS_AT_MOST = 300.0


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


def shop_order_count(laptop: Laptop) -> int:
    """Orders that the shop holds now; 0 where it does not exist."""
    schema = laptop.workspace.project.config.source_schema
    connection = connect(laptop.mysql)
    try:
        with connection.cursor() as cursor:
            cursor.execute(
                "select count(*) from information_schema.tables where table_schema = %s and table_name = 'orders'",
                (schema,),
            )
            found = cursor.fetchone()
            if not found or not found[0]:
                return 0
            cursor.execute(f"select count(*) from `{schema}`.orders")
            counted = cursor.fetchone()
            return int(counted[0]) if counted else 0
    finally:
        connection.close()
