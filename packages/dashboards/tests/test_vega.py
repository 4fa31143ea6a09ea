"""Every specification is valid Vega-Lite, compiles without a warning, and never lets data into an expression."""

import json
import os
from pathlib import Path
from typing import Any

import altair as alt
import pytest
import vl_convert
from shoplake_dashboards.page import VEGA_LITE_VERSION, visual_spec
from shoplake_dashboards.vega.common import DARK, LIGHT, themed

GOLDEN = Path(__file__).parent / "golden"
NAMES = ["customer_behaviour", "inventory", "pipeline_health", "sales_performance"]


@pytest.fixture(scope="module")
def specs(dashboards, read):
    found: dict[str, Any] = {}
    for name in NAMES:
        data = read(name, "?period=last_28_days")
        for visual in dashboards[name].visuals:
            spec = visual_spec(dashboards[name], visual, data)
            if spec is not None:
                found[f"{name}.{visual.id}"] = spec
    return found


def test_every_specification_is_valid_in_both_themes(specs):
    assert len(specs) == 11
    for spec in specs.values():
        for colours in (LIGHT, DARK):
            finished = themed(spec, colours)
            assert "@" not in json.dumps(
                {**finished, "data": None, "layer": [{**e, "data": None} for e in finished["layer"]]}
            )
        alt.Chart.from_dict(finished | {"width": 600}, validate=True)
        vl_convert.vegalite_to_vega(finished | {"width": 600}, vl_version=VEGA_LITE_VERSION)


def test_a_picture_can_be_made_without_a_browser(specs):
    spec = themed(specs["customer_behaviour.retention"], LIGHT) | {"width": 900, "background": "white"}
    picture = vl_convert.vegalite_to_png(spec, vl_version=VEGA_LITE_VERSION)
    assert picture.startswith(b"\x89PNG")
    assert len(picture) > 20_000


@pytest.mark.parametrize(
    "name",
    [
        "sales_performance.net_revenue_by_day",
        "customer_behaviour.retention",
        "inventory.value_by_category",
        "sales_performance.by_channel",
    ],
)
def test_the_specification_is_the_reviewed_one(name, specs):

    path = GOLDEN / f"{name}.spec.json"
    text = json.dumps(specs[name], indent=1, ensure_ascii=False) + "\n"
    if os.environ.get("SHOPLAKE_UPDATE_GOLDEN"):
        path.write_text(text, "utf-8")
    assert path.read_text("utf-8") == text
