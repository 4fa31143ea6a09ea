"""What a parquet file holds, from its footer alone: rows and column types, without reading data."""

import struct
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.parquet as pq
from shoplake_core.errors import DataError

from shoplake_etl.objects import ObjectInfo, ObjectStore

__all__ = ["FileFacts", "read_footers"]

_MAGIC = b"PAR1"
_TAIL_BYTES = 64 * 1024
_TRAILER_BYTES = 8  # footer length and magic
_THREADS = 16


@dataclass(frozen=True, slots=True)
class FileFacts:
    """One bronze file.

    Attributes:
        info: The object.
        rows: Its rows.
        columns: Lower-case column name -> name as written and type.

    """

    info: ObjectInfo
    rows: int
    columns: Mapping[str, tuple[str, pa.DataType]]


def _not_parquet(info: ObjectInfo) -> DataError:
    return DataError(
        f"{info.url} is no parquet file", hint="see who wrote it; bronze holds parquet only", file=info.name
    )


def _footer(store: ObjectStore, info: ObjectInfo) -> bytes:
    tail = store.read_tail(info.url, _TAIL_BYTES)
    if len(tail) < _TRAILER_BYTES or tail[-4:] != _MAGIC:
        raise _not_parquet(info)
    length = struct.unpack("<I", tail[-_TRAILER_BYTES:-4])[0] + _TRAILER_BYTES
    if length > info.size_bytes:
        raise _not_parquet(info)
    return (tail if length <= len(tail) else store.read_tail(info.url, length))[-length:]


def _facts(store: ObjectStore, info: ObjectInfo) -> FileFacts:
    # A footer is a readable file of its own: nothing before it is looked at
    try:
        metadata = pq.read_metadata(pa.BufferReader(_MAGIC + _footer(store, info)))
        schema = metadata.schema.to_arrow_schema()
    except pa.ArrowException as error:
        raise _not_parquet(info) from error
    columns: dict[str, tuple[str, pa.DataType]] = {}
    for field in schema:
        if field.name.lower() in columns:
            raise DataError(
                f'{info.url} has two columns "{field.name.lower()}" that differ in case only',
                hint="rename one of them in MySQL",
                file=info.name,
            )
        columns[field.name.lower()] = (field.name, field.type)
    return FileFacts(info, metadata.num_rows, columns)


def read_footers(store: ObjectStore, files: Iterable[ObjectInfo]) -> list[FileFacts]:
    """The facts of each file, in order.

    Raises:
        DataError: A file is no parquet, or has two columns that differ in case only.

    """
    with ThreadPoolExecutor(max_workers=_THREADS, thread_name_prefix="footer") as pool:
        return list(pool.map(lambda info: _facts(store, info), files))
