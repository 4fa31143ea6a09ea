"""Looks into a change set's manifest and parquet footers before COPY does, and names every difference.

COPY from parquet matches by position and count and never looks at names: a file with two columns swapped would load
without a word. Reads footers only, never rows.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.fs as pafs
import pyarrow.parquet as pq
from shoplake_core.contracts import TableContract
from shoplake_core.endpoints import AwsEndpoint
from shoplake_core.logical_types import Kind, LogicalType

from shoplake_warehouse.ddl import OPERATION_COLUMN
from shoplake_warehouse.errors import ChangeFileError
from shoplake_warehouse.loading import GoldBatch

__all__ = ["ManifestReader", "arrow_type_matches", "check_change_set", "manifest_reader", "schema_differences"]

_INT32_KINDS = frozenset({Kind.INT8, Kind.INT16, Kind.INT32, Kind.UINT8, Kind.UINT16})
_INT64_KINDS = frozenset({Kind.INT64, Kind.UINT32})
_UINT64_DIGITS = 20


def _is_text(found: pa.DataType) -> bool:
    return bool(pa.types.is_string(found) or pa.types.is_large_string(found))


def _is_timestamp(found: pa.DataType) -> bool:
    # Redshift misreads an INT64 of nanoseconds without a word.
    return isinstance(found, pa.TimestampType) and found.unit in {"ms", "us"}


_PREDICATES: dict[Kind, Callable[[pa.DataType], bool]] = {
    Kind.FLOAT64: pa.types.is_float64,
    Kind.BOOLEAN: pa.types.is_boolean,
    Kind.DATE: pa.types.is_date32,
    Kind.DATETIME: _is_timestamp,
    Kind.TIMESTAMP: _is_timestamp,
}


def arrow_type_matches(kind: LogicalType, found: pa.DataType) -> bool:
    """Whether COPY takes a file column of that Arrow type into the Redshift type of `kind`, exactly."""
    if kind.kind in _INT32_KINDS:
        return bool(pa.types.is_int32(found))
    if kind.kind in _INT64_KINDS:
        return bool(pa.types.is_int64(found))
    if kind.kind in {Kind.UINT64, Kind.DECIMAL}:
        wanted = (_UINT64_DIGITS, 0) if kind.kind is Kind.UINT64 else (kind.precision, kind.scale)
        return isinstance(found, pa.Decimal128Type) and (found.precision, found.scale) == wanted
    if kind.is_text:
        return _is_text(found)
    return _PREDICATES[kind.kind](found) if kind.kind in _PREDICATES else False


def schema_differences(contract: TableContract, schema: pa.Schema) -> tuple[str, ...]:
    """Every way in which a change file's columns differ from the staging table's: names, order, count, types."""
    expected = [OPERATION_COLUMN, *contract.column_names]
    if schema.names != expected:
        missing = [name for name in expected if name not in schema.names]
        extra = [name for name in schema.names if name not in expected]
        parts = [f"missing {', '.join(missing)}"] if missing else []
        parts += [f"unknown {', '.join(extra)}"] if extra else []
        parts += [] if parts else ["the same columns in another order"]
        return (f"columns are {', '.join(schema.names)}; expected {', '.join(expected)} ({'; '.join(parts)})",)
    found = []
    if not _is_text(schema.field(0).type):
        found.append(f"{OPERATION_COLUMN} is {schema.field(0).type}, expected a string")
    for column in contract.columns:
        kind = schema.field(column.name).type
        if not arrow_type_matches(column.stored_type, kind):
            found.append(f"{column.name} is {kind}, expected {column.stored_type}")
    return tuple(found)


@dataclass(frozen=True, slots=True)
class ManifestReader:
    """Reads from the object store that the manifests' `s3://` URLs point into."""

    filesystem: pafs.FileSystem

    def _path(self, url: str) -> str:
        if not url.startswith("s3://"):
            raise ChangeFileError(f"{url} is no s3:// URL", hint="the gold job writes the manifest: run it again")
        return url.removeprefix("s3://")

    def read_manifest(self, url: str) -> list[dict[str, Any]]:
        """The entries of the manifest."""
        try:
            with self.filesystem.open_input_stream(self._path(url)) as stream:
                return list(json.loads(stream.read())["entries"])
        except (OSError, ValueError, KeyError) as error:
            raise ChangeFileError(
                f"the manifest {url} cannot be read: {error}", hint="run the gold job again", url=url
            ) from error

    def footer(self, url: str) -> tuple[int, pa.Schema, int]:
        """Size in bytes, Arrow schema and number of rows of the parquet file."""
        try:
            with self.filesystem.open_input_file(self._path(url)) as file:
                parquet = pq.ParquetFile(file, coerce_int96_timestamp_unit="us")  # INT96 is Spark's older form
                return file.size(), parquet.schema_arrow, parquet.metadata.num_rows
        except (OSError, pa.ArrowException) as error:
            raise ChangeFileError(
                f"the change file {url} cannot be read: {error}", hint="run the gold job again"
            ) from error


def manifest_reader(endpoint: AwsEndpoint) -> ManifestReader:
    """A reader of that object store; `endpoint.url` None is S3 itself, in `endpoint.region`."""
    options: dict[str, Any] = {"region": endpoint.region}
    if endpoint.access_key_id:
        options |= {"access_key": endpoint.access_key_id, "secret_key": endpoint.secret_access_key}
    if endpoint.url is not None:
        scheme, _, host = endpoint.url.partition("://")
        options |= {"endpoint_override": host, "scheme": scheme}
    return ManifestReader(pafs.S3FileSystem(**options))


def check_change_set(reader: ManifestReader, contract: TableContract, batch: GoldBatch) -> None:
    """Nothing, where every file of the batch fits its staging table and the rows add up.

    Raises:
        ChangeFileError: Naming each difference of each file.

    """
    faults: list[str] = []
    rows = 0
    for entry in reader.read_manifest(batch.manifest_url):
        size_bytes, schema, file_rows = reader.footer(entry["url"])
        rows += file_rows
        stated_bytes = entry.get("meta", {}).get("content_length")
        if stated_bytes != size_bytes:
            faults.append(f"{entry['url']}: the manifest says {stated_bytes} bytes, the file has {size_bytes}")
        faults += [f"{entry['url']}: {difference}" for difference in schema_differences(contract, schema)]
    if not faults and rows != batch.rows:
        faults.append(f"{batch.manifest_url}: {rows} rows in its files, the gold job counted {batch.rows}")
    if faults:
        raise ChangeFileError(
            f"batch {batch.batch} of {contract.name} does not fit its staging table: {'; '.join(faults)}",
            hint=f"bring gold/{contract.name}.sql and its contract together, rebuild the model, load again",
            table=contract.name,
            faults=faults,
        )
