"""Arrow tables -> parquet files with DMS's layout."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from shoplake_replication.s3_settings import S3Settings

__all__ = ["ParquetFile", "write_parquet"]


class ParquetFile:
    """One parquet file being written, in row groups of the settings' size."""

    def __init__(self, path: Path, schema: pa.Schema, settings: S3Settings) -> None:
        self.path = path
        self.rows = 0
        self.arrow_bytes = 0
        self._row_group_rows = settings.row_group_rows
        self._schema = _stored_schema(schema, settings)
        self._waiting: list[pa.Table] = []
        self._waiting_rows = 0
        options: dict[str, Any] = (
            {"compression": "gzip", "compression_level": 1} if settings.gzip else {"compression": "NONE"}
        )
        self._writer = pq.ParquetWriter(
            path,
            self._schema,
            version=settings.parquet_version,
            use_dictionary=settings.dictionary,
            write_statistics=settings.statistics,
            data_page_size=settings.data_page_bytes,
            dictionary_pagesize_limit=settings.dictionary_page_bytes,
            data_page_version="1.0",
            **options,
        )

    def write(self, table: pa.Table) -> None:
        """Add rows; full row groups go to the file at once. Milliseconds, where asked for, cut microseconds off."""
        self._waiting.append(table if table.schema == self._schema else table.cast(self._schema, safe=False))
        self._waiting_rows += table.num_rows
        self.rows += table.num_rows
        self.arrow_bytes += table.nbytes
        if self._waiting_rows >= self._row_group_rows:
            whole = pa.concat_tables(self._waiting)
            full = self._waiting_rows - self._waiting_rows % self._row_group_rows
            self._writer.write_table(whole.slice(0, full), row_group_size=self._row_group_rows)
            self._waiting, self._waiting_rows = [whole.slice(full)], self._waiting_rows - full

    def close(self) -> None:
        """The file is complete."""
        if self._waiting_rows:
            self._writer.write_table(pa.concat_tables(self._waiting), row_group_size=self._row_group_rows)
        self._writer.close()


def _stored_schema(schema: pa.Schema, settings: S3Settings) -> pa.Schema:
    if not settings.milliseconds:
        return schema
    milliseconds = pa.timestamp("ms", tz="UTC")
    return pa.schema(
        [field.with_type(milliseconds) if pa.types.is_timestamp(field.type) else field for field in schema]
    )


def write_parquet(path: Path, tables: Iterable[pa.Table], schema: pa.Schema, settings: S3Settings) -> int:
    """The rows of the file at `path`, which holds those tables."""
    file = ParquetFile(path, schema, settings)
    for table in tables:
        file.write(table)
    file.close()
    return file.rows
