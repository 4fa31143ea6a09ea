"""The whole shop as drawn rows: a pure function of its settings, to the byte."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np
from shoplake_core.errors import ConfigError

from shoplake_datagen.arrivals import arrival_times, store_calendar
from shoplake_datagen.buyers import draw_buyers
from shoplake_datagen.catalogue import WAREHOUSES, category_rows, draw_catalogue, inventory_rows, warehouse_of
from shoplake_datagen.dirt import EMPTY_LINE_EVERY, plant_dirt
from shoplake_datagen.ledger import LedgerEntry
from shoplake_datagen.orders import Sales, draw_sales, item_rows, order_rows
from shoplake_datagen.people import address_rows, customer_rows, draw_countries
from shoplake_datagen.rows import TableRows
from shoplake_datagen.settlement import payment_rows, refund_rows
from shoplake_datagen.stock import movement_rows
from shoplake_datagen.streams import stream
from shoplake_datagen.vocabulary import build_vocabulary

__all__ = ["Shop", "ShopSettings", "draw_shop"]

_MOST_ORDERS = 5_000_000  # about 4 GB of arrays
_FEWEST_PRODUCTS, _MOST_PRODUCTS, _ORDERS_A_PRODUCT = 60, 5_000, 40
_OLDEST = datetime(2000, 1, 1)  # noqa: DTZ001 - compared by its year; orders before it break the shop's contract


@dataclass(frozen=True, slots=True, kw_only=True)
class ShopSettings:
    """What decides every byte of the shop.

    Attributes:
        orders: Number of orders; all else follows from it.
        seed: Equal seeds give equal shops.
        reference_time: The shop's "now", aware; all dates derive from it and nothing happens at it or later.
        history_days: How far back orders go.
        time_zone: The store's zone, whose days, hours and clock changes the orders follow.
        dirt: Whether faults are planted.

    """

    orders: int
    seed: int
    reference_time: datetime
    history_days: int = 540
    time_zone: str = "Europe/Berlin"
    dirt: bool = True

    def __post_init__(self) -> None:
        if not 1 <= self.orders <= _MOST_ORDERS:
            raise ConfigError(
                f"cannot draw {self.orders} orders", hint=f"ask for 1 to {_MOST_ORDERS:,}", orders=self.orders
            )
        if self.seed < 0:
            raise ConfigError(f"the seed {self.seed} is negative", hint="pass 0 or more", seed=self.seed)
        if self.reference_time.tzinfo is None:
            raise ConfigError("the reference time has no zone", hint="write it with one: 2026-01-31T12:00:00+00:00")
        try:
            ZoneInfo(self.time_zone)
        except (ZoneInfoNotFoundError, ValueError) as error:
            raise ConfigError(
                f'"{self.time_zone}" is no time zone',
                hint='pass an IANA name, such as "Europe/Berlin"',
                zone=self.time_zone,
            ) from error
        first_year = (self.reference_time - timedelta(days=max(self.history_days, 1))).year
        if self.history_days < 1 or first_year <= _OLDEST.year:
            raise ConfigError(
                f"a history of {self.history_days} days before {self.reference_time.isoformat()} is not possible",
                hint="ask for 1 day or more, beginning after the year 2000",
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class Shop:
    """Every table's rows, parents first, and the ledger of the faults planted in them."""

    tables: tuple[TableRows, ...]
    ledger: tuple[LedgerEntry, ...]


def _committed(sales: Sales, products: int) -> np.ndarray[tuple[int, ...], np.dtype[np.int64]]:
    """Pieces promised to open orders, product x warehouse."""
    line = np.flatnonzero(sales.is_open[sales.order_of_line])
    place = sales.product[line] * WAREHOUSES + warehouse_of(sales.order_of_line[line] + 1) - 1
    pieces = np.bincount(place, weights=sales.quantity[line], minlength=products * WAREHOUSES)
    return pieces.astype(np.int64).reshape(products, WAREHOUSES)


def draw_shop(settings: ShopSettings) -> Shop:
    """The shop of those settings."""
    seed, vocabulary = settings.seed, build_vocabulary()
    calendar = store_calendar(settings.reference_time, history_days=settings.history_days, time_zone=settings.time_zone)
    products = int(np.clip(settings.orders // _ORDERS_A_PRODUCT, _FEWEST_PRODUCTS, _MOST_PRODUCTS))
    catalogue = draw_catalogue(seed, products, vocabulary, start=calendar.start, end=calendar.end)
    placed_at = arrival_times(stream(seed, "arrivals"), settings.orders, calendar)
    buyers = draw_buyers(seed, placed_at, end=calendar.end)
    countries = draw_countries(stream(seed, "countries"), len(buyers.created_at), vocabulary)
    sales = draw_sales(
        seed,
        vocabulary,
        catalogue,
        calendar,
        placed_at=placed_at,
        customer=buyers.customer,
        customer_place=countries,
    )
    inventory = inventory_rows(seed, _committed(sales, products), end=calendar.end)
    refunds = refund_rows(seed, sales, vocabulary, end=calendar.end)
    tables = (
        category_rows(calendar.start),
        catalogue.rows,
        inventory,
        movement_rows(seed, sales, refunds, inventory, start=calendar.start, end=calendar.end),
        customer_rows(
            seed,
            vocabulary,
            countries=countries,
            created_at=buyers.created_at,
            is_guest=buyers.is_guest,
            end=calendar.end,
        ),
        address_rows(seed, vocabulary, countries=countries, created_at=buyers.created_at, is_guest=buyers.is_guest),
        order_rows(seed, sales, vocabulary),
        item_rows(sales, empty_line_every=EMPTY_LINE_EVERY if settings.dirt else 0),
        payment_rows(seed, sales),
        refunds,
    )
    ledger = tuple(entry for rows in tables for entry in plant_dirt(rows)) if settings.dirt else ()
    return Shop(tables=tables, ledger=ledger)
