"""What a page shows: the rows of every tile with its state, the freshness of the data, the filters' values.

A tile that fails says so in its own place and leaves the others alone. How a query is run is the caller's part.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import Enum
from typing import Any, TypeAlias

from shoplake_core.errors import ShoplakeError
from shoplake_core.logical_types import Kind

from shoplake_dashboards.page_state import PageState
from shoplake_dashboards.reads import page_reads, rows_of
from shoplake_dashboards.sql import (
    MOST_ROWS,
    Contracts,
    Query,
    column_type,
    dimensions_at,
    freshness_queries,
    option_queries,
    visual_queries,
)
from shoplake_dashboards.tree import Bar, Dashboard, Kpi, Visual

__all__ = ["Freshness", "PageData", "Rows", "Run", "TileData", "TileState", "read_page"]

Rows: TypeAlias = tuple[Mapping[str, Any], ...]
Run: TypeAlias = Callable[[Query], Sequence[Mapping[str, Any]]]


class TileState(Enum):
    """What a tile can show."""

    READY = "ready"
    EMPTY = "empty"
    ERROR = "error"


@dataclass(frozen=True, slots=True, kw_only=True)
class TileData:
    """One tile's rows, by the result columns that `sql` names; `message` says why there are none, with the next step."""

    state: TileState
    main: Rows = ()
    prior: Rows = ()
    trend: Rows = ()
    size: Rows = ()
    message: str = ""
    hint: str = ""


@dataclass(frozen=True, slots=True)
class Freshness:
    """How new a dataset is: its first and last day, its last load (UTC), and whether it has rows at all."""

    first_day: date | None
    last_day: date | None
    loaded_at: datetime | None
    is_empty: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class PageData:
    """Everything that one page shows of the warehouse.

    Attributes:
        state: The reader's choices that it was read for.
        tiles: Visual id -> its rows.
        freshness: Dataset -> how new it is; no entry where that could not be read.
        options: Filter column -> its values.
        currency: Of every amount, such as "EUR".
        time_zone: The store's, which decides which day is which.

    """

    state: PageState
    tiles: Mapping[str, TileData]
    freshness: Mapping[str, Freshness] = field(default_factory=dict)
    options: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    currency: str = "EUR"
    time_zone: str = "UTC"


class _Reader:
    """Runs the page's statements; what fails is told of the tiles that it is for."""

    def __init__(self, dashboard: Dashboard, state: PageState, *, contracts: Contracts, run: Run) -> None:
        self.dashboard = dashboard
        self.state = state
        self.contracts = contracts
        self.run = run

    def tiles(self) -> dict[str, TileData]:
        visuals = {visual.id: visual for visual in self.dashboard.sheet(self.state.sheet).visuals}
        found: dict[str, dict[str, Rows]] = {name: {} for name in visuals}
        failed: dict[str, ShoplakeError] = {}
        for read in page_reads(self.dashboard, self.state, contracts=self.contracts):
            names = dict.fromkeys(part.tile for part in read.parts)
            try:
                rows = self.run(read.query)
            except ShoplakeError as error:
                if len(names) == 1:
                    failed |= dict.fromkeys(names, error)
                    continue
                for name in names:  # one of them is at fault: the others are read without it
                    try:
                        found[name] = self._alone(visuals[name])
                    except ShoplakeError as its_own:
                        failed[name] = its_own
                continue
            for part in read.parts:
                found[part.tile].setdefault(part.role, rows_of(part, rows))
        return {
            name: TileData(state=TileState.ERROR, message=failed[name].message, hint=failed[name].hint)
            if name in failed
            else _tile(visual, self.state, found[name])
            for name, visual in visuals.items()
        }

    def _alone(self, visual: Visual) -> dict[str, Rows]:
        queries = visual_queries(self.dashboard, visual, self.state, contracts=self.contracts)
        return {query.role: tuple(self.run(query)) for query in queries}


def _tile(visual: Visual, state: PageState, found: Mapping[str, Rows]) -> TileData:
    main = found["main"]
    if not main or (isinstance(visual, Kpi) and not main[0]["n"]):
        return TileData(state=TileState.EMPTY)
    if len(main) >= MOST_ROWS:
        return TileData(
            state=TileState.ERROR,
            message=f"there are {MOST_ROWS:,} rows or more, and a part of them would be a wrong picture",
            hint="choose a shorter period, or group by a column with fewer values",
        )
    if isinstance(visual, Bar) and dimensions_at(visual, state)[0].granularity is not None:
        main = tuple(sorted(main, key=lambda row: (row["d0"] is None, row["d0"])))  # the newest were asked for
    prior = tuple(row for row in found.get("prior", ()) if row["n"])
    return TileData(
        state=TileState.READY,
        main=main,
        prior=prior,
        trend=found.get("trend", ()),
        size=found.get("size", ()),
    )


def _day(value: Any) -> date | None:
    return value.date() if isinstance(value, datetime) else value


def _time_zone(dashboard: Dashboard, contracts: Contracts, store: str) -> str:
    """Whose days they are: gold's dates are the store's, days cut out of instants are UTC's."""
    kinds = {column_type(d, d.date, contracts).kind for d in dashboard.datasets if d.date}
    return store if not kinds or Kind.DATE in kinds else "UTC"


def read_page(
    dashboard: Dashboard,
    state: PageState,
    *,
    contracts: Contracts,
    run: Run,
    currency: str = "EUR",
    time_zone: str = "UTC",
) -> PageData:
    """The data of the sheet that `state` shows. Never raises an error of ours: a failure is the state of its tile."""
    tiles = _Reader(dashboard, state, contracts=contracts, run=run).tiles()
    freshness: dict[str, Freshness] = {}
    for query in freshness_queries(dashboard, contracts=contracts):
        try:
            (row,) = run(query)
        except ShoplakeError:
            continue  # its tiles say why
        freshness[query.tile] = Freshness(_day(row["d2"]), _day(row["d0"]), row["d1"], row["n"] == 0)
    options: dict[str, tuple[str, ...]] = {}
    for query in option_queries(dashboard, contracts=contracts):
        try:
            options[query.tile] = tuple(str(row["d0"]) for row in run(query) if row["d0"] is not None)
        except ShoplakeError:
            options[query.tile] = ()
    return PageData(
        state=state,
        tiles=tiles,
        freshness=freshness,
        options=options,
        currency=currency,
        time_zone=_time_zone(dashboard, contracts, time_zone),
    )
