"""A wrong file names itself, the path of each fault and the nearest right name."""

import pytest
from shoplake_core.errors import ConfigError
from shoplake_dashboards.checking import check_dashboard
from shoplake_dashboards.loading import dashboards_from_files
from shoplake_dashboards.parsing import parse_dashboard

RIGHT = """
title = "T"
question = "Q?"
[dates]
default = "last_7_days"
periods = ["last_7_days"]
[[filters]]
column = "channel"
label = "Channel"
[[datasets]]
name = "sales"
table = "agg_sales_daily"
date = "event_date"
[[datasets.joins]]
table = "dim_product"
on = ["product_id"]
columns = ["title"]
[[sheets]]
name = "overview"
title = "Overview"
[[sheets.visuals]]
kind = "kpi"
id = "revenue"
title = "Revenue"
alt = "Revenue."
dataset = "sales"
value = { sum = "net_sales", unit = "currency" }
[[sheets.visuals]]
kind = "bar"
id = "by_title"
title = "By title"
alt = "By title."
dataset = "sales"
category = { column = "title" }
value = { sum = "net_sales" }
"""
FIRST, SECOND = "sheets[0].visuals[0]", "sheets[0].visuals[1]"


def checked(text, contracts):
    return check_dashboard(parse_dashboard(text, name="mine", where="dashboards/mine.toml"), contracts)


def test_the_right_file_is_read(contracts):
    dashboard = checked(RIGHT, contracts)
    assert [visual.id for visual in dashboard.visuals] == ["revenue", "by_title"]


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ('sum = "net_sales", unit', 'sum = "net_sale", unit', f'{FIRST}.value.sum: no column "net_sale" in dataset sales (agg_sales_daily) (did you mean "net_sales"?)'),
        ('sum = "net_sales", unit', 'sum = "channel", unit', f'{FIRST}.value.sum: "channel" is string(20): a dimension, not a number'),
        ('sum = "net_sales", unit', 'sum = "product_id", unit', f'{FIRST}.value.sum: "product_id" is part of the key of agg_sales_daily: count it'),
        ('sum = "net_sales", unit', 'summ = "net_sales", unit', f'{FIRST}.value.summ: unknown field (did you mean "sum"?)'),
        ('sum = "net_sales", unit', 'sum = "net_sales", max = "orders", unit', f"{FIRST}.value: exactly one of sum, count,"),
        ('unit = "currency"', 'unit = "curency"', f"{FIRST}.value.unit: 'curency' is none of"),
        ('unit = "currency"', 'where = { chanel = "web" }', f'{FIRST}.value.where.chanel: no column "chanel"'),
        ('unit = "currency"', "where = { channel = 3 }", f"{FIRST}.value.where.channel: 3 does not fit a column of type string(20)"),
        ('alt = "Revenue."', "", f"{FIRST}.alt: missing: say what a reader who cannot see it should know"),
        ('title = "Revenue"', 'title = " "', f"{FIRST}.title: missing"),
        ('kind = "kpi"', 'kind = "kpy"', f'{FIRST}.kind: "kpy" is none of kpi, line, bar, donut, table, pivot, heat_map (did you mean "kpi"?)'),
        ('kind = "kpi"', 'kind = "donut"', f"{FIRST}.category: missing"),
        ('id = "revenue"', 'id = "by_title"', 'visuals: "by_title" is there more than once'),
        ('id = "revenue"', 'id = "by title"', f'{FIRST}.id: "by title" is not snake_case'),
        ('dataset = "sales"\nvalue', 'dataset = "sale"\nvalue', f'{FIRST}.dataset: no dataset "sale" (did you mean "sales"?)'),
        ('column = "title"', 'column = "titel"', f'{SECOND}.category.column: no column "titel"'),
        ('column = "title"', 'column = "gross_sales"', f'{SECOND}.category.column: "gross_sales" is decimal(20,2): a measure, not a dimension'),
        ('column = "title"', 'column = "title", by = "month"', f'{SECOND}.category.by: "title" is string(120): only a date has a granularity'),
        ('table = "agg_sales_daily"', 'table = "agg_sale_daily"', 'datasets[0].table: no gold table "agg_sale_daily" (did you mean "agg_sales_daily"?)'),
        ('date = "event_date"', 'date = "channel"', 'datasets[0].date: "channel" is string(20), and a date or time is needed'),
        ('on = ["product_id"]', 'on = ["channel"]', "datasets[0].joins[0].on: must be the whole key of dim_product (product_id): else rows multiply"),
        ('columns = ["title"]', 'columns = ["titel"]', 'datasets[0].joins[0].columns: no column "titel" in dim_product (did you mean "title"?)'),
        ('default = "last_7_days"', 'default = "last_week"', 'dates.default: "last_week" is not among `periods`'),
        ('periods = ["last_7_days"]', 'periods = ["last_7_day"]', 'dates.periods[0]: no period "last_7_day" (did you mean "last_7_days"?)'),
        ('column = "channel"', 'column = "chanel"', 'filters[0].column: no dataset has "chanel" (did you mean "channel"?)'),
        ('column = "channel"', 'column = "orders"', 'filters[0].column: "orders" is no text: a category is needed'),
        ('question = "Q?"', "", "question: missing"),
        ('value = { sum = "net_sales" }', 'value = { sum = "net_sales" }\nwidth = 40', f"{SECOND}.width: 40 is not a whole number from 6 to 36"),
        ('value = { sum = "net_sales" }', 'value = { max = "event_date" }', f'{SECOND}.value.unit: the newest or oldest time has unit = "time"'),
    ],
)  # fmt: skip
def test_one_fault_is_one_sentence_with_its_path(old, new, fault, contracts):
    assert old in RIGHT
    with pytest.raises(ConfigError) as caught:
        checked(RIGHT.replace(old, new, 1), contracts)
    assert f"  - {fault}" in str(caught.value)
    assert str(caught.value).startswith("dashboards/mine.toml is not a valid dashboard")
    assert str(caught.value).endswith("next: edit dashboards/mine.toml")


def test_every_fault_is_reported_at_once(contracts):
    text = RIGHT.replace('"net_sales"', '"net_sals"').replace('column = "channel"', 'column = "chanel"')
    with pytest.raises(ConfigError) as caught:
        checked(text, contracts)
    assert len(caught.value.faults) == 3


@pytest.mark.parametrize(
    ("visual", "fault"),
    [
        ('kind = "line"\nx = { column = "event_date" }\nvalues = [{ sum = "orders" }]', "x.by: missing"),
        ('kind = "line"\nx = { column = "event_date", by = "week" }\nvalues = [{ sum = "orders" }]\ncompare = true', "compare: only days lie on the days before"),
        ('kind = "line"\nx = { column = "event_date", by = "day" }\nvalues = [{ sum = "orders" }, { sum = "net_sales", unit = "currency" }]', "values: lines of one picture share one axis"),
        ('kind = "donut"\ncategory = { column = "channel" }\nvalue = { average = "net_sales" }', "value: a donut shows shares of a whole"),
        ('kind = "table"\ngroup_by = [{ column = "channel" }]\nvalues = [{ sum = "orders" }]\nsort_by = 1', "sort_by: there are only 1 values"),
        ('kind = "kpi"\nvalue = { metric = "aovv" }', 'value.metric: no metric "aovv" (did you mean "aov"?)'),
        ('kind = "kpi"\nvalue = { metric = "aov" }', 'value.metric: "aov" is defined over agg_store_daily, and dataset sales is agg_sales_daily'),
        ('kind = "kpi"\nvalue = { metric = "aov", unit = "count" }', "value.unit: the metric says it already"),
    ],
)  # fmt: skip
def test_a_picture_that_would_mislead_is_refused(visual, fault, contracts):
    """Beside the form: units that do not mix, shares of no whole, a metric over another table."""
    head = RIGHT.split("[[sheets.visuals]]", maxsplit=1)[0]
    text = f'{head}[[sheets.visuals]]\n{visual}\nid = "v"\ntitle = "V"\nalt = "V."\ndataset = "sales"\n'
    catalogue = """
[aov]
title = "Average order value"
table = "agg_store_daily"
date = "event_date"
formula = "sum(order_value) / sum(orders)"
grain = "any"
unit = "currency"
owner = "sales"
definition = "D."
source = "S"
"""
    with pytest.raises(ConfigError) as caught:
        dashboards_from_files({"dashboards/mine.toml": text, "metrics.toml": catalogue}, contracts)
    assert f"{FIRST}.{fault}" in str(caught.value)


@pytest.mark.parametrize(
    ("roll_up", "faults"),
    [
        ('{ table = "agg_sales_month", date = "event_month" }', ['table: no gold table "agg_sales_month" (did you mean "agg_sales_monthly"?)']),
        ('{ table = "agg_sales_monthly" }', ["roll_up.date: missing"]),
        ('{ table = "dim_date", date = "date_day" }', ["table: the key of dim_date must be channel, date_day, product_id, ship_country: the same rows by the month", "table: dim_date.week_start is no column of agg_sales_daily"]),
        ('{ table = "agg_sales_monthly", date = "event_month", totals = ["net_sales"] }', ['totals: "net_sales" is no text in the key of agg_sales_monthly']),
        ('{ table = "agg_sales_monthly", date = "channel" }', ['date: "channel" must be a date: the first of the month']),
        ("3", ["roll_up: a table is needed, and it is 3"]),
    ],
)  # fmt: skip
def test_a_roll_up_that_is_not_the_table_by_the_month_is_refused(roll_up, faults, contracts):
    right = RIGHT.replace('date = "event_date"', 'date = "event_date"\nroll_up = {}')
    given = '{ table = "agg_sales_monthly", date = "event_month", totals = ["channel", "ship_country"] }'
    assert checked(right.replace("{}", given, 1), contracts).datasets[0].roll_up.date == "event_month"
    with pytest.raises(ConfigError) as caught:
        checked(right.replace("{}", roll_up, 1), contracts)
    for fault in faults:
        assert fault in str(caught.value)


@pytest.mark.parametrize(
    "text", ["", "title = 3", "sheets = 1", "[[sheets]]\nvisuals = 3", "datasets = [1]", "title = "]
)
def test_any_toml_is_refused_with_a_message(text, contracts):
    with pytest.raises(ConfigError, match=r"dashboards/mine\.toml"):
        checked(text, contracts)
