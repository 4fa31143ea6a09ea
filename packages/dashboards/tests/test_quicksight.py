import json
import os
import re
from copy import deepcopy
from dataclasses import replace
from pathlib import Path

import pytest
from shoplake_core.errors import ConfigError
from shoplake_dashboards.quicksight.data_sets import column_types, data_set_request, refresh_properties
from shoplake_dashboards.quicksight.definition import definition_faults, quicksight_definition, sent_hash
from shoplake_dashboards.quicksight.theme import theme_configuration
from shoplake_dashboards.quicksight.validation import _compiled, _shape, model_faults

GOLDEN = Path(__file__).parent / "golden"
NAMES = ["customer_behaviour", "inventory", "pipeline_health", "sales_performance"]


@pytest.fixture(scope="module")
def made(dashboards, contracts):
    def definition(name):
        dashboard = dashboards[name]
        arns = {d.name: f"arn:aws:quicksight:eu-central-1:123456789012:dataset/{d.name}" for d in dashboard.datasets}
        return quicksight_definition(dashboard, contracts, data_set_arns=arns, currency="EUR")

    return definition


@pytest.fixture
def sales(made):
    return deepcopy(made("sales_performance"))


@pytest.fixture
def faults(dashboards, contracts):
    dashboard = dashboards["sales_performance"]
    columns = {d.name: column_types(dashboard, d.name, contracts) for d in dashboard.datasets}
    return lambda definition: definition_faults(definition, columns)


@pytest.mark.parametrize("name", NAMES)
def test_the_definition_is_the_reviewed_one(name, made):
    path = GOLDEN / f"{name}.definition.json"
    text = json.dumps(made(name), indent=1, ensure_ascii=False) + "\n"
    if os.environ.get("SHOPLAKE_UPDATE_GOLDEN"):
        path.write_text(text, "utf-8")
    assert path.read_text("utf-8") == text


def first(definition, kind):
    return next(v[kind] for v in definition["Sheets"][0]["Visuals"] if kind in v)


def break_orientation(d):
    first(d, "BarChartVisual")["ChartConfiguration"]["Orientation"] = "SIDEWAYS"


def break_union(d):
    d["Sheets"][0]["Visuals"][0]["EmptyVisual"] = {"VisualId": "e", "DataSetIdentifier": "sales"}


def break_span(d):
    d["Sheets"][0]["Layouts"][0]["Configuration"]["GridLayout"]["Elements"][0]["ColumnSpan"] = 99


def break_id(d):
    d["Sheets"][0]["SheetId"] = "bad id!"


def break_name(d):
    d["Sheets"][0]["Naem"] = "x"


def break_column(d):
    well = first(d, "PieChartVisual")["ChartConfiguration"]["FieldWells"]["PieChartAggregatedFieldWells"]
    well["Category"][0]["CategoricalDimensionField"]["Column"]["ColumnName"] = "chanel"


def break_date(d):
    well = first(d, "PieChartVisual")["ChartConfiguration"]["FieldWells"]["PieChartAggregatedFieldWells"]
    well["Category"][0]["CategoricalDimensionField"]["Column"]["ColumnName"] = "event_date"


def break_kpi(d):
    del first(d, "KPIVisual")["ChartConfiguration"]["KPIOptions"]["Sparkline"]


def break_label(d):
    del first(d, "LineChartVisual")["ChartConfiguration"]["XAxisLabelOptions"]["AxisLabelOptions"][0]["ApplyTo"]


def break_default(d):
    del d["ParameterDeclarations"][0]["DateTimeParameterDeclaration"]["DefaultValues"]


def break_control(d):
    sheet = d["Sheets"][0]
    gone = sheet["ParameterControls"].pop()["DateTimePicker"]["ParameterControlId"]
    elements = sheet["SheetControlLayouts"][0]["Configuration"]["GridLayout"]["Elements"]
    elements[:] = [e for e in elements if e["ElementId"] != gone]


def break_sheet_name(d):
    d["Sheets"][0]["Name"] = "S"


def break_alt(d):
    del first(d, "KPIVisual")["VisualContentAltText"]


def break_layout(d):
    d["Sheets"][0]["Layouts"][0]["Configuration"]["GridLayout"]["Elements"].pop()


def break_sort(d):
    sorting = first(d, "BarChartVisual")["ChartConfiguration"]["SortConfiguration"]
    sorting["CategorySort"][0]["FieldSort"]["FieldId"] = "by_category.v9"


def break_hierarchy(d):
    del first(d, "BarChartVisual")["ColumnHierarchies"]


def break_twice(d):
    d["Sheets"][0]["Visuals"].append(deepcopy(d["Sheets"][0]["Visuals"][0]))


def break_source(d):
    d["Sheets"][0]["FilterControls"][0]["Dropdown"]["SourceFilterId"] = "filter_chanel"


def break_data_set(d):
    d["DataSetIdentifierDeclarations"].pop()


@pytest.mark.parametrize(
    ("break_it", "fault"),
    [
        (break_orientation, "'SIDEWAYS' is none of HORIZONTAL, VERTICAL"),
        (break_union, "exactly one member is needed, and there are EmptyVisual, KPIVisual"),
        (break_span, "ColumnSpan: 99, at most 36"),
        (break_id, "'bad id!' does not match"),
        (break_name, 'Unknown parameter in Sheets[0]: "Naem"'),
        (break_column, 'no column "chanel" in data set store (did you mean "channel"?)'),
        (break_date, '"event_date" is a date in a CategoricalDimensionField, which draws nothing'),
        (break_kpi, "KPIOptions lacks Sparkline"),
        (break_label, "a CustomLabel without ApplyTo is ignored"),
        (break_default, 'ParameterDeclarations "From": a date parameter without a default shows nothing'),
        (break_sheet_name, "its name has one letter or none, and such a sheet vanishes"),
        (break_alt, "visual net_revenue: has no alt text"),
        (break_layout, '"top_products" is placed 0 times'),
        (break_sort, 'no field "by_category.v9" in the wells'),
        (break_hierarchy, 'no hierarchy "by_category_hierarchy"'),
        (break_twice, 'VisualId "net_revenue" is there more than once'),
        (break_source, 'no filter "filter_chanel" (did you mean "filter_channel"?)'),
        (break_data_set, 'data set "store" is not declared'),
    ],
    ids=lambda value: value.__name__ if callable(value) else "",
)
def test_what_quicksight_would_refuse_or_draw_blank_is_found_offline(break_it, fault, sales, faults):
    assert faults(sales) == []
    break_it(sales)
    assert any(fault in found for found in faults(sales)), faults(sales)


def test_a_period_without_a_control_would_empty_every_visual(dashboards, contracts, made, faults, sales):
    """The filter is bound to the parameter; where nobody can set that, the tiles are empty."""
    sales["FilterGroups"].append(
        {
            "FilterGroupId": "g",
            "Filters": [
                {
                    "TimeRangeFilter": {
                        "FilterId": "f",
                        "Column": {"DataSetIdentifier": "store", "ColumnName": "event_date"},
                        "NullOption": "NON_NULLS_ONLY",
                        "RangeMaximumValue": {"Parameter": "To"},
                    }
                }
            ],
            "ScopeConfiguration": {"AllSheets": {}},
            "CrossDataset": "SINGLE_DATASET",
        }
    )
    assert faults(sales) == []
    break_control(sales)
    assert any('parameter "To" has no control' in fault for fault in faults(sales))


@pytest.mark.parametrize("name", NAMES)
def test_every_data_set_is_a_valid_request_whose_sql_runs(name, dashboards, contracts, sql):
    dashboard = dashboards[name]
    for dataset in dashboard.datasets:
        request = data_set_request(
            dashboard,
            dataset.name,
            contracts=contracts,
            account_id="123456789012",
            data_source_arn="arn:aws:quicksight:eu-central-1:123456789012:datasource/gold",
            prefix="shoplake-dev",
        )
        assert model_faults(request, "CreateDataSetRequest") == []
        assert request["ImportMode"] == ("DIRECT_QUERY" if name == "pipeline_health" else "SPICE")
        source = request["PhysicalTableMap"]["gold"]["CustomSql"]
        rows = sql.execute(source["SqlQuery"])
        assert [column.name for column in rows.description] == [column["Name"] for column in source["Columns"]]
        refresh = refresh_properties(dashboard, dataset.name, lookback_days=35)
        if refresh is not None:
            assert model_faults(refresh, "DataSetRefreshProperties") == []
            window = refresh["RefreshConfiguration"]["IncrementalRefresh"]["LookbackWindow"]
            assert window == {"ColumnName": dataset.date, "Size": 35, "SizeUnit": "DAY"}


@pytest.mark.parametrize("dark", [False, True])
def test_the_theme_is_valid_and_its_digits_upper_case(dark):
    theme = theme_configuration(dark=dark)
    assert model_faults(theme, "ThemeConfiguration") == []
    assert re.findall(r"#[0-9A-Fa-f]{6}", json.dumps(theme)) == re.findall(r"#[0-9A-F]{6}", json.dumps(theme))


def test_the_hash_follows_what_is_sent_and_not_its_order(sales):
    same = dict(reversed(list(sales.items())))
    assert sent_hash(same) == sent_hash(sales)
    assert re.fullmatch("[0-9a-f]{64}", sent_hash(sales))
    other = deepcopy(same)
    break_alt(other)
    assert sent_hash(other) != sent_hash(sales)


def test_a_definition_over_a_limit_is_refused_with_the_dashboard_s_file(dashboards, contracts):
    dashboard = dashboards["pipeline_health"]
    sheet = dashboard.sheets[0]
    many = tuple(replace(sheet.visuals[0], id=f"v{i}") for i in range(76))
    with pytest.raises(ConfigError, match="76 entries, at most 75") as caught:
        quicksight_definition(
            replace(dashboard, sheets=(replace(sheet, visuals=many),)),
            contracts,
            data_set_arns={d.name: "arn" for d in dashboard.datasets},
            currency="EUR",
        )
    assert "edit dashboards/pipeline_health.toml" in str(caught.value)


def test_python_reads_every_pattern_of_the_shapes_we_send():
    """A pattern that only another engine reads would otherwise fail at the first user who meets it."""
    seen, todo = set(), ["DashboardVersionDefinition", "CreateDataSetRequest", "ThemeConfiguration"]
    while todo:
        shape = _shape(todo.pop())
        if shape.name in seen:
            continue
        seen.add(shape.name)
        if pattern := shape.metadata.get("pattern"):
            _compiled(pattern)
        members = [*getattr(shape, "members", {}).values()] if shape.type_name == "structure" else []
        members += (
            [shape.member]
            if shape.type_name == "list"
            else [shape.key, shape.value]
            if shape.type_name == "map"
            else []
        )
        todo += [member.name for member in members]
    assert len(seen) > 900
