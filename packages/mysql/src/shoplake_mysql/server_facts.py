"""What a server says about itself: flavour, version, lineage, binlog settings and position."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum
from typing import Any

import pymysql
from shoplake_core.errors import ResourceError
from shoplake_core.sequences import BinlogPosition, parse_binlog_position

from shoplake_mysql.connections import fetch_all
from shoplake_mysql.errors import MissingBinlogError

__all__ = [
    "BinlogFile",
    "Flavour",
    "ServerFacts",
    "list_binlog_files",
    "read_binlog_position",
    "read_server_facts",
    "read_source_clock",
]

_VARIABLES = (
    *("version", "version_comment", "server_id", "server_uuid", "hostname", "datadir", "log_bin", "binlog_format"),
    *("binlog_row_image", "binlog_row_metadata", "binlog_row_value_options", "binlog_transaction_compression"),
    *("log_bin_compress", "encrypt_binlog", "binlog_checksum", "expire_logs_days", "binlog_expire_logs_seconds"),
    *("local_infile", "lower_case_table_names", "time_zone", "system_time_zone", "binlog_legacy_event_pos"),
    *("max_allowed_packet", "binlog_annotate_row_events", "innodb_native_foreign_keys", "port"),
)
_STATUS_RENAMED_IN = (8, 4)  # MySQL: SHOW MASTER STATUS became SHOW BINARY LOG STATUS
_NO_SUCH_TABLE = frozenset({1146, 1049, 1142, 1044})


class Flavour(Enum):
    """Who made the server."""

    MYSQL = "mysql"
    MARIADB = "mariadb"


@dataclass(frozen=True, slots=True)
class BinlogFile:
    """One binlog file that the server still has."""

    name: str
    size_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerFacts:
    """What a server says about itself.

    Attributes:
        flavour: MySQL or MariaDB.
        version: Its numbers, such as (8, 4, 3).
        version_text: As the server prints it.
        server_id: Its replication id.
        lineage: What names this server's data and binlog: MySQL's server_uuid; on MariaDB, which has none, the
            token of `shoplake.lineage` (`lineage.ensure_lineage` creates it), "" while that is not there.
        variables: Global variables that matter here, by name; those a version does not have are absent.

    """

    flavour: Flavour
    version: tuple[int, ...]
    version_text: str
    server_id: int
    lineage: str
    variables: Mapping[str, str]

    def is_on(self, variable: str) -> bool:
        """Whether a boolean variable is set; False where the server does not have it."""
        return self.variables.get(variable, "OFF").upper() in {"ON", "1", "YES", "TRUE"}


def _version_of(text: str) -> tuple[int, ...]:
    numbers = text.split("-", maxsplit=1)[0].split(".")
    return tuple(int(number) for number in numbers if number.isdigit())


def read_server_facts(connection: "pymysql.connections.Connection[Any]") -> ServerFacts:
    """The facts of the server behind the connection. Reads only."""
    names = ", ".join(["%s"] * len(_VARIABLES))
    rows = fetch_all(connection, f"SHOW GLOBAL VARIABLES WHERE Variable_name IN ({names})", _VARIABLES)
    variables = {str(name).lower(): str(value) for name, value in rows}
    text = variables["version"]
    mariadb = "mariadb" in (text + variables.get("version_comment", "")).lower()
    lineage = variables.get("server_uuid", "")
    if not lineage:
        try:
            tokens = fetch_all(connection, "SELECT token FROM shoplake.lineage WHERE id = 1")
        except ResourceError as error:
            if getattr(error, "errno", None) not in _NO_SUCH_TABLE:
                raise
            tokens = []
        lineage = str(tokens[0][0]) if tokens else ""
    return ServerFacts(
        flavour=Flavour.MARIADB if mariadb else Flavour.MYSQL,
        version=_version_of(text),
        version_text=text,
        server_id=int(variables["server_id"]),
        lineage=lineage,
        variables=variables,
    )


def read_source_clock(connection: "pymysql.connections.Connection[Any]") -> datetime:
    """The server's own clock, UTC."""
    value: datetime = fetch_all(connection, "SELECT UTC_TIMESTAMP(6)")[0][0]
    return value.replace(tzinfo=UTC)


def read_binlog_position(
    connection: "pymysql.connections.Connection[Any]", facts: ServerFacts | None = None
) -> BinlogPosition:
    """Where the server will write its next event.

    Raises:
        MissingBinlogError: The binlog is off.

    """
    facts = facts or read_server_facts(connection)
    renamed = facts.flavour is Flavour.MYSQL and facts.version >= _STATUS_RENAMED_IN
    rows = fetch_all(connection, "SHOW BINARY LOG STATUS" if renamed else "SHOW MASTER STATUS")
    if not rows:
        raise MissingBinlogError(
            "the server writes no binary log (log_bin is off)",
            hint="start it with log_bin and binlog_format=ROW (RDS: set a backup retention period)",
        )
    return parse_binlog_position(f"{rows[0][0]}:{rows[0][1]}")


def list_binlog_files(connection: "pymysql.connections.Connection[Any]") -> list[BinlogFile]:
    """The binlog files that the server still has, oldest first."""
    return [BinlogFile(str(row[0]), int(row[1])) for row in fetch_all(connection, "SHOW BINARY LOGS")]
