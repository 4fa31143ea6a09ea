"""What a page asks of the warehouse: one statement for all numbers and lines that are of the same rows.

Tile by tile, twelve tiles are twenty-two statements, and through the Data API a statement takes longer to hand over than these
rows take to read. Numbers without a dimension, for the period and the one before, are one statement a dataset; all that goes
by the same step of time is another. Bars, rings, tables, pivots and heat maps have an order or a limit of their own and stay
alone.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from shoplake_dashboards.page_state import PageState
from shoplake_dashboards.sql import Contracts, Query, span_query, visual_queries
from shoplake_dashboards.tree import Dashboard, Dimension, Granularity, Kpi, Line, Measure, Visual, measures_of

__all__ = ["Part", "Read", "page_reads", "rows_of"]

_Place: TypeAlias = tuple[str, tuple[Dimension, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """What one tile takes of a statement's rows.

    Attributes:
        tile: The visual's id.
        role: As in `Query`.
        measures: The statement's `v` numbers that are the tile's v0, v1 ...; () where its rows are the tile's as they are.
        is_now: Rows of the period (True) or of the one before; None for all rows.

    """

    tile: str
    role: str
    measures: tuple[int, ...] = ()
    is_now: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Read:
    """One statement, and the tiles that it is for."""

    query: Query
    parts: tuple[Part, ...]


def rows_of(part: Part, rows: Sequence[Mapping[str, Any]]) -> tuple[Mapping[str, Any], ...]:
    """The part's rows, with the columns that the visual's own query would have."""
    if not part.measures:
        return tuple(rows)
    return tuple(
        {name: value for name, value in row.items() if name[0] in "dn"}
        | {f"v{i}": row[f"v{number}"] for i, number in enumerate(part.measures)}
        for row in rows
        if part.is_now is None or bool(row["s"]) is part.is_now
    )


@dataclass(slots=True)
class _Shared:
    """The statement that grows while visuals add their measures to it."""

    measures: list[Measure]
    parts: list[Part]

    def add(self, visual: Visual, role: str, *, is_now: bool | None) -> None:
        numbers = []
        for measure in measures_of(visual):
            same = [
                i for i, known in enumerate(self.measures) if (known.value, known.per) == (measure.value, measure.per)
            ]
            numbers.append(same[0] if same else len(self.measures))
            if not same:
                self.measures.append(measure)
        self.parts.append(Part(tile=visual.id, role=role, measures=tuple(numbers), is_now=is_now))


def page_reads(dashboard: Dashboard, state: PageState, *, contracts: Contracts) -> tuple[Read, ...]:
    """Every statement of the tiles of the sheet that the state shows; each tile's rows are in exactly the roles of its own
    queries (`visual_queries`).
    """
    shared: dict[_Place, _Shared] = {}
    found: list[Read] = []
    compared = {
        (v.dataset, _dimensions(v)) for v in dashboard.sheet(state.sheet).visuals if _compares(dashboard, v, state)
    }

    def put(visual: Visual, role: str, dimensions: tuple[Dimension, ...]) -> None:
        place = (visual.dataset, dimensions)
        is_now = role != "prior" if place in compared else None
        shared.setdefault(place, _Shared([], [])).add(visual, role, is_now=is_now)

    for visual in dashboard.sheet(state.sheet).visuals:
        if not isinstance(visual, Kpi | Line):
            queries = visual_queries(dashboard, visual, state, contracts=contracts)
            found += [Read(query=query, parts=(Part(tile=visual.id, role=query.role),)) for query in queries]
            continue
        put(visual, "main", _dimensions(visual))
        if _compares(dashboard, visual, state):
            put(visual, "prior", _dimensions(visual))
        date = dashboard.dataset(visual.dataset).date
        if isinstance(visual, Kpi) and visual.trend and date and state.period is not None:
            put(visual, "trend", (_step(date, Granularity.DAY),))
    for (name, dimensions), one in shared.items():
        query = span_query(
            dashboard.dataset(name),
            state,
            contracts=contracts,
            dimensions=dimensions,
            measures=one.measures,
            compares=(name, dimensions) in compared,
        )
        found.append(Read(query=query, parts=tuple(one.parts)))
    return tuple(found)


def _step(column: str, granularity: Granularity | None) -> Dimension:
    return Dimension(column=column, label="", granularity=granularity)  # without its label: that makes no other rows


def _dimensions(visual: Visual) -> tuple[Dimension, ...]:
    return (_step(visual.x.column, visual.x.granularity),) if isinstance(visual, Line) else ()


def _compares(dashboard: Dashboard, visual: Visual, state: PageState) -> bool:
    if not isinstance(visual, Kpi | Line):
        return False
    return visual.compare and state.period is not None and bool(dashboard.dataset(visual.dataset).date)
