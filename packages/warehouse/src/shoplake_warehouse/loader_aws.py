"""Prepares the warehouse and loads gold's batches into it, through a boto3 `redshift-data` client."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from shoplake_core.errors import ConfigError, ShoplakeError
from shoplake_core.suggestions import did_you_mean

from shoplake_warehouse.change_files_aws import ManifestReader, check_change_set
from shoplake_warehouse.data_api_aws import DataApi, Session
from shoplake_warehouse.ddl import create_loads_table, create_schemas
from shoplake_warehouse.errors import WarehouseLoadError
from shoplake_warehouse.evolution import OBSERVED_COLUMNS_SQL, observed_tables, plan_warehouse
from shoplake_warehouse.loading import (
    LOADED_BATCHES_SQL,
    MAX_STATEMENTS_PER_BATCH,
    GoldBatch,
    LoadedTable,
    plan_table_load,
)

if TYPE_CHECKING:
    from shoplake_core.clock import Clock
    from shoplake_core.contracts import TableContract

__all__ = ["load_gold", "loaded_batches", "prepare_warehouse", "prepared_batches"]

Progress = Callable[[str], None]


def _silent(_: str) -> None:
    return None


def prepare_warehouse(
    client: Any,
    *,
    contracts: Mapping[str, TableContract],
    workgroup: str,
    database: str,
    clock: Clock,
    secret_arn: str = "",
) -> int:
    """The number of statements run to bring schemas, tables and procedures to the contracts; safe to run again.

    Raises:
        WarehouseShapeError: A live table differs in a way that no ALTER mends without losing data.
        WarehouseStatementError: The warehouse refused a statement.

    """
    api = DataApi(client, Session(workgroup=workgroup, database=database, secret_arn=secret_arn), clock)
    changes = plan_warehouse(contracts, observed_tables(api.query(OBSERVED_COLUMNS_SQL).rows))
    for start in range(0, len(changes.together), MAX_STATEMENTS_PER_BATCH):
        api.run_together(changes.together[start : start + MAX_STATEMENTS_PER_BATCH])
    for statement in changes.alone:
        api.run(statement)
    return len(changes.together) + len(changes.alone)


def _loaded(api: DataApi) -> dict[str, int]:
    return {str(table): int(batch) for table, batch in api.query(LOADED_BATCHES_SQL).rows}


def loaded_batches(client: Any, *, workgroup: str, database: str, clock: Clock, secret_arn: str = "") -> dict[str, int]:
    """Gold table -> the newest batch that the warehouse holds; a table that was never loaded is missing.

    Raises:
        WarehouseStatementError: The warehouse refused a statement.

    """
    api = DataApi(client, Session(workgroup=workgroup, database=database, secret_arn=secret_arn), clock)
    api.run_together((*create_schemas(), create_loads_table()))
    return _loaded(api)


def prepared_batches(
    client: Any,
    *,
    contracts: Mapping[str, TableContract],
    workgroup: str,
    database: str,
    clock: Clock,
    secret_arn: str = "",
) -> dict[str, int]:
    """What `loaded_batches` says, after the warehouse was brought to the contracts.

    Raises:
        WarehouseShapeError, WarehouseStatementError: As `prepare_warehouse`.

    """
    prepare_warehouse(
        client, contracts=contracts, workgroup=workgroup, database=database, clock=clock, secret_arn=secret_arn
    )
    return _loaded(DataApi(client, Session(workgroup=workgroup, database=database, secret_arn=secret_arn), clock))


@dataclass(frozen=True, slots=True)
class _Load:
    api: DataApi
    clock: Clock
    run_id: str
    iam_role: str
    manifests: ManifestReader | None
    on_progress: Progress

    def table(self, contract: TableContract, batches: Sequence[GoldBatch], loaded_batch: int) -> LoadedTable:
        started_seconds = self.clock.monotonic_seconds()
        loads = plan_table_load(
            contract, batches, loaded_batch=loaded_batch, run_id=self.run_id, iam_role=self.iam_role
        )
        for load in loads:
            if self.manifests is not None and load.batch.manifest_url:
                check_change_set(self.manifests, contract, load.batch)
            self.api.run_together(load.statements)
            self.on_progress(f"{contract.name}: batch {load.batch.batch}, {load.batch.rows} rows")
        return LoadedTable(
            table=contract.name,
            batch=loads[-1].batch.batch if loads else loaded_batch,
            loaded=tuple(load.batch.batch for load in loads),
            rows=sum(load.batch.rows for load in loads),
            seconds=self.clock.monotonic_seconds() - started_seconds,
        )


def load_gold(  # noqa: PLR0913 - each names one thing that only the caller knows
    client: Any,
    *,
    contracts: Mapping[str, TableContract],
    batches: Mapping[str, Sequence[GoldBatch]],
    run_id: str,
    iam_role: str,
    workgroup: str,
    database: str,
    clock: Clock,
    on_progress: Progress = _silent,
    secret_arn: str = "",
    manifests: ManifestReader | None = None,
) -> dict[str, LoadedTable]:
    """Gold table -> what was loaded, after schemas, tables and procedures were brought to the contracts.

    Each batch is one transaction that records itself, so running it again after any failure loads what is missing and
    nothing twice. A table that fails does not keep the others from loading.

    Args:
        client: A boto3 `redshift-data` client.
        contracts: Every gold contract, in reading order.
        batches: Gold table -> all its known batches, in any order; a table without an entry is left alone.
        run_id: Recorded with each batch.
        iam_role: ARN of the role that COPY reads the bucket with, or "default".
        workgroup: Redshift Serverless workgroup.
        database: Database name.
        clock: Where waiting comes from.
        on_progress: Told each loaded batch, as a line.
        secret_arn: Secret of the database user; "" for the caller's IAM identity.
        manifests: Reads manifests and file footers so that a wrong file is named before COPY; None leaves it to COPY,
            which only sees positions and types, never names.

    Raises:
        WarehouseLoadError: At least one table failed; its `tables` holds what was loaded, `failures` the errors.
        WarehouseShapeError, WarehouseStatementError: Nothing was loaded: the warehouse could not be prepared.
        ConfigError: `batches` names a table without contract.

    """
    for table in batches:
        if table not in contracts:
            raise ConfigError(
                f'no gold contract for "{table}"{did_you_mean(table, contracts)}',
                hint=f"write contracts/gold/{table}.toml",
            )
    loaded = prepared_batches(
        client, contracts=contracts, workgroup=workgroup, database=database, clock=clock, secret_arn=secret_arn
    )
    api = DataApi(client, Session(workgroup=workgroup, database=database, secret_arn=secret_arn), clock)
    load = _Load(api, clock, run_id, iam_role, manifests, on_progress)
    done: dict[str, LoadedTable] = {}
    failures: dict[str, ShoplakeError] = {}
    for name, contract in contracts.items():
        if name not in batches:
            continue
        try:
            done[name] = load.table(contract, batches[name], loaded.get(name, 0))
        except ShoplakeError as error:
            failures[name] = error
            on_progress(f"{name}: {error.message}")
    if failures:
        lines = "\n".join(f"  - {name}: {error.message}" for name, error in failures.items())
        raise WarehouseLoadError(
            f"{len(failures)} of {len(failures) + len(done)} tables were not loaded into the warehouse:\n{lines}",
            hint="; ".join(dict.fromkeys(error.hint for error in failures.values() if error.hint)),
            tables=done,
            failures=failures,
        )
    return done
