"""Drawn rows into MySQL in bulk: LOAD DATA LOCAL from memory, or multi-row INSERT where the server forbids that.

No temporary file: the driver opens the reading end of a pipe that a thread fills. Every chunk is counted, and a
warning of the server (a value cut or altered) is an error, since strict mode is off for zero dates.
"""

import os
import sys
from collections.abc import Callable
from threading import Thread

from pymysql.connections import Connection
from pymysql.cursors import Cursor
from shoplake_core.errors import DataError
from shoplake_core.identifiers import checked_identifier

from shoplake_datagen.rows import Form, TableRows

__all__ = ["CHUNK_ROWS", "can_load_local", "load_table"]

CHUNK_ROWS = 20_000
_INSERT_ROWS = 1_000  # keeps one statement far below a max_allowed_packet of 4 MiB


def can_load_local(connection: Connection) -> bool:
    """Whether the server takes LOAD DATA LOCAL and this platform names an open pipe as a file."""
    if sys.platform == "win32" or not os.path.isdir("/dev/fd"):  # noqa: PTH112 - a device folder, no project path
        return False
    with connection.cursor() as cursor:
        cursor.execute("SELECT @@global.local_infile")
        row = cursor.fetchone()
    return bool(row and int(row[0]))


def _check(cursor: Cursor, rows: TableRows, *, expected: int, written: int) -> None:
    cursor.execute("SHOW WARNINGS LIMIT 3")
    warnings = [str(row[2]) for row in cursor.fetchall()]
    if warnings or written != expected:
        raise DataError(
            f"MySQL took {written} of {expected} rows of {rows.name} and said: {'; '.join(warnings) or 'nothing'}",
            hint="the server's table differs from the shop's schema: seed again with replace",
            table=rows.name,
        )


def _write_all(descriptor: int, data: bytes) -> None:
    try:
        with os.fdopen(descriptor, "wb") as pipe:
            pipe.write(data)
    except BrokenPipeError:
        return  # the server refused the statement: the reader's error is the one to report


def _load_chunk(cursor: Cursor, statement: str, data: bytes) -> int:
    reading, writing = os.pipe()
    writer = Thread(target=_write_all, args=(writing, data), name="load-data-pipe", daemon=True)
    writer.start()
    try:
        return cursor.execute(statement.format(path=f"/dev/fd/{reading}"))
    finally:
        os.close(reading)
        writer.join()


def load_table(
    connection: Connection,
    schema: str,
    rows: TableRows,
    *,
    by_local_file: bool,
    on_rows: Callable[[int], None] = lambda _rows: None,
) -> int:
    """Write every row, one commit a chunk; the number of rows written.

    Args:
        connection: Opened with `local_infile` and autocommit.
        schema: Where the table is.
        rows: What to write.
        by_local_file: LOAD DATA LOCAL; else multi-row INSERT.
        on_rows: Told the rows of each chunk once they are committed.

    Raises:
        DataError: The server refused or altered a value.

    """
    table = f"`{checked_identifier(schema, 'schema')}`.`{rows.name}`"
    names = [column.name for column in rows.columns]
    with connection.cursor() as cursor:
        cursor.execute("SET SESSION sql_mode = ''")  # zero dates are part of the dirt
        if by_local_file:
            # A BIT takes no text: it goes through a variable.
            bits = [column.name for column in rows.columns if column.form is Form.BIT]
            fields = ", ".join(f"@{name}" if name in bits else f"`{name}`" for name in names)
            casts = " SET " + ", ".join(f"`{name}` = CAST(@{name} AS UNSIGNED)" for name in bits) if bits else ""
            statement = f"LOAD DATA LOCAL INFILE '{{path}}' INTO TABLE {table} CHARACTER SET utf8mb4 ({fields}){casts}"
            for expected, data in rows.tsv_chunks(CHUNK_ROWS):
                _check(cursor, rows, expected=expected, written=_load_chunk(cursor, statement, data))
                on_rows(expected)
        else:
            head = f"INSERT INTO {table} ({', '.join(f'`{name}`' for name in names)}) VALUES ".encode()
            for expected, data in rows.literal_chunks(_INSERT_ROWS):
                written = cursor.execute((head + data).decode())
                _check(cursor, rows, expected=expected, written=written)
                on_rows(expected)
    return len(rows)
