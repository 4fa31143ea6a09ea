"""The Glue Data Catalog of the local AWS.

moto has a catalogue, too, but keeps it in memory and ignores the `VersionId` of UpdateTable: a kill would forget which
metadata file of an Iceberg table is the committed one, and of two Iceberg writers one would lose its commit. This one
is on disk before it answers, and compares the version in the transaction that replaces it.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from shoplake_core.clock import Clock

from shoplake_local.glue import database_tags, databases, partitions, table_versions, tables
from shoplake_local.glue.requests import Catalog
from shoplake_local.glue.store import Store
from shoplake_local.jobs.glue_runtime import GlueRuntime
from shoplake_local.service import UnsupportedOperationError

__all__ = ["GlueService"]

_OPERATIONS: Mapping[str, Callable[[Catalog, dict[str, Any]], dict[str, Any]]] = {
    "CreateDatabase": databases.create_database,
    "GetDatabase": databases.get_database,
    "GetDatabases": databases.get_databases,
    "UpdateDatabase": databases.update_database,
    "DeleteDatabase": databases.delete_database,
    "CreateTable": tables.create_table,
    "GetTable": tables.get_table,
    "GetTables": tables.get_tables,
    "UpdateTable": tables.update_table,
    "DeleteTable": tables.delete_table,
    "BatchDeleteTable": tables.batch_delete_table,
    "GetTableVersion": table_versions.get_table_version,
    "GetTableVersions": table_versions.get_table_versions,
    "DeleteTableVersion": table_versions.delete_table_version,
    "BatchDeleteTableVersion": table_versions.batch_delete_table_version,
    "CreatePartition": partitions.create_partition,
    "BatchCreatePartition": partitions.batch_create_partition,
    "GetPartition": partitions.get_partition,
    "GetPartitions": partitions.get_partitions,
    "BatchGetPartition": partitions.batch_get_partition,
    "UpdatePartition": partitions.update_partition,
    "DeletePartition": partitions.delete_partition,
    "BatchDeletePartition": partitions.batch_delete_partition,
}
# the same operations tag what the runtime keeps: the ARN tells which of the two is meant
_OF_DATABASES: Mapping[str, Callable[[Catalog, dict[str, Any]], dict[str, Any]]] = {
    "TagResource": database_tags.tag_database,
    "UntagResource": database_tags.untag_database,
    "GetTags": database_tags.get_database_tags,
}


class GlueService:
    """The catalogue in one SQLite file, and beside it the jobs, crawlers and connections of `runtime`, where there is one."""

    service_name = "glue"

    def __init__(
        self, path: Path, *, account: str, region: str, clock: Clock, runtime: GlueRuntime | None = None
    ) -> None:
        self._catalog = Catalog(Store(path), account, region, clock)
        self._runtime = runtime

    def call(self, operation: str, parameters: dict[str, Any]) -> dict[str, Any]:
        """The answer of one operation; see `Service`."""
        handler = _OPERATIONS.get(operation)
        if operation in _OF_DATABASES and database_tags.is_of_catalogue(parameters["ResourceArn"]):
            handler = _OF_DATABASES[operation]
        if handler is None:
            of_runtime = self._runtime.operations.get(operation) if self._runtime is not None else None
            if of_runtime is not None:
                return of_runtime(parameters)
            raise UnsupportedOperationError(f"operation {operation} of glue")
        return handler(self._catalog, parameters)

    def close(self) -> None:
        """End jobs and crawls, close the files."""
        if self._runtime is not None:
            self._runtime.close()
        self._catalog.store.close()
