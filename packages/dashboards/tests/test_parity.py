"""Both renderings account for every field of every visual: what the registry says is shown is read, what is left out is not."""

from dataclasses import fields, replace
from typing import get_args

import pytest
from shoplake_core.errors import ConfigError
from shoplake_dashboards import parity
from shoplake_dashboards.page import dash_page
from shoplake_dashboards.page_data import TileData, TileState, read_page
from shoplake_dashboards.page_state import page_state_from_url
from shoplake_dashboards.parity import PARITY, Rendering, account_for, left_out
from shoplake_dashboards.quicksight.definition import quicksight_definition
from shoplake_dashboards.tree import Visual
from small_gold import TODAY


class Watched:
    """A visual that notes which of its fields are read."""

    def __init__(self, node):
        object.__setattr__(self, "node", node)
        object.__setattr__(self, "reads", set())

    @property
    def __class__(self):
        return type(object.__getattribute__(self, "node"))

    def __getattribute__(self, name):
        if name in {"node", "reads", "__class__"}:
            return object.__getattribute__(self, name)
        object.__getattribute__(self, "reads").add(name)
        return getattr(object.__getattribute__(self, "node"), name)


@pytest.fixture(scope="module")
def reads(dashboards, contracts, run):
    """Rendering -> kind of visual -> the fields that it read, over all dashboards of the shop."""
    found = {rendering: {} for rendering in Rendering}
    for dashboard in dashboards.values():
        for rendering in Rendering:
            watched = [tuple(Watched(v) for v in sheet.visuals) for sheet in dashboard.sheets]
            sheets = tuple(replace(s, visuals=w) for s, w in zip(dashboard.sheets, watched, strict=True))
            copy = replace(dashboard, sheets=sheets)
            if rendering is Rendering.PAGE:
                state = page_state_from_url(copy, "", today=TODAY)
                data = read_page(copy, state, contracts=contracts, run=run)
                dash_page(copy, data)
                dash_page(copy, replace(data, tiles=dict.fromkeys(data.tiles, TileData(state=TileState.EMPTY))))
            else:
                arns = {d.name: "arn" for d in copy.datasets}
                quicksight_definition(copy, contracts, data_set_arns=arns, currency="EUR")
            for visual in (v for w in watched for v in w):
                found[rendering].setdefault(visual.__class__, set()).update(visual.reads)
    return found


@pytest.mark.parametrize("rendering", Rendering)
@pytest.mark.parametrize("kind", get_args(Visual))
def test_what_is_registered_as_shown_is_read_and_what_is_left_out_is_not(kind, rendering, reads):
    entries = {name: entry[rendering] for name, entry in PARITY[kind].items()}
    assert reads[rendering][kind] == {name for name, left in entries.items() if left is None}


def test_a_new_field_without_an_entry_cannot_be_imported(monkeypatch):
    kind = get_args(Visual)[0]
    monkeypatch.setitem(parity.PARITY, kind, {k: v for k, v in PARITY[kind].items() if k != "trend"})
    with pytest.raises(ConfigError, match="the parity registry and Kpi differ: trend"):
        parity._check_registry()


def test_a_kind_without_an_entry_raises():
    with pytest.raises(ConfigError, match="does not know a int"):
        account_for(3, Rendering.QUICKSIGHT)


def test_what_quicksight_leaves_out_is_said_with_its_reason(dashboards):
    found = {(name, field) for name, field, _ in left_out(dashboards["sales_performance"], Rendering.QUICKSIGHT)}
    assert ("net_revenue", "trend") in found
    assert ("top_products", "limit") in found
    assert ("dates", "periods") in found
    assert not any(field in {"value", "title"} for _, field in found)
    assert list(left_out(dashboards["sales_performance"], Rendering.PAGE)) == []


def test_every_visual_of_the_tree_is_registered():
    assert {kind for kind in PARITY if "alt" in {f.name for f in fields(kind)}} == set(get_args(Visual))
