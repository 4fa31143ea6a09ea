"""`_sequence`: where in the binlog a change stands, as 35 digits that sort like the binlog itself.

16 digits name the lineage (one server's binlog since we first read it), 6 the file's number, 13 the byte offset in it.
A pure function of the place: replaying the same binlog gives the same values.
"""

import re
from dataclasses import dataclass

from shoplake_core.errors import SourceError

__all__ = ["LINEAGE_DIGITS", "BinlogPosition", "lineage_digits_of", "parse_binlog_position", "sequence_at"]

LINEAGE_DIGITS = 16
_FILE_DIGITS = 6
_OFFSET_DIGITS = 13
_NUMBER = re.compile(r"\.(\d+)$")


@dataclass(frozen=True, slots=True, order=True)
class BinlogPosition:
    """A byte offset in a binlog file. Orders by the file's number, then the offset.

    Attributes:
        file_number: The number that ends the file's name.
        offset: Byte offset, 64 bits: it does not wrap at 4 GiB as the event header's field does.
        file: The whole file name.

    """

    file_number: int
    offset: int
    file: str

    def __str__(self) -> str:
        return f"{self.file}:{self.offset}"


def parse_binlog_position(text: str) -> BinlogPosition:
    """The position written as `file:offset`, such as `binlog.000012:4711`.

    Raises:
        SourceError: It is not of that form.

    """
    file, _, offset = text.rpartition(":")
    match = _NUMBER.search(file)
    if match is None or not offset.isdigit():
        raise SourceError(f'"{text}" is no binlog position', hint="expected file.number:offset", position=text)
    return BinlogPosition(int(match.group(1)), int(offset), file)


def sequence_at(lineage_digits: str, position: BinlogPosition) -> str:
    """The 35 digits of that place.

    Raises:
        SourceError: The file's number or the offset has more digits than there is room for.

    """
    file, offset = str(position.file_number).zfill(_FILE_DIGITS), str(position.offset).zfill(_OFFSET_DIGITS)
    if len(lineage_digits) != LINEAGE_DIGITS or len(file) > _FILE_DIGITS or len(offset) > _OFFSET_DIGITS:
        raise SourceError(
            f"no sequence for {position} of lineage {lineage_digits}", hint="start a new lineage: reload every table"
        )
    return f"{lineage_digits}{file}{offset}"


def lineage_digits_of(sequence: str) -> str:
    """The 16 digits that name the lineage of a sequence."""
    return sequence[:LINEAGE_DIGITS]
