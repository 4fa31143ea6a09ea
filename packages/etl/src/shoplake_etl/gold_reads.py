"""What the models of one run read: each table is looked up once, and each session keeps the rows it has opened."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import chain
from threading import Lock

from pyspark.sql import DataFrame, SparkSession
from shoplake_core.contracts import TableContract
from shoplake_core.errors import ResourceError
from shoplake_core.project import Project

from shoplake_etl.batches import Batch, batch_log, newest_batch
from shoplake_etl.layout import Lake
from shoplake_etl.tables import IcebergTable, load_table

__all__ = ["GoldSession", "ReadTable", "ReadTables"]

_EXACT_DATES = "spark.sql.datetime.java8API.enabled"


@dataclass(slots=True)
class ReadTable:
    """One table that models read, as it stands for the whole run.

    Attributes:
        contract: Its contract.
        name: Full name in Spark SQL.
        newest: Its newest batch.
        row_count: Rows that it holds.

    """

    contract: TableContract
    name: str
    newest: Batch
    row_count: int
    _older: Iterator[Batch]
    _log: list[Batch]
    _lock: Lock = field(default_factory=Lock)

    def since(self, number: int) -> tuple[tuple[Batch, ...], bool]:
        """The batches after `number`, newest first, and whether their change sets do not tell all that changed."""
        if self.newest.number == number:
            return (), False
        with self._lock:
            while self._log[-1].number > number and (batch := next(self._older, None)) is not None:
                self._log.append(batch)
            pending = tuple(batch for batch in self._log if batch.number > number)
        complete = len(pending) == self.newest.number - number and not any(batch.full for batch in pending)
        return pending, not complete


class ReadTables:
    """The tables that the models of a run read. A gold table is asked for after its own model has ended: nobody commits
    to a table while another model reads it.
    """

    def __init__(self, project: Project, lake: Lake) -> None:
        self._project, self._lake = project, lake
        self._found: dict[str, ReadTable] = {}
        self._locks = {name: Lock() for name in (*project.silver, *project.gold)}

    def table(self, spark: SparkSession, name: str, *, reader: str) -> ReadTable:
        """The table, looked up by the first who asks.

        Raises:
            ResourceError: It was never built.

        """
        with self._locks[name]:
            if name not in self._found:
                self._found[name] = self._looked_up(spark, name, reader)
            return self._found[name]

    def _looked_up(self, spark: SparkSession, name: str, reader: str) -> ReadTable:
        is_gold = name in self._project.gold
        place = self._lake.gold if is_gold else self._lake.silver
        contract = (self._project.gold if is_gold else self._project.silver)[name]
        full_name = place.table(name)
        loaded = load_table(spark, full_name)
        snapshots = loaded.ancestors() if loaded else iter(())
        current = next(snapshots, None)
        row_count = int((current.property_of("total-records") if current else "") or 0)
        snapshots = chain([current] if current else [], snapshots)
        newest = newest_batch(snapshots, table=full_name)
        if newest is None:
            raise ResourceError(
                f"{reader} reads {name}, which was never built", hint="run bronze_to_silver first", table=name
            )
        # the log goes on where the search for its newest batch stopped
        return ReadTable(contract, full_name, newest, row_count, batch_log(snapshots), [newest])


class GoldSession:
    """A Spark session that builds one model after another. Views and snapshot properties belong to the model it builds;
    the rows of the tables read stay opened for the next one, which saves a look into the catalogue and a plan.
    """

    def __init__(self, spark: SparkSession) -> None:
        self.spark = spark.newSession()
        self.spark.conf.set(_EXACT_DATES, "true")  # dates that pass through Java stay what they are
        self._rows: dict[str, DataFrame] = {}

    def rows(self, table: ReadTable) -> DataFrame:
        """The contract's columns at the table's newest batch."""
        if table.name not in self._rows:
            rows = IcebergTable(self.spark, table.name).rows(table.newest.snapshot_id)
            self._rows[table.name] = rows.select(*table.contract.column_names)
        return self._rows[table.name]

    def forget(self, views: Iterable[str]) -> None:
        """Those views are gone: what a model does not declare as read must not be found."""
        for view in views:
            self.spark.catalog.dropTempView(view)
