"""Drawn rows as columns, and their text form: tab-separated for LOAD DATA, or literals for INSERT.

Columns stay numpy arrays until a chunk is written, so a table of any size takes the memory of its arrays only.
`overrides` hold single planted values; they win over what was drawn.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["Column", "Form", "TableRows", "Text", "escaped"]

Text = bytes | None  # one value as escaped UTF-8; None is NULL
_NULL = b"\\N"
_TWO_DIGITS = np.array([f"{n:02d}".encode() for n in range(100)])
_FOUR_DIGITS = np.array([f"{n:04d}".encode() for n in range(10_000)])


class Form(Enum):
    """How the numbers of a column become text."""

    INTEGER = "integer"
    BIT = "integer loaded into BIT(1)"
    CENTS = "hundredths"
    TEN_THOUSANDTHS = "ten-thousandths"
    MILLIONTHS = "millionths"
    TIMESTAMP = "microseconds since 1970, UTC"
    DATE = "days since 1970"
    POOL = "index into a pool"


def escaped(text: str) -> bytes:
    """`text` as LOAD DATA and string literals want it."""
    escapes = {"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r", "\0": "\\0"}
    return "".join(escapes.get(character, character) for character in text).encode()


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One column of drawn values.

    Attributes:
        name: Name in MySQL.
        form: What the numbers stand for.
        values: One integer a row.
        nulls: Where NULL stands instead; None for nowhere.
        pool: The texts that POOL points into, escaped.

    """

    name: str
    form: Form
    values: NDArray[np.int64]
    nulls: NDArray[np.bool_] | None = None
    pool: Sequence[bytes] = ()

    def texts(self, start: int, stop: int) -> list[Text]:
        """The values of the rows from `start` to before `stop`, as text."""
        values = self.values[start:stop]
        texts: list[Any] = (
            self._pooled(values) if self.form is Form.POOL else _numeric_texts(self.form, values).tolist()
        )
        if self.nulls is not None:
            for index in np.flatnonzero(self.nulls[start:stop]).tolist():
                texts[index] = None
        return texts

    def _pooled(self, values: NDArray[np.int64]) -> list[bytes]:
        pool = self.pool
        return [pool[index] for index in values.tolist()]


def _fixed_point(values: NDArray[np.int64], digits: NDArray[np.bytes_], unit: int) -> NDArray[np.bytes_]:
    whole, part = np.divmod(np.abs(values), unit)
    text = np.strings.add(np.strings.add(whole.astype("S13"), b"."), digits[part])
    return np.where(values < 0, np.strings.add(b"-", text), text)


def _numeric_texts(form: Form, values: NDArray[np.int64]) -> NDArray[np.bytes_]:
    match form:
        case Form.CENTS:
            return _fixed_point(values, _TWO_DIGITS, 100)
        case Form.TEN_THOUSANDTHS:
            return _fixed_point(values, _FOUR_DIGITS, 10_000)
        case Form.MILLIONTHS:
            return np.strings.add(_fixed_point(values // 100, _FOUR_DIGITS, 10_000), _TWO_DIGITS[values % 100])
        case Form.TIMESTAMP:
            return np.datetime_as_string(values.astype("datetime64[us]"), unit="us").astype("S26")
        case Form.DATE:
            return np.datetime_as_string(values.astype("datetime64[D]")).astype("S10")
        case _:
            return values.astype("S20")


@dataclass(frozen=True, slots=True, kw_only=True)
class TableRows:
    """The drawn rows of one table.

    Attributes:
        name: Table name.
        columns: In the order of the file that is written.
        overrides: Column -> row number -> planted text.

    """

    name: str
    columns: tuple[Column, ...]
    overrides: dict[str, dict[int, Text]] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.columns[0].values)

    def column(self, name: str) -> Column:
        """The column of that name (KeyError if there is none)."""
        for column in self.columns:
            if column.name == name:
                return column
        raise KeyError(name)

    def plant(self, column: str, row: int, text: str | None) -> None:
        """Put `text` in place of what was drawn."""
        self.overrides.setdefault(column, {})[row] = None if text is None else escaped(text)

    def text_columns(self, start: int, stop: int) -> list[list[Text]]:
        """Each column's texts for the rows from `start` to before `stop`, planted values included."""
        columns = []
        for column in self.columns:
            texts = column.texts(start, stop)
            planted: Mapping[int, Text] = self.overrides.get(column.name, {})
            for row, text in planted.items():
                if start <= row < stop:
                    texts[row - start] = text
            columns.append(texts)
        return columns

    def tsv_chunks(self, chunk_rows: int) -> Iterator[tuple[int, bytes]]:
        """(rows, tab-separated bytes) of one chunk after the other."""
        for start in range(0, len(self), chunk_rows):
            stop = min(start + chunk_rows, len(self))
            columns = [[_NULL if text is None else text for text in texts] for texts in self.text_columns(start, stop)]
            yield stop - start, b"\n".join(map(b"\t".join, zip(*columns, strict=True))) + b"\n"

    def literal_chunks(self, chunk_rows: int) -> Iterator[tuple[int, bytes]]:
        """(rows, the VALUES list of a multi-row INSERT) of one chunk after the other."""
        for start in range(0, len(self), chunk_rows):
            stop = min(start + chunk_rows, len(self))
            columns = [
                [_literal(column.form, text) for text in texts]
                for column, texts in zip(self.columns, self.text_columns(start, stop), strict=True)
            ]
            yield stop - start, b",".join(b"(" + b",".join(row) + b")" for row in zip(*columns, strict=True))


def _literal(form: Form, text: Text) -> bytes:
    if text is None:
        return b"NULL"
    return text if form is Form.BIT else b"'" + text.replace(b"'", b"''") + b"'"
