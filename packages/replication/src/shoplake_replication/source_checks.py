"""What must hold on the server before a single event is read, and what the user should know. Reports every finding."""

from collections.abc import Iterable
from typing import Any

import pymysql
from shoplake_core.errors import ResourceError
from shoplake_core.sequences import BinlogPosition
from shoplake_mysql.connections import fetch_all
from shoplake_mysql.errors import MissingBinlogError
from shoplake_mysql.server_facts import Flavour, ServerFacts, list_binlog_files

from shoplake_replication.errors import SourceSettingError, TakenOverError

__all__ = ["cascade_warnings", "check_position", "check_server_id_is_free", "check_settings", "retention_warnings"]

_REQUIRED = {
    "log_bin": ("ON", "log_bin and a server_id (RDS: a backup retention period)"),
    "binlog_format": ("ROW", "binlog_format=ROW"),
    "binlog_row_image": ("FULL", "binlog_row_image=FULL"),
    "binlog_row_metadata": ("FULL", "binlog_row_metadata=FULL"),
}
_FORBIDDEN = ("binlog_transaction_compression", "log_bin_compress", "encrypt_binlog")
_DAY_SECONDS = 86_400
_NATIVE_CASCADES_FROM = (9, 6)

_CASCADES = """
    SELECT r.CONSTRAINT_SCHEMA, r.TABLE_NAME, r.REFERENCED_TABLE_NAME, r.DELETE_RULE, r.UPDATE_RULE
    FROM information_schema.REFERENTIAL_CONSTRAINTS r
    WHERE r.DELETE_RULE NOT IN ('RESTRICT', 'NO ACTION') OR r.UPDATE_RULE NOT IN ('RESTRICT', 'NO ACTION')
"""


def check_settings(facts: ServerFacts) -> None:
    """The server writes a binlog that can be followed exactly.

    Raises:
        SourceSettingError: It does not; the message names each wrong variable.

    """
    findings = []
    for name, (expected, remedy) in _REQUIRED.items():
        found = facts.variables.get(name)
        if found is None or found.upper() not in {expected, "1" if expected == "ON" else expected}:
            findings.append(f"{name} is {found or 'unknown to this server'}, expected {expected} (set {remedy})")
    findings += [f"{name} is ON, expected OFF" for name in _FORBIDDEN if facts.is_on(name)]
    options = facts.variables.get("binlog_row_value_options", "")
    if options:
        findings.append(f"binlog_row_value_options is {options}, expected ''")
    if findings:
        raise SourceSettingError(
            "the server's binlog cannot be followed exactly: " + "; ".join(findings),
            hint="set these globally, reconnect all writers (sessions keep old values), then start again",
            findings=tuple(findings),
        )


def retention_warnings(facts: ServerFacts) -> list[str]:
    """Why a stop of some hours may need a reload."""
    seconds = int(float(facts.variables.get("binlog_expire_logs_seconds", "0")))
    if 0 < seconds < _DAY_SECONDS:
        return [
            f"binlog_expire_logs_seconds is {seconds}: a longer stop of the replicator needs a reload of every table"
        ]
    return []


def check_position(connection: "pymysql.connections.Connection[Any]", position: BinlogPosition) -> None:
    """The server still has the binlog from that position on.

    Raises:
        MissingBinlogError: It does not; the message names the missing file and those that are present.

    """
    files = {file.name: file.size_bytes for file in list_binlog_files(connection)}
    if position.file in files and position.offset <= files[position.file]:
        return
    present = ", ".join(files) or "none"
    if position.file in files:
        what = f"the saved position {position} is behind the end of that file ({files[position.file]} bytes)"
    else:
        what = f"the binlog file {position.file}, which the saved position {position} needs, is gone"
    raise MissingBinlogError(
        f"{what}; files present: {present}",
        hint="load every table anew: `python -m shoplake_replication reload --config FILE`, then `run`",
        position=str(position),
        missing=position.file,
        present=tuple(files),
    )


def check_server_id_is_free(
    connection: "pymysql.connections.Connection[Any]", facts: ServerFacts, server_id: int
) -> None:
    """No replica of the server has that id.

    Raises:
        TakenOverError: One has: two readers with one id would cut each other off for ever.

    """
    renamed = facts.flavour is Flavour.MYSQL and facts.version >= (8, 0, 22)
    try:
        rows = fetch_all(connection, "SHOW REPLICAS" if renamed else "SHOW SLAVE HOSTS")
    except ResourceError:
        return  # not allowed to ask: the server itself will end the older of two readers
    if server_id == facts.server_id or server_id in {int(row[0]) for row in rows}:
        raise TakenOverError(
            f"server_id {server_id} is in use on this server already",
            hint="give each replicator a server_id of its own, or 0 to draw one",
            server_id=server_id,
        )


def cascade_warnings(
    connection: "pymysql.connections.Connection[Any]", facts: ServerFacts, captured: Iterable[tuple[str, str]]
) -> list[str]:
    """One warning for each foreign key whose cascades never reach the binlog."""
    if (
        facts.flavour is Flavour.MYSQL
        and facts.version >= _NATIVE_CASCADES_FROM
        and not facts.is_on("innodb_native_foreign_keys")
    ):
        return []
    tables = set(captured)
    return [
        f"{schema}.{table} changes with {schema}.{parent} by a foreign key (ON DELETE {on_delete}, ON UPDATE {on_update}): "
        "this server does not write such changes to its binlog, so they are missing in bronze; reload the table after them"
        for schema, table, parent, on_delete, on_update in fetch_all(connection, _CASCADES)
        if (schema, table) in tables
    ]
