"""All tables of a job side by side in one Spark application: one fails, the others finish."""

from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from queue import Empty, SimpleQueue
from typing import TypeVar

from pyspark.sql import SparkSession
from shoplake_core.contracts import TableContract
from shoplake_core.errors import ShoplakeError

from shoplake_etl.gold import GoldRun, build_gold_model
from shoplake_etl.gold_reads import GoldSession, ReadTables
from shoplake_etl.silver import SilverRun, build_silver_table
from shoplake_etl.spark_errors import spark_errors_as_ours
from shoplake_etl.summary import ModelSummary, RunSummary, TableError, TableSummary, table_error
from shoplake_etl.tables import create_namespace

__all__ = ["bronze_to_silver", "silver_to_gold"]

_T = TypeVar("_T")
_TABLES_AT_ONCE = 6  # each waits for stores and the catalogue most of the time


def _guarded(table: str, build: Callable[[], _T]) -> _T | TableError:
    try:
        with spark_errors_as_ours(table):
            return build()
    except ShoplakeError as error:
        return table_error(error)


def bronze_to_silver(spark: SparkSession, run: SilverRun, contracts: Mapping[str, TableContract]) -> RunSummary:
    """The summary of the run, after every table has taken what is new in bronze."""
    create_namespace(spark, run.lake.silver.namespace)

    def build(contract: TableContract) -> TableSummary | TableError:
        return _guarded(contract.name, lambda: build_silver_table(spark.newSession(), run, contract))

    with ThreadPoolExecutor(max_workers=_TABLES_AT_ONCE, thread_name_prefix="silver") as pool:
        return RunSummary(
            "bronze_to_silver", run.run_id, dict(zip(contracts, pool.map(build, contracts.values()), strict=True))
        )


def _skipped(contract: TableContract, failed: Iterable[str]) -> TableError:
    names = ", ".join(sorted(failed))
    return TableError(
        "SKIPPED", f"{contract.name} was not built: it reads {names}, which failed", "mend that table, then run again"
    )


def silver_to_gold(spark: SparkSession, run: GoldRun, *, failed_silver: frozenset[str]) -> RunSummary:
    """The summary of the run, after every model has followed what it reads.

    Args:
        spark: The application's session.
        run: What all models share.
        failed_silver: Silver tables that this run could not bring up to date: models that read them are skipped.

    """
    create_namespace(spark, run.lake.gold.namespace)
    results: dict[str, Future[ModelSummary | TableError]] = {}
    tables, idle = ReadTables(run.project, run.lake), SimpleQueue[GoldSession]()

    def built(contract: TableContract) -> ModelSummary:
        try:
            session = idle.get_nowait()
        except Empty:
            session = GoldSession(spark)
        try:
            return build_gold_model(session, run, contract, tables)
        finally:
            idle.put(session)

    def build(contract: TableContract) -> ModelSummary | TableError:
        # Models come in reading order, so what this one waits for was submitted before it
        failed = {read for read in contract.reads if read in results and isinstance(results[read].result(), TableError)}
        failed |= failed_silver & set(contract.reads)
        if failed:
            return _skipped(contract, failed)
        return _guarded(contract.name, lambda: built(contract))

    with ThreadPoolExecutor(max_workers=_TABLES_AT_ONCE, thread_name_prefix="gold") as pool:
        for name, contract in run.project.gold.items():
            results[name] = pool.submit(build, contract)
    return RunSummary("silver_to_gold", run.run_id, {name: future.result() for name, future in results.items()})
