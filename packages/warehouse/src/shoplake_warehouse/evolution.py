"""Desired against observed: the statements that bring a live warehouse to the contracts, or a clear stop.

Pure: the caller reads `information_schema.columns` and runs what comes out.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from shoplake_core.contracts import TableContract

from shoplake_warehouse.ddl import (
    GOLD_SCHEMA,
    STAGING_SCHEMA,
    create_gold_table,
    create_loads_table,
    create_schemas,
    create_staging_table,
    quoted,
    staging_columns,
    table_name,
)
from shoplake_warehouse.errors import WarehouseShapeError
from shoplake_warehouse.procedures import create_load_procedure
from shoplake_warehouse.redshift_types import column_type

__all__ = ["OBSERVED_COLUMNS_SQL", "ObservedTable", "WarehouseChanges", "observed_tables", "plan_warehouse"]

# In the order of the table. Redshift answers information_schema on its leader node, PostgreSQL alike.
OBSERVED_COLUMNS_SQL = (
    "SELECT table_schema, table_name, column_name, data_type, character_maximum_length, numeric_precision, numeric_scale "
    f"FROM information_schema.columns WHERE table_schema IN ('{GOLD_SCHEMA}', '{STAGING_SCHEMA}') "
    "ORDER BY table_schema, table_name, ordinal_position"
)

ObservedTable = tuple[tuple[str, str], ...]  # (column, Redshift type) in order
_SHORT_NAMES = {"timestamp without time zone": "TIMESTAMP", "timestamp with time zone": "TIMESTAMPTZ"}
_VARCHAR = re.compile(r"^VARCHAR\((\d+)\)$")


@dataclass(frozen=True, slots=True)
class WarehouseChanges:
    """What to run, in order.

    Attributes:
        alone: Statements that Redshift refuses inside a transaction (a VARCHAR made wider), each run by itself, last.
        together: Statements that may share one transaction.

    """

    together: tuple[str, ...]
    alone: tuple[str, ...]


def _type_text(data_type: str, length: int | None, precision: int | None, scale: int | None) -> str:
    if data_type == "character varying":
        return f"VARCHAR({length})"
    if data_type == "character":
        return f"CHAR({length})"
    if data_type == "numeric":
        return f"NUMERIC({precision},{scale or 0})"
    return _SHORT_NAMES.get(data_type, data_type.upper())


def observed_tables(rows: Sequence[Sequence[object]]) -> dict[tuple[str, str], ObservedTable]:
    """(schema, table) -> its columns, from the rows of `OBSERVED_COLUMNS_SQL`."""

    def number(value: object) -> int | None:
        return None if value is None else int(str(value))

    found: dict[tuple[str, str], list[tuple[str, str]]] = {}
    for schema, table, column, data_type, length, precision, scale in rows:
        text = _type_text(str(data_type), number(length), number(precision), number(scale))
        found.setdefault((str(schema), str(table)), []).append((str(column), text))
    return {name: tuple(columns) for name, columns in found.items()}


def _is_wider(observed: str, desired: str) -> bool:
    before, after = _VARCHAR.match(observed), _VARCHAR.match(desired)
    return bool(before and after and int(after.group(1)) > int(before.group(1)))


def _gold_changes(contract: TableContract, observed: ObservedTable) -> tuple[list[str], list[str]]:
    target = table_name(GOLD_SCHEMA, contract.name)
    live = dict(observed)
    together: list[str] = []
    alone: list[str] = []
    faults: list[str] = []
    for column in contract.columns:
        desired = column_type(column)
        if column.name not in live:
            if column.name in contract.key:
                faults.append(f"column {column.name} is new and part of the key")
            else:
                together.append(f"ALTER TABLE {target} ADD COLUMN {quoted(column.name)} {desired}")
        elif _is_wider(live[column.name], desired):
            alone.append(f"ALTER TABLE {target} ALTER COLUMN {quoted(column.name)} TYPE {desired}")
        elif live[column.name] != desired:
            faults.append(f"column {column.name} is {live[column.name]}, the contract says {desired}")
    faults += [f"column {name} is not in the contract" for name in live if name not in contract.column_names]
    if faults:
        raise WarehouseShapeError(
            f"warehouse table {GOLD_SCHEMA}.{contract.name} differs from its contract: {'; '.join(faults)}",
            hint=f"once nobody needs the old column, drop it or the table {target}; a dropped table also needs "
            f"DELETE FROM shoplake.loads WHERE table_name = '{contract.name}' and a full rebuild of the model",
            table=contract.name,
            faults=faults,
        )
    return together, alone


def plan_warehouse(
    contracts: Mapping[str, TableContract], observed: Mapping[tuple[str, str], ObservedTable]
) -> WarehouseChanges:
    """The statements that bring the warehouse to the contracts; harmless to run again.

    A staging table that differs is dropped and made anew: COPY fills it by position, and it holds nothing between loads.

    Raises:
        WarehouseShapeError: A live gold table differs in a way that ALTER cannot mend without losing data.

    """
    together: list[str] = [*create_schemas(), create_loads_table()]
    alone: list[str] = []
    for contract in contracts.values():
        gold = observed.get((GOLD_SCHEMA, contract.name))
        if gold is None:
            together.append(create_gold_table(contract))
        else:
            more, later = _gold_changes(contract, gold)
            together += more
            alone += later
        staging = observed.get((STAGING_SCHEMA, contract.name))
        if staging != staging_columns(contract):
            if staging is not None:
                together.append(f"DROP TABLE {table_name(STAGING_SCHEMA, contract.name)}")
            together.append(create_staging_table(contract))
        together.append(create_load_procedure(contract))
    return WarehouseChanges(tuple(together), tuple(alone))
