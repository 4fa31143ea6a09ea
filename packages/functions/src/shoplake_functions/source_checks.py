"""What must be true of a MySQL before its changes can be carried exactly: pure checks over what was observed.

The list follows AWS DMS's premigration assessments for MySQL sources, and what our own replicator needs.
"""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import pyarrow as pa
from shoplake_core.contracts import TableContract
from shoplake_core.logical_types import Kind, LogicalType
from shoplake_core.suggestions import did_you_mean
from shoplake_mysql.server_facts import Flavour, ServerFacts
from shoplake_mysql.tables import SourceColumn, TableShape

__all__ = ["SourceCheck", "checks_of_server", "checks_of_table", "fits_logical_type"]

_OLDEST_MYSQL = (8, 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceCheck:
    """One check.

    Attributes:
        name: What it looked at.
        ok: Whether a run may begin; a check that is ok and has a hint is a warning.
        found: What is there.
        expected: What should be; "" where any finding will do.
        hint: How to mend it.

    """

    name: str
    ok: bool
    found: str
    expected: str = ""
    hint: str = ""

    def as_json(self) -> dict[str, Any]:
        """The check as JSON values."""
        return asdict(self)


def _setting(facts: ServerFacts, name: str, wanted: str, hint: str) -> SourceCheck:
    found = facts.variables.get(name, "(not there)")
    ok = found.upper() in ({"ON", "1"} if wanted == "ON" else {wanted})
    return SourceCheck(name=name, ok=ok, found=found, expected=wanted, hint="" if ok else hint)


def checks_of_server(facts: ServerFacts) -> list[SourceCheck]:
    """The checks of the server's settings."""
    rds = "RDS: in the parameter group"
    checks = [
        SourceCheck(name="server", ok=True, found=f"{facts.flavour.value} {facts.version_text}"),
        _setting(facts, "log_bin", "ON", "start the server with log_bin (RDS: a backup retention period above 0)"),
        _setting(facts, "binlog_format", "ROW", f"SET GLOBAL binlog_format = ROW ({rds})"),
        _setting(facts, "binlog_row_image", "FULL", f"SET GLOBAL binlog_row_image = FULL ({rds})"),
        _setting(facts, "binlog_row_metadata", "FULL", f"SET GLOBAL binlog_row_metadata = FULL ({rds})"),
    ]
    checks += [
        SourceCheck(
            name=name,
            ok=False,
            found="ON",
            expected="OFF",
            hint=f"SET GLOBAL {name} = OFF: neither DMS nor Shoplake reads it",
        )
        for name in ("binlog_transaction_compression", "log_bin_compress")
        if facts.is_on(name)
    ]
    options = facts.variables.get("binlog_row_value_options", "")
    if options:
        checks.append(
            SourceCheck(
                name="binlog_row_value_options",
                ok=False,
                found=options,
                expected="(empty)",
                hint="SET GLOBAL binlog_row_value_options = ''",
            )
        )
    if facts.server_id == 0:
        checks.append(
            SourceCheck(
                name="server_id", ok=False, found="0", expected="above 0", hint="give the server a server_id above 0"
            )
        )
    if facts.flavour is Flavour.MYSQL and facts.version < _OLDEST_MYSQL:
        checks.append(
            SourceCheck(
                name="version", ok=False, found=facts.version_text, expected="8.0 or later", hint="upgrade the server"
            )
        )
    return checks


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


def checks_of_table(contract: TableContract, shape: TableShape, cascades: Iterable[str] = ()) -> list[SourceCheck]:
    """The checks of one table against its contract.

    Args:
        contract: What silver expects.
        shape: What MySQL has.
        cascades: Foreign keys whose ON DELETE / ON UPDATE actions change rows of this table.

    """
    name, expected = f"table {contract.name}", f"as contracts/silver/{contract.name}.toml says"
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
        hint = f"change the table, or contracts/silver/{contract.name}.toml"
        return [SourceCheck(name=name, ok=False, found="; ".join(faults), expected=expected, hint=hint)]
    columns = f"{len(contract.columns)} columns, key {', '.join(contract.key)}"
    checks = [SourceCheck(name=name, ok=True, found=columns, expected=expected)]
    known = {column.source_name.lower() for column in contract.columns}
    extra = [column.name for column in shape.columns if column.name.lower() not in known]
    if extra:
        checks.append(
            SourceCheck(
                name=name,
                ok=True,
                found=f"columns not carried: {', '.join(extra)}",
                hint="add them to the contract if wanted",
            )
        )
    checks += [
        SourceCheck(
            name=name,
            ok=True,
            found=f"foreign key {cascade} changes its rows without a trace in the binlog (MySQL before 9.6, MariaDB)",
            hint="delete children explicitly, or use ON DELETE RESTRICT",
        )
        for cascade in cascades
    ]
    return checks
