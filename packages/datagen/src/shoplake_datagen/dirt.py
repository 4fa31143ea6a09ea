"""The faults that a real shop's data has, planted on purpose; each comes with what silver must make of it.

Kinds take turns over the reserved keys (dirt_keys.py), one fault a row at most.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from shoplake_core.cleaning import Rule

from shoplake_datagen.dirt_keys import is_reserved, reserved_number
from shoplake_datagen.ledger import LedgerEntry, nulled, quarantined, valued
from shoplake_datagen.rows import TableRows

__all__ = ["EMPTY_LINE_EVERY", "FAULTS", "Fault", "empty_line_entry", "fault_of", "plant_dirt"]

EMPTY_LINE_EVERY = 2  # of the reserved orders, each second gets a line of quantity 0
Outcome = tuple[str | None, dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Fault:
    """One kind of fault.

    Attributes:
        kind: Its name in the ledger.
        column: The column it is planted in.
        make: From the clean text that stands there ("" for NULL) to what is planted and the fields of the expectation.

    """

    kind: str
    column: str
    make: Callable[[str], Outcome]


def _fixed(kind: str, column: str, planted: str | None, outcome: dict[str, Any]) -> Fault:
    return Fault(kind, column, lambda _clean: (planted, outcome))


def _padded(kind: str, column: str, left: str, right: str) -> Fault:
    return Fault(kind, column, lambda clean: (f"{left}{clean}{right}", valued(clean) if clean else nulled()))


def _upper(kind: str, column: str) -> Fault:
    return Fault(kind, column, lambda clean: (clean.upper(), valued(clean)))


def _lower(kind: str, column: str) -> Fault:
    return Fault(kind, column, lambda clean: (clean.lower(), valued(clean)))


FAULTS: Mapping[str, tuple[Fault, ...]] = {
    "customers": (
        _padded("email_padded", "email", "  ", " \t"),
        _upper("email_upper_case", "email"),
        _fixed("email_without_at", "email", "anna.example.com", nulled()),
        _fixed("email_blank", "email", "   ", nulled()),
        _fixed("email_null", "email", None, nulled()),
        Fault("duplicate_email", "email", lambda clean: (clean.title(), valued(clean))),
        _padded("name_padded", "full_name", "\u00a0", " \u3000"),
        _fixed("name_blank", "full_name", "", nulled()),
        _fixed("phone_blank", "phone", " ", nulled()),
        _fixed("birth_date_zero", "birth_date", "0000-00-00", nulled()),
        _fixed("birth_date_without_day", "birth_date", "1984-05-00", nulled()),
        _fixed("birth_date_in_the_1500s", "birth_date", "1587-03-02", nulled()),
        _fixed("birth_date_in_the_future", "birth_date", "2199-01-01", nulled()),
        _lower("country_lower_case", "country"),
        _fixed("country_unknown", "country", "D1", quarantined(Rule.PATTERN, "country")),
        _fixed("loyalty_unpadded", "loyalty_since", "2023-4-7", valued("2023-04-07")),
        _fixed("loyalty_day_first", "loyalty_since", " 7/11/2022", valued("2022-11-07")),
        _fixed("loyalty_rubbish", "loyalty_since", "since forever", nulled()),
        _fixed("loyalty_impossible_day", "loyalty_since", "31/2/2021", nulled()),
        _fixed(
            "created_before_the_shop",
            "created_at",
            "1999-12-31 23:59:59.999999",
            quarantined(Rule.MINIMUM, "created_at"),
        ),
    ),
    "addresses": (
        _padded("line_padded", "line1", "\t", " \u200b"),
        _fixed("line_blank", "line1", "  ", nulled()),
        _fixed("city_blank", "city", "", nulled()),
        _lower("country_lower_case", "country"),
        _fixed("postcode_lower_case", "postcode", " sw1a 1aa", valued("SW1A 1AA")),
        _fixed("country_unknown", "country", "??", quarantined(Rule.PATTERN, "country")),
    ),
    "categories": (_padded("name_padded", "name", "  ", " "),),
    "products": (
        _fixed("weight_negative", "weight_grams", "-1", nulled()),
        _padded("title_padded", "title", " ", "\u00a0"),
        _lower("sku_lower_case", "sku"),
        _lower("currency_lower_case", "currency"),
    ),
    "orders": (
        _upper("channel_upper_case", "channel"),
        _fixed("channel_unknown", "channel", "fax", quarantined(Rule.ACCEPTED, "channel")),
        _padded("channel_padded", "channel", " ", "  "),
        _fixed("exchange_rate_zero", "exchange_rate", "0.000000", quarantined(Rule.MINIMUM, "exchange_rate")),
        _fixed("note_blank", "note", " \n ", nulled()),
        _lower("currency_lower_case", "currency"),
        _fixed("channel_null", "channel", None, quarantined(Rule.NULL, "channel")),
        _lower("ship_country_lower_case", "ship_country"),
        _fixed("channel_blank", "channel", "  ", quarantined(Rule.ACCEPTED, "channel")),
        _fixed("note_padded", "note", "\ufeff ring twice\t", valued("ring twice")),
    ),
    "payments": (_lower("currency_lower_case", "currency"),),
    "refunds": (
        _fixed("reason_blank", "reason", "   ", nulled()),
        _fixed("reason_padded", "reason", "\u3000too small\r\n", valued("too small")),
    ),
}

# The key whose reservation decides, and the key columns that name a row in the ledger.
_RESERVING_KEY = {
    "customers": "customer_id",
    "addresses": "address_id",
    "categories": "category_id",
    "products": "product_id",
    "orders": "order_id",
    "payments": "order_id",
    "refunds": "order_id",
}
_OWN_KEY = _RESERVING_KEY | {"payments": "payment_id", "refunds": "refund_id"}


def fault_of(table: str, key: int) -> Fault:
    """The fault whose turn it is at that reserved key."""
    faults = FAULTS[table]
    return faults[reserved_number(key) % len(faults)]


def empty_line_entry(order_id: int, line_no: int) -> LedgerEntry:
    """The entry of an order line with quantity 0."""
    return LedgerEntry(
        table="order_items",
        key={"order_id": order_id, "line_no": line_no},
        column="quantity",
        kind="quantity_zero",
        planted="0",
        **quarantined(Rule.MINIMUM, "quantity"),
    )


def _clean_text(rows: TableRows, column: str, row: int) -> str:
    text = rows.column(column).texts(row, row + 1)[0]
    return "" if text is None else text.decode()


def plant_dirt(rows: TableRows) -> Iterator[LedgerEntry]:
    """Plant each fault of that table and yield its ledger entry."""
    if rows.name == "order_items":
        keys, lines = rows.column("order_id").values, rows.column("line_no").values
        for row in (rows.column("quantity").values == 0).nonzero()[0].tolist():
            yield empty_line_entry(int(keys[row]), int(lines[row]))
        return
    if rows.name not in FAULTS:
        return
    keys = rows.column(_RESERVING_KEY[rows.name]).values
    own_keys = rows.column(_OWN_KEY[rows.name]).values
    for row in is_reserved(keys).nonzero()[0].tolist():
        fault = fault_of(rows.name, int(keys[row]))
        # A duplicate is the e-mail of the customer before, who is never a reserved one.
        source = row - 1 if fault.kind == "duplicate_email" else row
        planted, outcome = fault.make(_clean_text(rows, fault.column, source))
        rows.plant(fault.column, row, planted)
        yield LedgerEntry(
            table=rows.name,
            key={_OWN_KEY[rows.name]: int(own_keys[row])},
            column=fault.column,
            kind=fault.kind,
            planted=planted,
            **outcome,
        )
