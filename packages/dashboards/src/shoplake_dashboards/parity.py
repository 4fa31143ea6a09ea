"""Which rendering shows which field of the tree. Every field of every visual and filter has an entry for both, or this module
cannot be imported: a new field can be forgotten in neither.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from enum import Enum
from typing import Any

from shoplake_core.errors import ConfigError

from shoplake_dashboards.tree import (
    Bar,
    CategoryFilter,
    Dashboard,
    DateFilter,
    Dimension,
    Donut,
    HeatMap,
    Kpi,
    Line,
    Pivot,
    Table,
    named_dimensions,
)

__all__ = ["PARITY", "LeftOut", "Rendering", "account_for", "left_out"]


class Rendering(Enum):
    """What a dashboard is rendered as."""

    PAGE = "page"
    QUICKSIGHT = "quicksight"


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A field that one rendering does not show, and why."""

    why: str


_SHOWN = None
_Entry = Mapping[Rendering, LeftOut | None]
_BOTH: _Entry = {Rendering.PAGE: _SHOWN, Rendering.QUICKSIGHT: _SHOWN}


def _page_only(why: str) -> _Entry:
    return {Rendering.PAGE: _SHOWN, Rendering.QUICKSIGHT: LeftOut(why)}


_COMMON: Mapping[str, _Entry] = dict.fromkeys(("id", "title", "alt", "dataset", "width", "height", "note"), _BOTH)
_COMMON = {**_COMMON, "empty": _page_only("QuickSight has one message for all visuals of a dashboard without rows")}
PARITY: Mapping[type[Any], Mapping[str, _Entry]] = {
    Kpi: {
        **_COMMON,
        "value": _BOTH,
        "compare": _BOTH,
        "trend": _page_only("with a trend group QuickSight shows the last day's number instead of the period's"),
    },
    Line: {**_COMMON, "x": _BOTH, "values": _BOTH, "compare": _BOTH},
    Bar: {**_COMMON, "category": _BOTH, "value": _BOTH, "top": _BOTH, "drill": _BOTH},
    Donut: {**_COMMON, "category": _BOTH, "value": _BOTH, "top": _BOTH},
    Table: {
        **_COMMON,
        "group_by": _BOTH,
        "values": _BOTH,
        "sort_by": _BOTH,
        "ascending": _BOTH,
        "limit": _page_only("a QuickSight table scrolls over all of its rows"),
        "compare": _BOTH,
    },
    Pivot: {**_COMMON, "rows": _BOTH, "columns": _BOTH, "value": _BOTH},
    HeatMap: {
        **_COMMON,
        "rows": _BOTH,
        "columns": _BOTH,
        "value": _BOTH,
        "size": _page_only("a row's name in QuickSight is its value alone"),
        "month": _page_only("QuickSight cannot mark one cell"),
    },
    Dimension: {
        "column": _BOTH,
        "label": _BOTH,
        "granularity": _BOTH,
        "order": _page_only("QuickSight sorts by name or number"),
    },
    CategoryFilter: {"column": _BOTH, "label": _BOTH},
    DateFilter: {
        "default": _BOTH,
        "periods": _page_only("a reader in QuickSight sets two dates; they start with the default period"),
    },
}


def _check_registry() -> None:
    for kind, entries in PARITY.items():
        names = {field.name for field in fields(kind)}
        if names != set(entries) or any(set(entry) != set(Rendering) for entry in entries.values()):
            missing = ", ".join(sorted(names ^ set(entries))) or "a rendering"
            raise ConfigError(f"the parity registry and {kind.__name__} differ: {missing}", hint="edit parity.py")


_check_registry()


def account_for(node: Any, rendering: Rendering) -> None:
    """Nothing, where the rendering accounts for every field of the visual or filter.

    Raises:
        ConfigError: It is of a kind that the registry does not have.

    """
    if node.__class__ not in PARITY:
        raise ConfigError(
            f"the {rendering.value} rendering does not know a {type(node).__name__}", hint="enter it in parity.py"
        )


def left_out(dashboard: Dashboard, rendering: Rendering) -> Iterator[tuple[str, str, str]]:
    """What of this dashboard the rendering does not show: visual id (or "dates"), field, and why."""
    nodes: list[tuple[str, Any]] = [(visual.id, visual) for visual in dashboard.visuals]
    for visual in dashboard.visuals:
        nodes += [(visual.id, dimension) for _, dimension in named_dimensions(visual)]
    nodes += [("dates", dashboard.dates)] if dashboard.dates is not None else []
    for name, node in nodes:
        for field, entry in PARITY[type(node)].items():
            treatment = entry[rendering]
            if treatment is not None and getattr(node, field):
                yield name, field, treatment.why
