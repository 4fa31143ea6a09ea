"""The batch log: what each commit of a run wrote into its snapshot's summary, found by walking the ancestors."""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from shoplake_core.errors import DataError

__all__ = ["Batch", "Snapshot", "batch_log", "newest_batch"]

_PREFIX = "shoplake."


@dataclass(frozen=True, slots=True)
class Snapshot:
    """One Iceberg snapshot.

    Attributes:
        snapshot_id: Iceberg's id.
        property_of: Looks up the summary; None for a name it lacks.

    """

    snapshot_id: int
    property_of: Callable[[str], str | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """One commit of a run.

    Attributes:
        number: 1, 2, 3 ...
        run_id: The run that made it.
        changes: Prefix of its change set; "" for none.
        rows: Rows of the change set, `D` and `I` (gold).
        full: Whether it made the whole table anew. Silver writes no set then: whoever reads takes the table.
        consumed: URL of the consumed record (silver).
        consumed_sha256: Its hash (silver).
        reads: Newest batch of each table read (gold).
        snapshot_id: The snapshot it made, 0 before the commit.

    """

    number: int
    run_id: str
    changes: str = ""
    rows: int = 0
    full: bool = False
    consumed: str = ""
    consumed_sha256: str = ""
    reads: Mapping[str, int] = field(default_factory=dict)
    snapshot_id: int = 0

    def properties(self) -> dict[str, str]:
        """The summary properties that carry it."""
        properties = {
            "batch": str(self.number),
            "run": self.run_id,
            "changes": self.changes,
            "rows": str(self.rows),
            "full": "true" if self.full else "false",
        }
        if self.consumed:
            properties |= {"consumed": self.consumed, "consumed-sha256": self.consumed_sha256}
        if self.reads:
            properties["reads"] = json.dumps(dict(self.reads), sort_keys=True)
        return {_PREFIX + name: value for name, value in properties.items()}


def _batch(snapshot: Snapshot) -> Batch | None:
    def value(name: str) -> str:
        return snapshot.property_of(_PREFIX + name) or ""

    number = value("batch")
    if not number:
        return None
    return Batch(
        number=int(number),
        run_id=value("run"),
        changes=value("changes"),
        rows=int(value("rows") or 0),
        full=value("full") == "true",
        consumed=value("consumed"),
        consumed_sha256=value("consumed-sha256"),
        reads=json.loads(value("reads") or "{}"),
        snapshot_id=snapshot.snapshot_id,
    )


def batch_log(ancestors: Iterable[Snapshot]) -> Iterator[Batch]:
    """The batches of a table, newest first; maintenance snapshots are passed over."""
    return (batch for snapshot in ancestors if (batch := _batch(snapshot)) is not None)


def newest_batch(ancestors: Iterable[Snapshot], *, table: str) -> Batch | None:
    """The newest batch; None for a table that nobody wrote to.

    Raises:
        DataError: The table has rows and no batch: taking everything again would double or lose data.

    """
    has_rows = False
    for snapshot in ancestors:
        batch = _batch(snapshot)
        if batch is not None:
            return batch
        has_rows |= (snapshot.property_of("total-records") or "0") != "0"
    if has_rows:
        raise DataError(
            f"{table} has rows and no record of what it took",
            hint="its snapshots were expired without carrying shoplake.* on; drop the table and reload it",
            table=table,
        )
    return None
