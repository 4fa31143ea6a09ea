"""CREATE statements of the warehouse, from the gold contracts, in the part of Redshift's DDL that PostgreSQL also reads
once keys and encodings are dropped. Nothing here talks to a warehouse.

Names are always quoted: a column may be called like one of Redshift's many reserved words.
"""

from collections.abc import Iterable

from shoplake_core.contracts import ColumnContract, TableContract
from shoplake_core.errors import ContractError
from shoplake_core.identifiers import checked_identifier
from shoplake_core.suggestions import did_you_mean

from shoplake_warehouse.redshift_types import column_type

__all__ = [
    "GOLD_SCHEMA",
    "LOADS_TABLE",
    "OPERATION_COLUMN",
    "STAGING_SCHEMA",
    "STATE_SCHEMA",
    "create_gold_table",
    "create_loads_table",
    "create_schemas",
    "create_staging_table",
    "quoted",
    "quoted_names",
    "staging_columns",
    "table_name",
]

GOLD_SCHEMA = "gold"
STAGING_SCHEMA = "staging"
STATE_SCHEMA = "shoplake"
LOADS_TABLE = f"{STATE_SCHEMA}.loads"
OPERATION_COLUMN = "_op"
_OPERATION_TYPE = "CHAR(1)"


def quoted(name: str) -> str:
    """The identifier in double quotes, after `checked_identifier`."""
    return f'"{checked_identifier(name, "warehouse name")}"'


def quoted_names(names: Iterable[str], *, prefix: str = "") -> str:
    """The identifiers, quoted and joined by commas, each with `prefix` ("incoming.") before it."""
    return ", ".join(prefix + quoted(name) for name in names)


def table_name(schema: str, table: str) -> str:
    """`schema."table"`."""
    return f"{schema}.{quoted(table)}"


def staging_columns(contract: TableContract) -> tuple[tuple[str, str], ...]:
    """Names and Redshift types of the staging table, in the order of the change files."""
    return ((OPERATION_COLUMN, _OPERATION_TYPE), *((column.name, column_type(column)) for column in contract.columns))


def create_schemas() -> tuple[str, ...]:
    """The statements that make the three schemas."""
    return tuple(f"CREATE SCHEMA IF NOT EXISTS {schema}" for schema in (GOLD_SCHEMA, STAGING_SCHEMA, STATE_SCHEMA))


def create_loads_table() -> str:
    """The statement that makes `shoplake.loads`, the record of every batch that was loaded."""
    return (
        f"CREATE TABLE IF NOT EXISTS {LOADS_TABLE} (\n"
        '  "table_name" VARCHAR(256) NOT NULL,\n'
        '  "batch" BIGINT NOT NULL,\n'
        '  "run_id" VARCHAR(256) NOT NULL,\n'
        '  "loaded_at" TIMESTAMP NOT NULL,\n'
        '  PRIMARY KEY ("table_name", "batch")\n'
        ') DISTSTYLE ALL SORTKEY ("table_name", "batch")'
    )


def _gold_column(column: ColumnContract, key: tuple[str, ...]) -> str:
    # Only key columns are NOT NULL: Redshift cannot add a NOT NULL column later, and a table that grew must equal one
    # that was made in one go. Silver has checked the nulls.
    suffix = " NOT NULL" if column.name in key else ""
    return f"{quoted(column.name)} {column_type(column)}{suffix}"


def _distribution(contract: TableContract) -> str:
    if contract.distribution_key and contract.distribution_key not in contract.column_names:
        raise ContractError(
            f'gold model {contract.name}: distribution_key "{contract.distribution_key}" is no column'
            f"{did_you_mean(contract.distribution_key, contract.column_names)}",
            hint=f"name a column in contracts/gold/{contract.name}.toml, or leave distribution_key out",
            table=contract.name,
        )
    if contract.distribution_key:
        return f"DISTSTYLE KEY DISTKEY ({quoted(contract.distribution_key)})"
    return "DISTSTYLE EVEN"


def create_gold_table(contract: TableContract) -> str:
    """The statement that makes the table that people query. Its primary key informs Redshift's planner only.

    Raises:
        ContractError: The distribution key is no column.

    """
    keys = _distribution(contract)
    lines = [_gold_column(column, contract.key) for column in contract.columns]
    lines.append(f"PRIMARY KEY ({quoted_names(contract.key)})")
    if contract.sort_key:
        keys += f" COMPOUND SORTKEY ({quoted_names(contract.sort_key)})"
    body = ",\n  ".join(lines)
    return f"CREATE TABLE IF NOT EXISTS {table_name(GOLD_SCHEMA, contract.name)} (\n  {body}\n) {keys}"


def create_staging_table(contract: TableContract) -> str:
    """The statement that makes the table that COPY fills: `_op`, then the model's columns, by position.

    It is distributed like its gold table, so that the procedure joins the two without moving rows.

    Raises:
        ContractError: The distribution key is no column.

    """
    body = ",\n  ".join(f"{quoted(name)} {kind}" for name, kind in staging_columns(contract))
    name = table_name(STAGING_SCHEMA, contract.name)
    return f"CREATE TABLE IF NOT EXISTS {name} (\n  {body}\n) {_distribution(contract)}"
