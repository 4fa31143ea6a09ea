"""Does a COPY: parquet from the object store into PostgreSQL, matched by position, count and type as Redshift matches.

Names are never looked at, as on Redshift: two columns swapped in the file load without a word if their types fit.
"""

import io
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import psycopg
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv
import pyarrow.fs as pafs
import pyarrow.parquet as pq

from shoplake_local.redshift.copy_command import CopyCommand
from shoplake_local.redshift.parquet_types import TargetColumn, check_columns
from shoplake_local.redshift.refusals import RedshiftRefusalError

__all__ = ["copy_parquet"]

_BATCH_ROWS = 65_536
_CSV = pacsv.WriteOptions(include_header=False, quoting_style="needed")
_TARGET_SQL = """SELECT a.attname, format_type(a.atttypid, a.atttypmod), n.nspname, c.relname
FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE a.attrelid = to_regclass(%s) AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum"""


@dataclass(frozen=True, slots=True)
class _File:
    url: str
    path: str
    size_bytes: int | None


def _spectrum_error(detail: str) -> RedshiftRefusalError:
    return RedshiftRefusalError("Spectrum Scan Error", detail)


def _path(url: str) -> str:
    if not url.startswith("s3://"):
        raise RedshiftRefusalError("Invalid manifest file", f"{url} is no s3:// URL")
    return url.removeprefix("s3://")


def _manifest_files(filesystem: pafs.FileSystem, url: str) -> list[_File]:
    try:
        with filesystem.open_input_stream(_path(url)) as stream:
            entries = json.loads(stream.read())["entries"]
        listed = [
            (str(e["url"]), bool(e.get("mandatory", False)), e.get("meta", {}).get("content_length")) for e in entries
        ]
    except FileNotFoundError as error:
        raise RedshiftRefusalError("The specified S3 object does not exist", url) from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise RedshiftRefusalError("Invalid manifest file", f"{url}: {error}") from error
    files = []
    for file_url, mandatory, size_bytes in listed:
        if not isinstance(size_bytes, int):
            raise RedshiftRefusalError(
                "Invalid manifest file", f"{file_url}: meta.content_length is needed for columnar files"
            )
        info = filesystem.get_file_info(_path(file_url))
        if info.type != pafs.FileType.File:
            if mandatory:
                raise RedshiftRefusalError(
                    "Problem reading manifest file", f"{file_url} does not exist and is mandatory"
                )
            continue
        if info.size != size_bytes:
            raise _spectrum_error(f"{file_url}: the manifest says {size_bytes} bytes, the object has {info.size}")
        files.append(_File(file_url, _path(file_url), size_bytes))
    return files


def _prefix_files(filesystem: pafs.FileSystem, url: str) -> list[_File]:
    path = _path(url)
    folder = path.rpartition("/")[0]
    selector = pafs.FileSelector(folder, recursive=True, allow_not_found=True)
    infos = [i for i in filesystem.get_file_info(selector) if i.type == pafs.FileType.File and i.path.startswith(path)]
    if not infos:
        raise RedshiftRefusalError(f"The specified S3 prefix '{url}' does not exist", "no object has it")
    return [_File(f"s3://{info.path}", info.path, info.size) for info in sorted(infos, key=lambda i: str(i.path))]


def _target_columns(connection: psycopg.Connection[Any], command: CopyCommand) -> tuple[str, list[TargetColumn]]:
    name = ".".join(f'"{part}"' for part in (command.schema, command.table) if part)
    rows = connection.execute(_TARGET_SQL, (name,)).fetchall()
    if not rows:
        raise RedshiftRefusalError(
            f'relation "{command.schema}.{command.table}" does not exist', "create the table first"
        )
    columns = {str(row[0]): TargetColumn(str(row[0]), str(row[1])) for row in rows}
    for column in command.columns:
        if column not in columns:
            raise RedshiftRefusalError(
                f'column "{column}" of relation "{command.table}" does not exist', "see the COPY"
            )
    return f'"{rows[0][2]}"."{rows[0][3]}"', [columns[c] for c in command.columns] or list(columns.values())


def _text_batch(batch: pa.RecordBatch, targets: list[TargetColumn], file: _File) -> pa.RecordBatch:
    """The batch with every value in a form whose CSV text PostgreSQL reads back exactly."""
    arrays: list[Any] = []
    for index, target in enumerate(targets):
        column: Any = batch.column(index)
        limit = target.length_bytes
        if limit is not None:
            longest = pc.max(pc.binary_length(column)).as_py() or 0
            if longest > limit:
                raise _spectrum_error(
                    f"The length of the data column {target.name} is longer than the length defined in the table. "
                    f"Table: {limit}, Data: {longest}, File name: {file.url}"
                )
            if pc.any(pc.match_substring(column, "\x00")).as_py():
                raise RedshiftRefusalError("invalid byte sequence for encoding", f"{target.name} holds a zero byte")
        if pa.types.is_timestamp(column.type):
            column = pc.cast(column, pa.timestamp("us", tz=column.type.tz))
            if column.type.tz is not None and not target.has_zone:
                column = pc.cast(column, pa.timestamp("us", tz="UTC")).cast(pa.timestamp("us"))
        elif pa.types.is_binary(column.type):
            column = pa.array([None if v is None else f"\\x{v.hex()}" for v in column.to_pylist()], pa.string())
        arrays.append(column)
    return pa.RecordBatch.from_arrays(arrays, names=[str(number) for number in range(len(arrays))])


def _csv(batch: pa.RecordBatch) -> bytes:
    buffer = io.BytesIO()
    pacsv.write_csv(batch, buffer, _CSV)
    return buffer.getvalue()


def _file_batches(filesystem: pafs.FileSystem, file: _File, targets: list[TargetColumn]) -> Iterator[pa.RecordBatch]:
    try:
        with filesystem.open_input_file(file.path) as stream:
            # INT96 (Spark's old form) reads as nanoseconds by default, which end in 2262; the other nanoseconds are refused.
            parquet = pq.ParquetFile(stream, coerce_int96_timestamp_unit="us")
            check_columns(parquet.schema_arrow, targets, file.url)
            for batch in parquet.iter_batches(batch_size=_BATCH_ROWS):
                yield _text_batch(batch, targets, file)
    except pa.ArrowInvalid as error:
        raise _spectrum_error(f"File '{file.url}' is not a right parquet file: {error}") from error


def copy_parquet(connection: psycopg.Connection[Any], filesystem: pafs.FileSystem, command: CopyCommand) -> int:
    """The number of rows loaded, within the connection's transaction.

    Raises:
        RedshiftRefusalError: Manifest, file, count of columns, a type or a length is not what the table needs.

    """
    files = _manifest_files(filesystem, command.url) if command.manifest else _prefix_files(filesystem, command.url)
    relation, targets = _target_columns(connection, command)
    names = ", ".join(f'"{target.name}"' for target in targets)
    rows = 0
    statement = f"COPY {relation} ({names}) FROM STDIN (FORMAT CSV)"
    with connection.cursor() as cursor, cursor.copy(statement.encode()) as copy:
        for file in files:
            for batch in _file_batches(filesystem, file, targets):
                copy.write(_csv(batch))
                rows += batch.num_rows
    return rows
