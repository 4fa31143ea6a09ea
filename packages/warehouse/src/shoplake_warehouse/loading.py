"""Which batches a table still needs, and the statements that load each: planning only.

One batch is one transaction: lock, empty the staging table, COPY, CALL. DELETE and not TRUNCATE, which commits on Redshift.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from shoplake_core.contracts import TableContract
from shoplake_core.errors import ConfigError

from shoplake_warehouse.ddl import LOADS_TABLE, STAGING_SCHEMA, table_name
from shoplake_warehouse.errors import WarehouseAheadError, WarehouseGapError
from shoplake_warehouse.procedures import call_load_procedure

__all__ = [
    "LOADED_BATCHES_SQL",
    "MAX_STATEMENTS_PER_BATCH",
    "BatchLoad",
    "GoldBatch",
    "LoadedTable",
    "gold_batch",
    "load_statements",
    "pending_batches",
    "plan_table_load",
    "text_literal",
]

MAX_STATEMENTS_PER_BATCH = 40  # of the Data API
LOADED_BATCHES_SQL = f"SELECT table_name, MAX(batch) AS batch FROM {LOADS_TABLE} GROUP BY table_name"
_RUN_ID = re.compile(r"^[\w.:/+=@-]{1,256}$")


@dataclass(frozen=True, slots=True, kw_only=True)
class GoldBatch:
    """One commit of a gold table.

    Attributes:
        table: The gold model.
        batch: Number of the commit on this table: 1, 2, 3 ...
        full: Whether the change set is the whole table.
        manifest_url: `s3://` URL of the change set's `manifest.json`; "" where the commit changed no row.
        rows: Rows of the change set, D and I.

    """

    table: str
    batch: int
    full: bool
    manifest_url: str
    rows: int


def gold_batch(table: str, number: int, properties: Mapping[str, str]) -> GoldBatch:
    """The batch of that number, by the properties of its snapshot (docs/data-format.md, the batch log)."""
    changes = properties.get("shoplake.changes", "")
    return GoldBatch(
        table=table,
        batch=number,
        full=properties.get("shoplake.full") == "true",
        manifest_url=f"{changes.rstrip('/')}/manifest.json" if changes else "",
        rows=int(properties.get("shoplake.rows", "0")),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchLoad:
    """One batch and the statements of its one transaction."""

    batch: GoldBatch
    statements: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadedTable:
    """What a load did to one table.

    Attributes:
        table: The gold model.
        batch: Newest batch in the warehouse now; 0 for none.
        loaded: The batches that this call brought, in order.
        rows: Change rows copied by this call, D and I.
        seconds: How long it took.

    """

    table: str
    batch: int
    loaded: tuple[int, ...]
    rows: int
    seconds: float


def text_literal(value: str) -> str:
    """The text as an SQL literal; the caller has checked that it holds no backslash, which Redshift may read as an escape."""
    return "'" + value.replace("'", "''") + "'"


def _checked(value: str, what: str, pattern: re.Pattern[str]) -> str:
    if not pattern.match(value):
        raise ConfigError(f'{what} "{value}" cannot stand in a statement', hint=f"it must match {pattern.pattern}")
    return value


def load_statements(contract: TableContract, batch: GoldBatch, *, run_id: str, iam_role: str) -> tuple[str, ...]:
    """The statements of one batch, for one transaction.

    The lock comes first, so that two loads wait for each other instead of one of them failing with error 1023.

    Raises:
        ConfigError: Run id, role or URL hold characters that none of ours has.

    """
    run = _checked(run_id, "run id", _RUN_ID)
    staging = table_name(STAGING_SCHEMA, contract.name)
    statements = [f"LOCK TABLE {LOADS_TABLE}", f"DELETE FROM {staging}"]
    if batch.manifest_url:
        url = _checked(batch.manifest_url, "manifest URL", re.compile(r"^s3://[\w.!/=%+-]+$"))
        role = _checked(iam_role, "IAM role", re.compile(r"^(default|arn:[\w:/+=,.@-]+)$"))
        credentials = "IAM_ROLE default" if role == "default" else f"IAM_ROLE {text_literal(role)}"
        statements.append(f"COPY {staging} FROM {text_literal(url)} {credentials} FORMAT AS PARQUET MANIFEST")
    statements.append(
        call_load_procedure(contract.name, batch=batch.batch, full=batch.full, run_id_literal=text_literal(run))
    )
    return tuple(statements)


def pending_batches(table: str, batches: Sequence[GoldBatch], *, loaded_batch: int) -> tuple[GoldBatch, ...]:
    """The batches to load, in order: those after the loaded one, from the newest full one of them on.

    Args:
        table: The gold model, for messages.
        batches: The table's known batches, in any order; none means that gold has nothing to offer.
        loaded_batch: Newest batch in the warehouse; 0 for none.

    Raises:
        WarehouseAheadError: The warehouse has a newer batch than gold.
        WarehouseGapError: A batch between is missing and no later one is full.

    """
    ordered = sorted(batches, key=lambda batch: batch.batch)
    if not ordered:
        return ()
    if ordered[-1].batch < loaded_batch:
        raise WarehouseAheadError(
            f"the warehouse holds batch {loaded_batch} of {table}, and gold's newest is {ordered[-1].batch}: "
            "gold was made anew or rolled back",
            hint=f"DELETE FROM {LOADS_TABLE} WHERE table_name = '{table}', then rebuild the model in full and load again",
            table=table,
            loaded_batch=loaded_batch,
        )
    pending = [batch for batch in ordered if batch.batch > loaded_batch]
    full = [number for number, batch in enumerate(pending) if batch.full]
    if full:
        pending = pending[full[-1] :]
    expected = loaded_batch + 1
    for number, batch in enumerate(pending):
        if batch.batch != expected and not (number == 0 and batch.full):
            raise WarehouseGapError(
                f"the warehouse needs batch {expected} of {table} next, and gold offers {batch.batch}, which is not full",
                hint="rebuild the model in full: a full batch needs none before it",
                table=table,
                expected=expected,
                found=batch.batch,
            )
        expected = batch.batch + 1
    return tuple(pending)


def plan_table_load(
    contract: TableContract, batches: Sequence[GoldBatch], *, loaded_batch: int, run_id: str, iam_role: str
) -> tuple[BatchLoad, ...]:
    """Each batch that the table still needs, with its statements.

    Raises:
        WarehouseAheadError, WarehouseGapError: As `pending_batches`.
        ConfigError: As `load_statements`.

    """
    return tuple(
        BatchLoad(batch=batch, statements=load_statements(contract, batch, run_id=run_id, iam_role=iam_role))
        for batch in pending_batches(contract.name, batches, loaded_batch=loaded_batch)
    )
