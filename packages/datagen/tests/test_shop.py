"""The drawn shop: byte-equal by seed and reference time, exact in its money, and holding the traps it must hold."""

import subprocess
import sys
from datetime import UTC, datetime
from hashlib import sha256

import numpy as np
import pytest
from shoplake_core.errors import ConfigError
from shoplake_datagen import Shop, ShopSettings, draw_shop
from shoplake_datagen.arrivals import MICROSECONDS_A_DAY, microseconds_of, store_calendar
from shoplake_datagen.orders import CANCELLED, PENDING
from shoplake_datagen.rows import TableRows
from shoplake_datagen.settlement import PAYMENT_STATUSES

REFERENCE = datetime(2026, 3, 31, 12, tzinfo=UTC)  # two days after a change to summer time


def drawn(orders=4_000, seed=7, reference_time=REFERENCE, **settings) -> Shop:
    return draw_shop(ShopSettings(orders=orders, seed=seed, reference_time=reference_time, **settings))


def digest(shop: Shop) -> str:
    text = sha256()
    for rows in shop.tables:
        for _, chunk in rows.tsv_chunks(1_000):
            text.update(chunk)
    return text.hexdigest()


def table(shop: Shop, name: str) -> TableRows:
    return next(rows for rows in shop.tables if rows.name == name)


@pytest.fixture(scope="module")
def shop() -> Shop:
    return drawn()


def test_equal_seed_and_reference_time_give_equal_bytes_in_another_process(shop):
    """GEN-02: neither the clock nor the process's hash seed reaches the output."""
    program = (
        "import sys; from datetime import UTC, datetime; from hashlib import sha256\n"
        "from shoplake_datagen import ShopSettings, draw_shop\n"
        "s = draw_shop(ShopSettings(orders=4_000, seed=7, reference_time=datetime(2026, 3, 31, 12, tzinfo=UTC)))\n"
        "d = sha256(); [d.update(c) for r in s.tables for _, c in r.tsv_chunks(777)]; print(d.hexdigest())"
    )
    found = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=120)
    assert found.stdout.strip() == digest(shop)


@pytest.mark.parametrize(
    "other",
    [{"seed": 8}, {"reference_time": datetime(2026, 3, 31, 12, 0, 1, tzinfo=UTC)}],
    ids=["another seed", "a second later"],
)
def test_another_seed_or_reference_time_gives_other_bytes(shop, other):
    assert digest(drawn(**other)) != digest(shop)


def test_nothing_happens_at_or_after_the_reference_time(shop):
    end = microseconds_of(REFERENCE)
    for rows in shop.tables:
        for column in rows.columns:
            if column.form.name == "TIMESTAMP":
                shown = column.values if column.nulls is None else column.values[~column.nulls]
                assert shown.max(initial=0) < end, f"{rows.name}.{column.name}"


def test_order_totals_and_line_discounts_add_up_to_the_cent(shop):
    orders, items = table(shop, "orders"), table(shop, "order_items")
    cents = {name: orders.column(name).values for name in ("subtotal", "discount", "tax", "shipping", "total")}
    assert (cents["total"] == cents["subtotal"] - cents["discount"] + cents["tax"] + cents["shipping"]).all()
    order = items.column("order_id").values - 1
    gross = items.column("unit_price").values * items.column("quantity").values
    assert (gross % 100 == 0).all()
    discount = items.column("discount").values
    assert (np.bincount(order, gross // 100) == cents["subtotal"]).all()
    assert (np.bincount(order, discount) == cents["discount"]).all()
    assert (discount >= 0).all()
    assert (discount <= gross // 100).all()


def test_captured_payments_cover_every_order_that_went_on(shop):
    orders, payments = table(shop, "orders"), table(shop, "payments")
    captured = payments.column("status").values == PAYMENT_STATUSES.index("captured")
    paid = np.bincount(
        payments.column("order_id").values - 1, payments.column("amount").values * captured, minlength=len(orders)
    )
    status, total = orders.column("status").values, orders.column("total").values
    open_or_cancelled = (status == PENDING) | (status == CANCELLED)
    assert (paid[~open_or_cancelled] == total[~open_or_cancelled]).all()
    assert (paid[open_or_cancelled] == 0).all()


def test_refunds_stay_within_their_line_and_follow_the_sale(shop):
    items, refunds, orders = (table(shop, name) for name in ("order_items", "refunds", "orders"))
    keys = zip(items.column("order_id").values.tolist(), items.column("line_no").values.tolist(), strict=True)
    line = {key: number for number, key in enumerate(keys)}
    value = items.column("unit_price").values * items.column("quantity").values // 100 - items.column("discount").values
    late = 0
    for order, line_no, quantity, amount, at in zip(
        *(refunds.column(n).values.tolist() for n in ("order_id", "line_no", "quantity", "amount", "refunded_at")),
        strict=True,
    ):
        number = line[order, line_no]
        assert 0 <= amount <= value[number]
        assert 1 <= quantity <= items.column("quantity").values[number]
        placed_at = orders.column("placed_at").values[order - 1]
        assert at > placed_at
        late += at - placed_at > 30 * MICROSECONDS_A_DAY
    assert late > 0, "no late refund was drawn"


def test_movements_sum_to_the_stock_and_some_was_oversold_on_the_way(shop):
    levels, moves = table(shop, "inventory_levels"), table(shop, "stock_movements")
    place = (moves.column("product_id").values - 1) * 3 + moves.column("warehouse_id").values - 1
    pieces = moves.column("quantity").values
    assert (np.bincount(place, pieces, len(levels)) == levels.column("on_hand").values).all()
    assert (np.diff(moves.column("moved_at").values) >= 0).all()
    running = np.zeros(len(levels), dtype=np.int64)
    lowest = running.copy()
    for number, count in zip(place.tolist(), pieces.tolist(), strict=True):
        running[number] += count
        lowest[number] = min(lowest[number], running[number])
    assert ((lowest < 0) & (running > 0)).any()


def test_keys_are_unique_and_accounts_never_share_an_address(shop):
    """GEN-01: uniqueness comes from the id in each address, not from a list that can run out."""
    for name, key in (
        ("customers", ("customer_id",)),
        ("addresses", ("address_id",)),
        ("order_items", ("order_id", "line_no")),
        ("payments", ("payment_id",)),
        ("refunds", ("refund_id",)),
    ):
        rows = table(shop, name)
        assert len(set(zip(*(rows.column(k).values.tolist() for k in key), strict=True))) == len(rows)
    clean = table(drawn(dirt=False), "customers")
    emails, is_guest = clean.column("email").texts(0, len(clean)), clean.column("is_guest").values
    accounts = [email for email, guest in zip(emails, is_guest, strict=True) if not guest]
    assert len(set(accounts)) == len(accounts)
    skus = table(shop, "products").column("sku").texts(0, 60)
    assert len(set(skus)) == len(skus)


def test_the_history_holds_the_traps(shop):
    orders, items = table(shop, "orders"), table(shop, "order_items")
    calendar = store_calendar(REFERENCE, history_days=540, time_zone="Europe/Berlin")
    placed_at = orders.column("placed_at").values
    changes = calendar.changes()
    assert len(changes) == 4  # two autumns, two springs
    for change in changes:
        assert (np.abs(placed_at - change) <= 5_400_000_000).sum() >= 6
    to_midnight = calendar.wall_clock(placed_at) % MICROSECONDS_A_DAY
    assert ((to_midnight < 120_000_000) | (to_midnight > MICROSECONDS_A_DAY - 120_000_000)).sum() >= len(orders) // 200
    assert len(np.unique(orders.column("currency").values)) == 3
    assert (orders.column("status").values == CANCELLED).any()
    assert orders.column("is_test").values.any()
    assert table(shop, "customers").column("is_guest").values.any()
    assert (table(shop, "inventory_levels").column("on_hand").values < 0).any()
    assert (items.column("unit_price").values % 100 != 0).any()
    assert (items.column("unit_price").values == 0).any()
    assert (np.bincount(orders.column("customer_id").values) > 1).any()
    assert items.column("is_gift_card").values.any()
    customers = table(shop, "customers")
    emails = np.array(customers.column("email").texts(0, len(customers)))
    guests = customers.column("is_guest").values == 1
    assert np.isin(emails[guests], emails[~guests]).any()


def test_every_reference_names_a_row_that_exists(shop):
    customers = len(table(shop, "customers"))
    assert table(shop, "orders").column("customer_id").values.max() <= customers
    assert table(shop, "addresses").column("customer_id").values.max() <= customers
    assert table(shop, "order_items").column("product_id").values.max() <= len(table(shop, "products"))
    created = table(shop, "customers").column("created_at").values
    customer = table(shop, "orders").column("customer_id").values - 1
    assert (created[customer] <= table(shop, "orders").column("placed_at").values).all()


@pytest.mark.parametrize("zone", ["UTC", "America/New_York", "Asia/Kolkata"])
def test_the_evening_is_busy_and_the_night_quiet_on_any_stores_clock(zone):
    calendar = store_calendar(REFERENCE, history_days=540, time_zone=zone)
    placed_at = table(drawn(orders=8_000, time_zone=zone), "orders").column("placed_at").values
    hour = calendar.wall_clock(placed_at) % MICROSECONDS_A_DAY // 3_600_000_000
    per_hour = np.bincount(hour, minlength=24)
    assert per_hour[19:22].sum() > 8 * per_hour[2:5].sum()


@pytest.mark.parametrize("orders", [1, 2, 13])
def test_tiny_shops_can_be_drawn(orders):
    assert len(table(drawn(orders=orders), "orders")) == orders


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"orders": 0}, "cannot draw 0 orders"),
        ({"seed": -1}, "negative"),
        ({"reference_time": REFERENCE.replace(tzinfo=None)}, "no zone"),
        ({"history_days": 40_000}, "not possible"),
        ({"time_zone": "Europe/Atlantis"}, "no time zone"),
    ],
    ids=["orders", "seed", "zone", "history", "zone name"],
)
def test_impossible_settings_are_refused_at_once(settings, message):
    with pytest.raises(ConfigError, match=message):
        drawn(**settings)
