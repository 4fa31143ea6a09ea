"""Money to the cent and values to the byte, for any input: against Decimal, and against what a server reads back."""

from datetime import datetime, timedelta
from decimal import ROUND_DOWN, ROUND_HALF_UP, Decimal

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from shoplake_datagen.loading import load_table
from shoplake_datagen.money import in_currency, order_amounts, refund_amount
from shoplake_datagen.rows import Column, Form, TableRows, escaped
from shoplake_mysql.connections import connect

CENTS = st.integers(0, 10_000_000)
ORDERS = st.lists(
    st.tuples(
        st.lists(CENTS, min_size=1, max_size=6),
        st.integers(0, 30),
        st.integers(0, 2_500),
        st.integers(0, 3_000),
    ),
    min_size=1,
    max_size=8,
)


@given(ORDERS)
def test_the_amounts_of_any_orders_add_up(orders):
    line_gross = np.array([cents for lines, *_ in orders for cents in lines], dtype=np.int64)
    order_of_line = np.repeat(np.arange(len(orders)), [len(lines) for lines, *_ in orders])
    percent, tax, shipping = (np.array([order[n] for order in orders], dtype=np.int64) for n in (1, 2, 3))
    amounts = order_amounts(
        order_of_line, line_gross, discount_percent=percent, tax_basis_points=tax, shipping_cents=shipping
    )
    start = 0
    for number, (lines, off, tax_points, parcel) in enumerate(orders):
        subtotal = sum(lines)
        discount = int((Decimal(subtotal) * off / 100).quantize(Decimal(1), ROUND_DOWN))
        goods = subtotal - discount
        taxed = int((Decimal(goods) * tax_points / 10_000).quantize(Decimal(1), ROUND_HALF_UP))
        sent = 0 if goods >= 6_000 else parcel
        assert amounts.subtotal[number] == subtotal
        assert amounts.discount[number] == discount
        assert amounts.tax[number] == taxed
        assert amounts.total[number] == goods + taxed + sent
        shares = amounts.line_discount[start : start + len(lines)].tolist()
        assert sum(shares) == discount
        if min(lines) >= 100 or not off:  # prices are never below 95 cents, but for free lines
            assert all(0 <= share <= line for share, line in zip(shares, lines, strict=True))
        start += len(lines)


@given(CENTS, CENTS, st.integers(1, 50), st.data())
def test_a_refund_never_exceeds_what_was_paid(gross, discount, quantity, data):
    discount = min(discount, gross)
    returned = data.draw(st.integers(1, quantity))
    amount = refund_amount(
        np.array([gross]), np.array([discount]), quantity=np.array([quantity]), returned=np.array([returned])
    )[0]
    assert 0 <= amount <= gross - discount
    if returned == quantity:
        assert amount == gross - discount


@given(CENTS, st.integers(100_000, 9_000_000))
def test_a_price_in_another_currency_is_rounded_half_up(cents, rate):
    found = int(in_currency(np.array([cents]), np.array([rate]))[0])
    assert found == (2 * cents * 1_000_000 + rate) // (2 * rate)


def text_of(form, value):
    column = Column(name="x", form=form, values=np.array([value], dtype=np.int64))
    return column.texts(0, 1)[0].decode()


@given(st.integers(-(10**11), 10**11))
def test_fixed_point_text_is_the_decimal_itself(value):
    assert Decimal(text_of(Form.CENTS, value)) == Decimal(value).scaleb(-2)
    assert Decimal(text_of(Form.TEN_THOUSANDTHS, value)) == Decimal(value).scaleb(-4)
    if value >= 0:
        assert Decimal(text_of(Form.MILLIONTHS, value)) == Decimal(value).scaleb(-6)


EPOCH = datetime.fromisoformat("1970-01-01")


@given(st.datetimes(EPOCH, datetime.fromisoformat("2037-12-31")))
def test_timestamps_keep_their_microseconds(moment):
    micros = (moment - EPOCH) // timedelta(microseconds=1)
    assert datetime.fromisoformat(text_of(Form.TIMESTAMP, micros)) == moment
    days = micros // 86_400_000_000
    assert text_of(Form.DATE, days) == moment.date().isoformat()


TEXTS = st.lists(
    st.one_of(st.none(), st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20)),
    min_size=1,
    max_size=20,
)


@pytest.mark.parametrize("by_local_file", [True, False], ids=["LOAD DATA", "INSERT"])
@given(texts=TEXTS)
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_text_arrives_as_it_was_sent(mysql_server, by_local_file, texts):
    """Tabs, line ends, backslashes, quotes and `\\N` itself are data like any other."""
    connection = connect(mysql_server.endpoint, local_infile=True)
    try:
        with connection.cursor() as cursor:
            cursor.execute("CREATE DATABASE IF NOT EXISTS text_trip")
            cursor.execute(
                "CREATE TABLE IF NOT EXISTS text_trip.t (id INT PRIMARY KEY, v VARCHAR(200)) CHARSET utf8mb4"
            )
            cursor.execute("DELETE FROM text_trip.t")
        numbers = np.arange(len(texts), dtype=np.int64)
        rows = TableRows(
            name="t",
            columns=(
                Column(name="id", form=Form.INTEGER, values=numbers),
                Column(name="v", form=Form.POOL, values=numbers, pool=[b""] * len(texts)),
            ),
        )
        for number, text in enumerate(texts):
            rows.plant("v", number, text)
        load_table(connection, "text_trip", rows, by_local_file=by_local_file)
        with connection.cursor() as cursor:
            cursor.execute("SELECT v FROM text_trip.t ORDER BY id")
            assert [row[0] for row in cursor.fetchall()] == texts
    finally:
        connection.close()


def test_escaping_leaves_ordinary_text_alone():
    assert escaped("Grüße 'ok' 🎁") == "Grüße 'ok' 🎁".encode()
