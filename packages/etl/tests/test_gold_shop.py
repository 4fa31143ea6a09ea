"""The reference shop's gold SQL on hand-made rows: each trap with the number that a person works out on paper."""

import pytest
from hand_made_shop import HandMadeShop
from shoplake_core.errors import DataError

pytestmark = pytest.mark.spark


@pytest.fixture(scope="module")
def shop(spark):
    """Store in Berlin, euro. Every trap is one order or two; the comments are the sums on paper."""
    made = HandMadeShop(spark)
    for key in (1, 2, 3):
        made.product(key, price=10 * key)
    made.product(9, price=50)
    made.customer(1, "ann")
    made.customer(2, "bob")
    made.customer(3, "ann", is_guest=True)  # Ann again, without logging in
    made.customer(4, None)  # nobody knows who
    # 1: late refund. 2 x 10.00 - 1.00 on 10 January, 9.50 back on 20 April.
    made.order(1, 1, "2026-01-10T12:00:00", [(1, 2, 10, 1)], tax=2, shipping=4.90)
    made.refund(1, 1, 1, 1, "9.50", "2026-04-20T10:00:00")
    # 2: cancelled on the next day, in dollars at 0.915; each event rounds by itself: 9.15 + 18.31 (20.01 x 0.915 = 18.30915)
    made.order(2, 2, "2026-01-11T12:00:00", [(1, 1, 10, 0), (2, 1, "20.01", 0)], rate="0.915", currency="USD", tax=3,
               cancelled_at="2026-01-12T08:00:00", paid="refunded")  # fmt: skip
    # 3: a guest who is Ann; 23:30 UTC of 28 March is 00:30 of 29 March in Berlin, the night of the clock change.
    made.order(3, 3, "2026-03-28T23:30:00", [(2, 1, 20, 0), (1, 1, 10, 0)])
    # 4: 22:30 UTC of 29 March is 00:30 of 30 March: summer time.
    made.order(4, 2, "2026-03-29T22:30:00", [(3, 1, 30, 0), (1, 1, 0, 0)])  # with a free line
    # 5: a test order
    made.order(5, 2, "2026-03-29T10:00:00", [(3, 100, 30, 0)], is_test=True)
    # 6: a voucher of 50 is sold beside goods of 20; 7: the voucher pays for goods of 30, by somebody without an address
    made.order(6, 1, "2026-04-01T10:00:00", [(9, 1, 50, 0, True), (2, 1, 20, 0)])
    made.order(7, 4, "2026-04-02T10:00:00", [(3, 1, 30, 0)], method="gift_card")
    # stock: 5 come, 7 go, 10 come, 1 comes back: oversold by 2 for a while
    made.move(1, 1, 1, "opening", 5, "2026-01-01T00:00:00")
    made.move(2, 1, 1, "shipment", -4, "2026-01-10T22:59:00")
    made.move(3, 1, 1, "shipment", -3, "2026-01-10T23:01:00")  # 11 January in Berlin
    made.move(4, 1, 1, "receipt", 10, "2026-03-20T08:00:00")
    made.move(5, 1, 1, "return", 1, "2026-04-20T10:00:00")
    made.move(6, 3, 1, "opening", 2, "2026-01-01T00:00:00")
    made.level(1, 1, 9, committed=1)
    made.level(3, 1, 2, committed=2)
    made.level(2, 1, 4)  # a level that no movement explains: a warning, no stop
    return made.build(*made.project.gold)


def test_a_refund_counts_on_its_own_day_and_leaves_the_day_of_the_sale(shop):
    days = ("event_date", "gross_sales", "discounts", "returns", "net_sales")
    assert shop.rows("agg_store_daily", *days, event_date=day(2026, 1, 10)) == [("2026-01-10", 20, 1, 0, 19)]
    assert shop.rows("agg_store_daily", *days, event_date=day(2026, 4, 20)) == [("2026-04-20", 0, 0, 9.5, -9.5)]
    assert shop.rows("fct_refund", "days_after_sale", "placed_date", "refund_date", "line_value") == [
        (100, "2026-01-10", "2026-04-20", 19)
    ]
    assert shop.rows("fct_order", "order_value", "returns", "net_revenue", "refunded_orders", order_id=1) == [
        (19, 9.5, 9.5, 1)
    ]


def test_a_cancelled_order_nets_to_zero_in_the_stores_currency_to_the_cent(shop):
    found = shop.rows("agg_store_daily", "event_date", "orders", "net_sales", "cancellations", "tax", "total_sales")
    assert ("2026-01-11", 1, 27.46, 0, 2.75, 30.21) in found  # 3.00 x 0.915 = 2.745
    assert ("2026-01-12", 0, -27.46, 27.46, -2.75, -30.21) in found
    assert shop.rows("fct_order", "order_value", "net_revenue", "cancelled_orders", order_id=2) == [(27.46, 0, 1)]


def test_an_order_belongs_to_the_stores_day_on_both_sides_of_the_clock_change(shop):
    assert shop.rows("fct_order", "placed_date", order_id=3) == [("2026-03-29",)]
    assert shop.rows("fct_order", "placed_date", order_id=4) == [("2026-03-30",)]
    assert shop.rows("dim_date", "hours_in_day", "day_name", "week_start", date_day=day(2026, 3, 29)) == [
        (23, "Sunday", "2026-03-23")
    ]
    assert shop.rows("dim_date", "hours_in_day", date_day=day(2026, 10, 25)) == [(25,)]
    assert len(shop.gold["dim_date"]) == 730  # 2026 and the year after


def test_a_guest_is_the_person_with_the_same_address_and_who_has_none_is_somebody(shop):
    found = shop.rows("fct_order", "order_id", "person_key", "customer_order_number", "new_orders", "returning_orders")
    assert found == [
        (1, "ann", 1, 1, 0),
        (2, "bob", 1, 1, 0),
        (3, "ann", 2, 0, 1),
        (4, "bob", 2, 0, 1),
        (5, "bob", None, 0, 0),
        (6, "ann", 3, 0, 1),
        (7, "customer-4", 1, 1, 0),
    ]
    # two of three people ordered again; net: Ann 9.50 + 30 + 20, Bob 0 + 30, the third 30
    people = shop.rows("agg_customer_rfm", "person_key", "orders", "repeat_customers", "net_revenue", "recency_days")
    assert people == [("ann", 3, 1, 59.5, 1), ("bob", 2, 1, 30, 3), ("customer-4", 1, 0, 30, 0)]
    assert shop.rows("agg_customer_rfm", "days_to_second_order", "as_of_date", person_key="ann") == [(78, "2026-04-02")]
    # percent ranks 0, 0.5 and 1 are fifths 1, 3 and 5; the two of 30 share the lower rank
    scores = shop.rows("agg_customer_rfm", "recency_score", "frequency_score", "monetary_score", "rfm_group")
    assert scores == [(1, 3, 1, "dormant"), (3, 5, 5, "loyal"), (5, 1, 1, "new")]


def test_a_test_order_is_in_no_figure(shop):
    assert shop.rows("fct_order", "orders", "gross_sales", "tax_store", order_id=5) == [(0, 0, 0)]
    assert shop.rows("fct_sales_event", "is_counted", order_id=5) == [(False,)]
    assert shop.rows("agg_store_daily", "event_date", "gross_sales", event_date=day(2026, 3, 29)) == [
        ("2026-03-29", 30)  # order 3 alone
    ]
    assert shop.rows("fct_payment", "payments", "captured_store", order_id=5) == [(0, 0)]


def test_a_gift_card_is_no_sale_until_it_pays_for_one(shop):
    assert shop.rows("fct_order", "gross_sales", "orders", order_id=6) == [(20, 1)]
    assert shop.rows("agg_sales_daily", "gross_sales", product_id=9) == []
    assert shop.rows("fct_order", "gross_sales", order_id=7) == [(30,)]
    assert shop.rows("fct_payment", "is_gift_card", "captured_store", order_id=7) == [(True, 30)]


def test_the_whole_shop_adds_up_on_paper(shop):
    """Gross 20 + 27.46 + 30 + 30 + 20 + 30, less 1 of discount, 9.50 of returns and 27.46 cancelled."""
    total = {name: sum(float(row[name]) for row in shop.gold["agg_store_daily"]) for name in
             ("orders", "gross_sales", "discounts", "returns", "cancellations", "net_sales", "order_value")}  # fmt: skip
    assert {name: round(value, 2) for name, value in total.items()} == {
        "orders": 6,
        "gross_sales": 157.46,
        "discounts": 1,
        "returns": 9.5,
        "cancellations": 27.46,
        "net_sales": 119.5,
        "order_value": 156.46,
    }
    for table in ("agg_sales_daily", "agg_customer_rfm", "agg_customer_cohort"):
        column = "net_sales" if table == "agg_sales_daily" else "net_revenue"
        assert round(sum(float(row[column]) for row in shop.gold[table]), 2) == 119.5, table


def test_a_cohort_starts_at_month_0_with_everybody_and_has_a_row_for_every_month(shop):
    columns = (
        "cohort_month",
        "month_number",
        "cohort_size",
        "customers",
        "orders",
        "cumulative_net_revenue",
        "retention",
    )
    assert shop.rows("agg_customer_cohort", *columns) == [
        ("2026-01-01", 0, 2, 2, 2, 9.5, 1),
        ("2026-01-01", 1, 2, 0, 0, 9.5, 0),
        ("2026-01-01", 2, 2, 2, 2, 69.5, 1),
        ("2026-01-01", 3, 2, 1, 1, 89.5, 0.5),
        ("2026-04-01", 0, 1, 1, 1, 30, 1),
    ]


def test_oversold_stock_is_shown_and_each_day_opens_with_what_the_last_one_left(shop):
    columns = ("stock_date", "held_until", "opening", "received", "returned", "shipped", "on_hand", "stock_outs")
    assert shop.rows("fct_inventory_daily", *columns, product_id=1) == [
        ("2026-01-01", "2026-01-09", 0, 5, 0, 0, 5, 0),
        ("2026-01-10", "2026-01-10", 5, 0, 0, 4, 1, 0),
        ("2026-01-11", "2026-03-19", 1, 0, 0, 3, -2, 1),
        ("2026-03-20", "2026-04-19", -2, 10, 0, 0, 8, 0),
        ("2026-04-20", None, 8, 0, 1, 0, 9, 0),
    ]


def test_stock_cover_counts_what_is_available_and_no_sale_is_no_demand(shop):
    """28 days to 2 April: product 1 sold 2 (one of them free), 2 sold 2, 3 sold 2; the test order's 100 are nobody's."""
    columns = ("product_id", "on_hand", "available", "units_sold_28d", "days_of_inventory", "cover", "stock_value")
    assert shop.rows("agg_product_stock", *columns) == [
        (1, 9, 8, 2, 112, "90 days or more", 90),
        (2, 0, 0, 2, 0, "sold out", 0),
        (3, 2, 0, 2, 0, "sold out", 60),
        (9, 0, 0, 0, None, "sold out", 0),
    ]
    # 60 of 110 are the first, 100 of 110 with the second: beyond 80 %, and it began below
    assert shop.rows("agg_product_stock", "product_id", "abc_class", "offered_28d") == [
        (1, "B", 10),
        (2, "A", 0),
        (3, "A", 2),
        (9, "C", 0),
    ]
    assert shop.warnings["agg_product_stock"]["movements_sum_to_the_level"]["rows"] == 1


def test_pairs_need_three_orders_and_lift_compares_with_chance(spark):
    made = HandMadeShop(spark)
    made.customer(1, "ann")
    for key in (1, 2):
        made.product(key)
    for key in range(1, 11):  # 10 orders: three with both, four more with 1, three more with 2
        lines = [(1, 1, 10, 0), (2, 1, 10, 0)] if key <= 3 else [(1 if key <= 7 else 2, 1, 10, 0)]
        made.order(key, 1, f"2026-04-{key:02d}T12:00:00", lines)
    made.order(11, 1, "2026-01-01T12:00:00", [(1, 1, 10, 0), (2, 1, 10, 0)])  # before the window
    made.order(12, 1, "2026-04-02T12:00:00", [(1, 1, 10, 0), (2, 1, 10, 0)], cancelled_at="2026-04-02T13:00:00")
    made.build("agg_product_pair")
    # support 3/10, confidence 3/7, lift 3 x 10 / (7 x 6)
    assert shop_pair(made) == [(1, 2, 3, 7, 6, 10, 0.3, 0.428571, 0.7143)]


def shop_pair(made):
    columns = ("pair_orders", "orders_a", "orders_b", "orders", "support", "confidence", "lift")
    return made.rows("agg_product_pair", "product_a", "product_b", *columns)


def test_a_broken_rule_stops_the_model_and_names_the_rows(spark):
    made = HandMadeShop(spark)
    made.customer(1, "ann")
    made.order(1, 1, "2026-01-10T12:00:00", [(1, 1, 10, 0)])
    made.refund(7, 1, 1, 1, "10.01", "2026-01-11T10:00:00")
    with pytest.raises(DataError) as stopped:
        made.build("fct_refund")
    assert 'refunds_stay_within_the_line: 1 rows, such as {"order_id":1,"line_no":1}' in stopped.value.message
    made.silver["refunds"].clear()
    made.order(2, 1, "2027-02-01T12:00:00", [(1, 1, 10, 0)])
    warnings = made.build("fct_order").warnings["fct_order"]
    assert warnings == {"no_future_days": {"rows": 1, "first": ['{"order_id":2,"placed_date":"2027-02-01"}']}}


def day(*parts):
    from datetime import date

    return date(*parts)
