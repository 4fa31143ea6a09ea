"""Which data sets QuickSight reads anew, and whether all of each or its newest days. Pure.

What QuickSight has read last is asked of itself: the id of an ingestion ends with the warehouse's batches that it read,
`<run>_<batch>-<batch>_<attempt>`. So a refresh that failed, or was refused as one too many, is made up for by the next plan.

An incremental refresh replaces the rows of its look-back window alone. It is chosen where nothing older can have changed:
one batch since, not a full one, of the data set's main table only, whose rows, as they were and as they are, all have
dates well within the window. https://docs.aws.amazon.com/quicksight/latest/user/refreshing-imported-data.html
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from shoplake_core.errors import ConfigError
from shoplake_warehouse.loading import GoldBatch

__all__ = ["Refresh", "SpiceDataSet", "planned_refresh", "spice_data_sets"]

FULL, INCREMENTAL = "FULL_REFRESH", "INCREMENTAL_REFRESH"
_UNDER_WAY = frozenset({"INITIALIZED", "QUEUED", "RUNNING"})
_OURS = re.compile(r"(?P<run>.+)_(?P<batches>\d+(?:-\d+)*)_(?P<attempt>\d+)")
_LONGEST_RUN = 64  # of an id's 128 characters
# the window begins at an hour of QuickSight's, and the store's day is another one: two days off are on the safe side
_DAYS_OF_DOUBT = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class SpiceDataSet:
    """A data set that SPICE holds.

    Attributes:
        id: Its DataSetId.
        tables: The gold tables that it reads; the first one is its grain, the others are joined.
        date: The column of its look-back window; "" where each refresh is a full one.
        days: How far that window goes back.

    """

    id: str
    tables: tuple[str, ...]
    date: str = ""
    days: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Refresh:
    """One ingestion to begin, or to go on waiting for."""

    data_set: str
    ingestion: str
    type: str
    why: str

    def as_json(self) -> dict[str, str]:
        """As the state machine takes it."""
        return {"data_set": self.data_set, "ingestion": self.ingestion, "type": self.type, "why": self.why}


def spice_data_sets(documents: Iterable[Mapping[str, Any]]) -> tuple[SpiceDataSet, ...]:
    """The data sets of an event.

    Raises:
        ConfigError: One is not as infra writes it.

    """
    found = []
    for document in documents:
        try:
            made = SpiceDataSet(**{**document, "tables": tuple(document["tables"])})
        except (TypeError, KeyError) as error:
            raise ConfigError(f"{document!r} is no data set: {error}", hint="apply the environment again") from error
        found.append(made)
    return tuple(found)


def planned_refresh(
    data_set: SpiceDataSet,
    *,
    batches: Mapping[str, Sequence[GoldBatch]],
    ingestions: Sequence[Mapping[str, Any]],
    oldest: Callable[[str, str], date | None],
    today: date,
    run_id: str,
) -> Refresh | None:
    """The data set's refresh; None where it has read all, or where nothing of it is in the warehouse yet. Pure.

    Args:
        data_set: What is refreshed.
        batches: Table -> the batches that gold knows and the warehouse holds.
        ingestions: The data set's, as QuickSight lists them, in any order.
        oldest: Table and column -> the oldest date in the table's newest batch; None where one of its rows has none, or it
            has no rows.
        today: In UTC, as QuickSight counts.
        run_id: Begins the ingestion's id.

    """
    held = [max((one.batch for one in batches.get(table, ())), default=0) for table in data_set.tables]
    if not all(held):
        return None
    read = _last_read(data_set, ingestions)
    news = None
    if read is not None:
        news = [
            _News(table, [one for one in batches[table] if one.batch > since], now - since)
            for table, since, now in zip(data_set.tables, read, held, strict=True)
        ]
    if news is not None and not any(one.is_any for one in news):
        return None
    stem = f"{_in_an_id(run_id)}_{'-'.join(map(str, held))}"
    same = [one for one in ingestions if one["IngestionId"].rpartition("_")[0] == stem]
    for one in same:
        if one["IngestionStatus"] in _UNDER_WAY:
            return Refresh(
                data_set=data_set.id, ingestion=one["IngestionId"], type=one["RequestType"], why="it is under way"
            )
    why = _why_full(data_set, news, oldest=oldest, today=today)
    return Refresh(
        data_set=data_set.id,
        ingestion=f"{stem}_{len(same)}",
        type=FULL if why else INCREMENTAL,
        why=why or "all that has changed lies in its window",
    )


@dataclass(frozen=True, slots=True)
class _News:
    """A table's batches that a data set has not read: those that gold still knows, and how many there were."""

    table: str
    known: Sequence[GoldBatch]
    count: int

    @property
    def changing(self) -> list[GoldBatch]:
        return [one for one in self.known if one.manifest_url]

    @property
    def is_any(self) -> bool:
        """Whether rows may have changed; fewer than none: gold was rolled back."""
        return bool(self.changing) or len(self.known) != self.count


def _why_full(
    data_set: SpiceDataSet,
    news: Sequence[_News] | None,
    *,
    oldest: Callable[[str, str], date | None],
    today: date,
) -> str:
    """Why an incremental refresh would leave SPICE with other rows; "" where it would not."""
    if not data_set.date:
        return "it has no look-back window"
    if news is None:
        return "no refresh of ours is known to have read all of it"
    main, *joined = news
    if changed := [one.table for one in joined if one.is_any]:
        return f"{', '.join(changed)} changed, which rows of any day show"
    if any(one.full for one in main.known):
        return f"{main.table} was built anew"
    if main.count != len(main.known) or len(main.changing) > 1:
        return f"{main.table} has {main.count} batches that it has not read"
    first = oldest(main.table, data_set.date)
    if first is None or first < today - timedelta(days=data_set.days - _DAYS_OF_DOUBT):
        return f"{main.table} changed on {first or 'no known day'}, which may lie before its {data_set.days} days"
    return ""


def _last_read(data_set: SpiceDataSet, ingestions: Sequence[Mapping[str, Any]]) -> list[int] | None:
    """The batches that the newest whole refresh of ours has read, by table; None where none counts.

    A changed definition is read by QuickSight itself, and that may have failed: then none before it counts.
    """
    ordered = sorted(ingestions, key=lambda one: one["CreatedTime"])
    last: list[int] | None = None
    for one in ordered:
        if one.get("RequestType") in {"EDIT", "INITIAL_INGESTION"}:
            last = None
        matched = _OURS.fullmatch(one["IngestionId"])
        whole = one["IngestionStatus"] == "COMPLETED" and not one.get("RowInfo", {}).get("RowsDropped")
        if matched is not None and whole:
            read = [int(batch) for batch in matched["batches"].split("-")]
            last = read if len(read) == len(data_set.tables) else None
    return last


def _in_an_id(run_id: str) -> str:
    # https://docs.aws.amazon.com/goto/WebAPI/quicksight/CreateIngestion says which characters
    return re.sub(r"[^A-Za-z0-9-]", "-", run_id)[:_LONGEST_RUN]
