"""Which parquet column COPY takes into which table column: Redshift converts nothing between kinds or sizes."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import pyarrow as pa

from shoplake_local.redshift.refusals import RedshiftRefusalError

__all__ = ["TargetColumn", "check_columns"]

_SIZED_TEXT = re.compile(r"^character(?: varying)?\((\d+)\)$")
_NUMERIC = re.compile(r"^numeric\((\d+),(\d+)\)$")


@dataclass(frozen=True, slots=True)
class TargetColumn:
    """A column of the table, with PostgreSQL's text of its type such as `numeric(12,2)`."""

    name: str
    type: str

    @property
    def length_bytes(self) -> int | None:
        """Most bytes of a text; None for other types."""
        match = _SIZED_TEXT.match(self.type)
        return int(match.group(1)) if match else None

    @property
    def has_zone(self) -> bool:
        """Whether it is a TIMESTAMPTZ."""
        return self.type == "timestamp with time zone"


def _is_text(kind: pa.DataType) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))


def _is_timestamp(kind: pa.DataType) -> bool:
    # Redshift reads an INT64 of nanoseconds as if it were another unit and loads dates far in the future: refused here.
    return isinstance(kind, pa.TimestampType) and kind.unit in {"ms", "us"}


_TAKES: dict[str, Callable[[pa.DataType], bool]] = {
    "smallint": pa.types.is_int16,
    "integer": pa.types.is_int32,
    "bigint": pa.types.is_int64,
    "real": pa.types.is_float32,
    "double precision": pa.types.is_float64,
    "boolean": pa.types.is_boolean,
    "date": pa.types.is_date32,
    "timestamp without time zone": _is_timestamp,
    "timestamp with time zone": _is_timestamp,
    "bytea": pa.types.is_binary,
}


def _takes(target: TargetColumn, kind: pa.DataType) -> bool:
    numeric = _NUMERIC.match(target.type)
    if numeric is not None:
        return isinstance(kind, pa.Decimal128Type) and (kind.precision, kind.scale) == (
            int(numeric.group(1)),
            int(numeric.group(2)),
        )
    if target.length_bytes is not None:
        return _is_text(kind)
    return target.type in _TAKES and bool(_TAKES[target.type](kind))


def check_columns(schema: pa.Schema, targets: Sequence[TargetColumn], url: str) -> None:
    """Nothing, where the file has as many columns as the table, each of a type that COPY takes at its position.

    Raises:
        RedshiftRefusalError: In Redshift's words.

    """
    if len(schema) != len(targets):
        raise RedshiftRefusalError(
            "Spectrum Scan Error",
            f"Unmatched number of columns between table and file. Table columns: {len(targets)}, "
            f"Data columns: {len(schema)}, File name: {url}",
        )
    for index, target in enumerate(targets):
        found = schema.field(index)
        if not _takes(target, found.type):
            raise RedshiftRefusalError(
                "Spectrum Scan Error",
                f"File '{url}' has an incompatible Parquet schema for column '{found.name}'. "
                f"Column type: {target.type.upper()}, Parquet schema: {found.type}",
            )
