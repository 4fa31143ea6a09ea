"""Iceberg tables through Spark's own catalogue: create, look at snapshots, commit with the batch's properties.

Each look into the catalogue is a request and a metadata file: whoever asks several things of a table loads it once.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from typing import Any

from py4j.protocol import Py4JJavaError  # type: ignore[import-untyped]
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F  # noqa: N812 - the name everybody knows
from pyspark.sql import types as t

from shoplake_etl.batches import Batch, Snapshot
from shoplake_etl.evolution import evolve_table
from shoplake_etl.layout import CATALOG

__all__ = ["IcebergTable", "LoadedTable", "create_namespace", "load_table", "open_table"]

_SNAPSHOT_PROPERTY = "spark.sql.iceberg.snapshot-property."
_ICEBERG = "org.apache.iceberg"
_NO_SUCH_TABLE = f"{_ICEBERG}.exceptions.NoSuchTableException"

# Copy-on-write: every reader (pyiceberg, COPY's manifests, a person with parquet tools) sees plain files, nothing has to be
# compacted, and the files of one shop's table are few. Merge-on-read was no faster here at 20,000 rows.
_PROPERTIES = {
    "format-version": "2",
    "write.format.default": "parquet",
    "write.parquet.compression-codec": "zstd",
    "write.merge.mode": "copy-on-write",
    "write.delete.mode": "copy-on-write",
    "write.distribution-mode": "none",
    "write.merge.distribution-mode": "none",
    "write.metadata.previous-versions-max": "20",
    "write.metadata.delete-after-commit.enabled": "true",
    "commit.retry.num-retries": "0",  # one writer at a time: a lost race is a fault to show, not to try again
}


@cache  # a name is looked up in every jar, and again for each package that it begins with
def _java_class(jvm: Any, name: str) -> Any:
    return getattr(jvm, name)


def _java(spark: SparkSession, name: str) -> Any:
    """The Java class of that full name."""
    jvm: Any = spark._jvm  # noqa: SLF001 - pyspark's only door
    # Catalogues are looked up in the settings of the thread's active session, and a new thread has none
    sessions = _java_class(jvm, "org.apache.spark.sql.classic.SparkSession")
    sessions.setActiveSession(spark._jsparkSession)  # noqa: SLF001
    return _java_class(jvm, name)


@dataclass(frozen=True, slots=True)
class LoadedTable:
    """A table as it stood when it was loaded.

    Attributes:
        table: The table, as its session sees it.
        java: Iceberg's own object.

    """

    table: "IcebergTable"
    java: Any

    def ancestors(self) -> Iterator[Snapshot]:
        """The current snapshot and those it came from, newest first."""
        snapshot = self.java.currentSnapshot()
        while snapshot is not None:
            yield Snapshot(int(snapshot.snapshotId()), snapshot.summary().get)
            parent = snapshot.parentId()
            snapshot = None if parent is None else self.java.snapshot(parent)

    def columns(self) -> t.StructType:
        """Its columns, as Spark sees them."""
        schema = _java(self.table.spark, f"{_ICEBERG}.spark.SparkSchemaUtil").convert(self.java.schema())
        return t.StructType.fromJson(json.loads(schema.json()))

    def columns_changed(self) -> bool:
        """Whether the columns are others than when the newest snapshot was made: readers at a snapshot see its columns."""
        snapshot = self.java.currentSnapshot()
        return snapshot is not None and int(snapshot.schemaId()) != int(self.java.schema().schemaId())

    def has_snapshot(self) -> bool:
        """Whether anything was ever committed."""
        return self.java.currentSnapshot() is not None

    def mark(self, properties: Mapping[str, str]) -> None:
        """A snapshot without files that carries the properties."""
        append = self.java.newFastAppend()
        for name, value in properties.items():
            append = append.set(name, value)
        append.commit()


@dataclass(frozen=True, slots=True)
class IcebergTable:
    """One table as one session sees it.

    Attributes:
        spark: The session; its snapshot properties belong to this table alone.
        name: Full name in Spark SQL.

    """

    spark: SparkSession
    name: str

    def loaded(self) -> LoadedTable:
        """The table as it stands now."""
        java = _java(self.spark, f"{_ICEBERG}.spark.Spark3Util").loadIcebergTable(
            self.spark._jsparkSession,  # noqa: SLF001 - pyspark's only door
            self.name,
        )
        return LoadedTable(self, java)

    def ancestors(self) -> Iterator[Snapshot]:
        """The current snapshot and those it came from, newest first."""
        return self.loaded().ancestors()

    def rows(self, snapshot_id: int | None = None) -> DataFrame:
        """The table's rows, now or at a snapshot."""
        if snapshot_id is None:
            return self.spark.table(self.name)
        return self.spark.sql(f"select * from {self.name} version as of {snapshot_id}")

    def commit_nothing(self, batch: Batch) -> None:
        """A snapshot without files that carries the batch: what was taken is recorded, though no row changed."""
        self.mark(batch.properties())

    def mark(self, properties: Mapping[str, str]) -> None:
        """A snapshot without files that carries the properties."""
        self.loaded().mark(properties)

    def has_snapshot(self) -> bool:
        """Whether anything was ever committed."""
        return self.loaded().has_snapshot()

    def columns_changed(self) -> bool:
        """Whether the columns are others than when the newest snapshot was made: readers at a snapshot see its columns."""
        return self.loaded().columns_changed()

    def append(self, rows: DataFrame, batch: Batch | None = None) -> None:
        """The rows are added in one commit, which carries the batch."""
        with self._committing(batch.properties() if batch else {}):
            rows.writeTo(self.name).append()

    def merge(self, source: DataFrame, *, action: str, key: Sequence[str], batch: Batch) -> None:
        """Rows of `source` are put (I, U) or deleted (D) by key in one commit, which carries the batch.

        Args:
            source: One row per key: the table's columns and `action`.
            action: Name of that column.
            key: The key columns.
            batch: What the commit carries.

        """
        view = "__source"
        source.createOrReplaceTempView(view)
        columns = [name for name in source.columns if name != action]
        same = " and ".join(f"t.`{name}` = s.`{name}`" for name in key)
        values = ", ".join(f"t.`{name}` = s.`{name}`" for name in columns if name not in key)
        names = ", ".join(f"`{name}`" for name in columns)
        new = ", ".join(f"s.`{name}`" for name in columns)
        with self._committing(batch.properties()):
            self.spark.sql(
                f"merge into {self.name} t using {view} s on {same} "
                f"when matched and s.`{action}` = 'D' then delete "
                + (f"when matched then update set {values} " if values else "")
                + f"when not matched and s.`{action}` <> 'D' then insert ({names}) values ({new})"
            )
        self.spark.catalog.dropTempView(view)

    def overwrite(self, rows: DataFrame, properties: Mapping[str, str]) -> None:
        """The table holds those rows and no other, in one commit, which carries the properties."""
        with self._committing(properties):
            rows.writeTo(self.name).overwrite(F.lit(True))

    @contextmanager
    def _committing(self, properties: Mapping[str, str]) -> Iterator[None]:
        """The next commit of this session carries those properties."""
        for name, value in properties.items():
            self.spark.conf.set(_SNAPSHOT_PROPERTY + name, value)
        try:
            yield
        finally:
            for name in properties:
                self.spark.conf.unset(_SNAPSHOT_PROPERTY + name)


def create_namespace(spark: SparkSession, namespace: str) -> None:
    """The database is there."""
    spark.sql(f"create namespace if not exists {CATALOG}.{namespace}")


def load_table(spark: SparkSession, name: str) -> LoadedTable | None:
    """The table as it stands now; None where the catalogue does not know it."""
    catalog, namespace, table = name.split(".")
    util = _java(spark, f"{_ICEBERG}.spark.Spark3Util")
    java_catalog = util.loadIcebergCatalog(spark._jsparkSession, catalog)  # noqa: SLF001
    identifier = _java(spark, f"{_ICEBERG}.catalog.TableIdentifier").parse(f"{namespace}.{table}")
    try:
        return LoadedTable(IcebergTable(spark, name), java_catalog.loadTable(identifier))
    except Py4JJavaError as error:
        if str(error.java_exception.getClass().getName()) == _NO_SUCH_TABLE:
            return None
        raise


def open_table(
    spark: SparkSession,
    name: str,
    schema: t.StructType,
    *,
    location: str | None,
    key: Sequence[str] = (),
    properties: Mapping[str, str] | None = None,
) -> LoadedTable:
    """The table with exactly those columns, created where it is not there and altered where its contract has changed.

    Args:
        spark: The session that will read and write it.
        name: Full name.
        schema: Its columns.
        location: Where its files go; None where the catalogue decides.
        key: Columns that a table that is there must have.
        properties: Further properties of a new table.

    Raises:
        ContractError: The table is there and cannot follow.

    """
    loaded = load_table(spark, name)
    if loaded is not None:
        changes = evolve_table(spark, name, loaded.columns(), schema, key=tuple(key))
        return loaded.table.loaded() if changes.statements(name) else loaded
    columns = ", ".join(f"`{field.name}` {field.dataType.simpleString()}" for field in schema)
    settings = ", ".join(f"'{key}' = '{value}'" for key, value in {**_PROPERTIES, **(properties or {})}.items())
    place = f" location '{location}'" if location else ""
    spark.sql(f"create table if not exists {name} ({columns}) using iceberg{place} tblproperties ({settings})")
    return IcebergTable(spark, name).loaded()
