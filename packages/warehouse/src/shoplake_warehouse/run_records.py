"""What each run did, as tables of the schema `shoplake` beside `loads`: what a dashboard for operators reads. Pure.

`runs` has one row a run, `run_tables` one row a run, layer and table, `run_checks` one row a run, check and table.
"""

from dataclasses import dataclass
from datetime import datetime

from shoplake_warehouse.ddl import STATE_SCHEMA, create_schemas
from shoplake_warehouse.loading import text_literal

__all__ = ["CheckRecord", "RunRecord", "TableRecord", "create_run_tables", "record_statements"]

_COLUMNS = {
    "runs": {
        "run_id": "VARCHAR(256) NOT NULL",
        "status": "VARCHAR(20) NOT NULL",
        "started_at": "TIMESTAMP NOT NULL",
        "ended_at": "TIMESTAMP",
        "duration_seconds": "BIGINT",
        "failed_state": "VARCHAR(320)",
    },
    "run_tables": {
        "run_id": "VARCHAR(256) NOT NULL",
        "layer": "VARCHAR(20) NOT NULL",
        "table_name": "VARCHAR(256) NOT NULL",
        "finished_at": "TIMESTAMP NOT NULL",
        "rows_written": "BIGINT NOT NULL",
        "rows_quarantined": "BIGINT NOT NULL",
        "duration_seconds": "BIGINT NOT NULL",
    },
    "run_checks": {
        "run_id": "VARCHAR(256) NOT NULL",
        "check_name": "VARCHAR(256) NOT NULL",
        "table_name": "VARCHAR(256) NOT NULL",
        "checked_at": "TIMESTAMP NOT NULL",
        "status": "VARCHAR(20) NOT NULL",
        "findings": "BIGINT NOT NULL",
    },
}
_LONGEST_STATE = 80


@dataclass(frozen=True, slots=True, kw_only=True)
class TableRecord:
    """How many rows of a table a run wrote in one layer, and refused."""

    layer: str
    table: str
    rows_written: int
    rows_quarantined: int
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckRecord:
    """How a check of a table went: how many findings it had."""

    check: str
    table: str
    findings: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRecord:
    """One run that has ended.

    Attributes:
        run_id: Its id.
        status: "succeeded" or "failed".
        started_at: When it started, in UTC.
        ended_at: When it ended, in UTC.
        failed_state: Where it failed; "" for nowhere.
        tables: What it wrote.
        checks: What it checked.

    """

    run_id: str
    status: str
    started_at: datetime
    ended_at: datetime
    failed_state: str = ""
    tables: tuple[TableRecord, ...] = ()
    checks: tuple[CheckRecord, ...] = ()


def create_run_tables() -> tuple[str, ...]:
    """The statements that make schema and tables where they are not there."""
    tables = (
        f"CREATE TABLE IF NOT EXISTS {STATE_SCHEMA}.{name} (\n  "
        + ",\n  ".join(f'"{column}" {kind}' for column, kind in columns.items())
        + '\n) DISTSTYLE ALL SORTKEY ("run_id")'
        for name, columns in _COLUMNS.items()
    )
    return (*create_schemas(), *tables)


def record_statements(record: RunRecord) -> tuple[str, ...]:
    """The statements that put the record in place of what was recorded of that run: to be run as one transaction."""
    run, ended = _text(record.run_id), _time(record.ended_at)
    seconds = max(0, round((record.ended_at - record.started_at).total_seconds()))
    failed = _text(record.failed_state[:_LONGEST_STATE]) if record.failed_state else "NULL"
    rows = {
        "runs": [f"({run}, {_text(record.status)}, {_time(record.started_at)}, {ended}, {seconds}, {failed})"],
        "run_tables": [
            f"({run}, {_text(one.layer)}, {_text(one.table)}, {ended}, {one.rows_written}, {one.rows_quarantined},"
            f" {round(one.seconds)})"
            for one in record.tables
        ],
        "run_checks": [
            f"({run}, {_text(one.check)}, {_text(one.table)}, {ended}, {_text('failed' if one.findings else 'passed')},"
            f" {one.findings})"
            for one in record.checks
        ],
    }
    statements = [f'DELETE FROM {STATE_SCHEMA}.{name} WHERE "run_id" = {run}' for name in _COLUMNS]
    for name, values in rows.items():
        if values:
            columns = ", ".join(f'"{column}"' for column in _COLUMNS[name])
            statements.append(f"INSERT INTO {STATE_SCHEMA}.{name} ({columns}) VALUES {', '.join(values)}")
    return tuple(statements)


def _text(value: str) -> str:
    return text_literal(value.replace("\\", "/"))


def _time(at: datetime) -> str:
    return f"'{at:%Y-%m-%d %H:%M:%S.%f}'"
