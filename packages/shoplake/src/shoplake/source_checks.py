"""What must be true of a MySQL before its changes can be carried exactly: pure checks over what was observed.

The list follows AWS DMS's premigration assessments for MySQL sources, and what our own replicator needs.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import Enum

import pyarrow as pa
from shoplake_core.contracts import TableContract
from shoplake_core.logical_types import Kind, LogicalType
from shoplake_core.suggestions import did_you_mean
from shoplake_mysql.server_facts import Flavour, ServerFacts
from shoplake_mysql.tables import SourceColumn, TableShape

__all__ = ["CheckOutcome", "CheckResult", "checks_of_server", "checks_of_table", "fits_logical_type"]


class CheckOutcome(Enum):
    """How a check ended."""

    OK = "ok"
    WARNING = "warning"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class CheckResult:
    """One check: what it looked at, how it ended, what it found and how to mend it."""

    name: str
    outcome: CheckOutcome
    found: str
    fix: str = ""


def _setting(facts: ServerFacts, name: str, wanted: str, fix: str) -> CheckResult:
    found = facts.variables.get(name, "(not there)")
    good = found.upper() in {wanted, "1"} if wanted == "ON" else found.upper() == wanted
    return CheckResult(name, CheckOutcome.OK if good else CheckOutcome.FAILED, found, "" if good else fix)


def checks_of_server(facts: ServerFacts) -> list[CheckResult]:
    """The checks of the server's settings."""
    rds = "RDS: in the parameter group"
    results = [
        CheckResult("server", CheckOutcome.OK, f"{facts.flavour.value} {facts.version_text}"),
        _setting(facts, "log_bin", "ON", "start the server with log_bin (RDS: a backup retention period above 0)"),
        _setting(facts, "binlog_format", "ROW", f"SET GLOBAL binlog_format = ROW ({rds})"),
        _setting(facts, "binlog_row_image", "FULL", f"SET GLOBAL binlog_row_image = FULL ({rds})"),
        _setting(facts, "binlog_row_metadata", "FULL", f"SET GLOBAL binlog_row_metadata = FULL ({rds})"),
    ]
    results += [
        CheckResult(name, CheckOutcome.FAILED, "ON", f"SET GLOBAL {name} = OFF: neither DMS nor Shoplake reads it")
        for name in ("binlog_transaction_compression", "log_bin_compress")
        if facts.is_on(name)
    ]
    if facts.variables.get("binlog_row_value_options", ""):
        results.append(
            CheckResult(
                "binlog_row_value_options",
                CheckOutcome.FAILED,
                facts.variables["binlog_row_value_options"],
                "SET GLOBAL binlog_row_value_options = ''",
            )
        )
    if facts.server_id == 0:
        results.append(CheckResult("server_id", CheckOutcome.FAILED, "0", "give the server a server_id above 0"))
    if facts.flavour is Flavour.MYSQL and facts.version < (8, 0):
        results.append(
            CheckResult(
                "version", CheckOutcome.FAILED, facts.version_text, "MySQL 8.0 or MariaDB 10.5 is the oldest supported"
            )
        )
    return results


_SAME_KIND: Mapping[Kind, tuple[pa.DataType, ...]] = {
    Kind.INT8: (pa.int8(),),
    Kind.INT16: (pa.int8(), pa.int16(), pa.uint8()),
    Kind.INT32: (pa.int8(), pa.int16(), pa.int32(), pa.uint8(), pa.uint16()),
    Kind.INT64: (pa.int8(), pa.int16(), pa.int32(), pa.int64(), pa.uint8(), pa.uint16(), pa.uint32()),
    Kind.UINT8: (pa.uint8(),),
    Kind.UINT16: (pa.uint8(), pa.uint16()),
    Kind.UINT32: (pa.uint8(), pa.uint16(), pa.uint32()),
    Kind.UINT64: (pa.uint8(), pa.uint16(), pa.uint32(), pa.uint64()),
    Kind.FLOAT64: (pa.float64(),),
    Kind.BOOLEAN: (pa.bool_(), pa.int8(), pa.uint8()),
    Kind.DATE: (pa.date32(),),
    Kind.DATETIME: (pa.timestamp("us", tz="UTC"),),
    Kind.TIMESTAMP: (pa.timestamp("us", tz="UTC"),),
}


def fits_logical_type(column: SourceColumn, wanted: LogicalType) -> bool:
    """Whether every value of the MySQL column is a value of that type."""
    found = column.arrow_type
    if wanted.is_text:
        return pa.types.is_string(found) or pa.types.is_large_string(found)
    if wanted.kind is Kind.DECIMAL:
        return (
            pa.types.is_decimal(found)
            and found.scale <= wanted.scale
            and found.precision - found.scale <= wanted.precision - wanted.scale
        )
    if wanted.kind is Kind.BINARY:
        return pa.types.is_binary(found)
    return found in _SAME_KIND[wanted.kind]


def checks_of_table(contract: TableContract, shape: TableShape, cascades: Iterable[str] = ()) -> list[CheckResult]:
    """The checks of one table against its contract.

    Args:
        contract: What silver expects.
        shape: What MySQL has.
        cascades: Foreign keys whose ON DELETE / ON UPDATE actions change rows of this table.

    """
    name = f"table {contract.name}"
    faults: list[str] = []
    source_names = {column.name.lower(): column for column in shape.columns}
    if not shape.primary_key:
        faults.append("has no primary key")
    elif [k.lower() for k in shape.primary_key] != [contract.column(k).source_name.lower() for k in contract.key]:
        faults.append(f"has the primary key ({', '.join(shape.primary_key)}), the contract ({', '.join(contract.key)})")
    for column in contract.columns:
        found = source_names.get(column.source_name.lower())
        if found is None:
            faults.append(f"has no column {column.source_name}{did_you_mean(column.source_name, source_names)}")
        elif not fits_logical_type(found, column.source_type):
            faults.append(f"{column.source_name} is {found.declared_type}, the contract says {column.source_type}")
    if faults:
        fix = f"change the table, or contracts/silver/{contract.name}.toml"
        return [CheckResult(name, CheckOutcome.FAILED, "; ".join(faults), fix)]
    results = [CheckResult(name, CheckOutcome.OK, f"{len(contract.columns)} columns, key {', '.join(contract.key)}")]
    known = {column.source_name.lower() for column in contract.columns}
    extra = [column.name for column in shape.columns if column.name.lower() not in known]
    if extra:
        results.append(
            CheckResult(
                name,
                CheckOutcome.WARNING,
                f"columns not carried: {', '.join(extra)}",
                "add them to the contract if wanted",
            )
        )
    results += [
        CheckResult(
            name,
            CheckOutcome.WARNING,
            f"foreign key {cascade} changes its rows without a trace in the binlog (MySQL before 9.6, MariaDB)",
            "delete children explicitly, or use ON DELETE RESTRICT",
        )
        for cascade in cascades
    ]
    return results
