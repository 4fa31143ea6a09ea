"""The metrics catalogue: the shop's own is right, and each fault is named with its place."""

from pathlib import Path

import pytest
from shoplake_core.errors import ConfigError
from shoplake_core.metrics import METRICS_FILE_NAME, MetricUnit, parse_metrics
from shoplake_core.project import project_from_bundle, project_from_folder

SHOP = Path(__file__).parents[3] / "shop"
GOLD = project_from_folder(SHOP).gold
AOV = """
[aov]
title = "Average order value"
table = "agg_store_daily"
date = "event_date"
formula = "sum(order_value) / sum(orders)"
grain = "any set of days"
unit = "currency"
owner = "sales"
definition = "Gross sales less discounts, by orders."
source = "https://example.com"
"""


def parsed(*change):
    return parse_metrics(AOV.replace(*change) if change else AOV, GOLD, where=METRICS_FILE_NAME)


def test_a_ratio_is_a_sum_by_a_sum_and_nothing_is_divided_by_zero():
    aov = parsed()["aov"]
    assert (aov.numerator, aov.denominator, aov.unit) == ("order_value", "orders", MetricUnit.CURRENCY)
    assert aov.sql == '1.0 * SUM("order_value") / NULLIF(SUM("orders"), 0)'
    plain = parsed("sum(order_value) / sum(orders)", "sum(orders)")["aov"]
    assert (plain.columns, plain.sql) == (("orders",), 'SUM("orders")')


def test_the_shops_own_metrics_fit_its_gold_tables():
    project = project_from_folder(SHOP)
    metrics = project.metrics
    assert project_from_bundle(project.bundle()).metrics == metrics
    asked_for = {
        "gross_sales",
        "net_revenue",
        "total_sales",
        "orders",
        "aov",
        "refund_rate_by_value",
        "refund_rate_by_order",
    }
    asked_for |= {
        "repeat_purchase_rate",
        "returning_share",
        "cohort_retention",
        "clv_historic",
        "units_sold",
        "stock_value",
    }
    assert asked_for | {"days_of_inventory", "sell_through", "stock_outs"} <= set(metrics)
    assert len({metric.title for metric in metrics.values()}) == len(metrics)
    assert {name for name, metric in metrics.items() if metric.lower_is_better} >= {
        "stock_outs",
        "refund_rate_by_value",
    }


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        pytest.param(
            ("agg_store_daily", "agg_store_dayly"),
            'aov.table: no gold table "agg_store_dayly" (did you mean "agg_store_daily"?)',
            id="table",
        ),
        pytest.param(
            ("sum(orders)", "sum(order)"),
            'aov.formula: gold table agg_store_daily has no column "order" (did you mean "orders"?)',
            id="column",
        ),
        pytest.param(
            ("sum(orders)", "sum(channel)"), "agg_store_daily.channel is string(20): only numbers", id="text-column"
        ),
        pytest.param(("sum(orders)", "avg(orders)"), "neither sum(column) nor", id="mean"),
        pytest.param(('unit = "currency"', 'unit = "euro"'), 'aov.unit: "euro" is none of', id="unit"),
        pytest.param(
            ("event_date", "event_day"), 'aov.date: gold table agg_store_daily has no column "event_day"', id="date"
        ),
        pytest.param(
            ('owner = "sales"', 'ownr = "sales"'), 'aov.ownr: unknown field (did you mean "owner"?)', id="field"
        ),
        pytest.param(('owner = "sales"', ""), "aov.owner: missing", id="missing"),
        pytest.param(('owner = "sales"', "lower_is_better = 1"), "true or false is needed, and it is 1", id="type"),
        pytest.param(("[aov]", "[AOV]"), "snake_case", id="name"),
        pytest.param(("[aov]", "x = 1\n[aov]"), "must be a table of fields", id="no-table"),
        pytest.param(("[aov]", "[aov"), "not valid TOML", id="toml"),
    ],
)
def test_a_fault_is_named_with_file_and_path(change, fault):
    with pytest.raises(ConfigError) as caught:
        parsed(*change)
    assert fault in caught.value.message
    assert METRICS_FILE_NAME in caught.value.message
