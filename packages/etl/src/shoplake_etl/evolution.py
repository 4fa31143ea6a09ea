"""An Iceberg table follows its contract: columns added, widened and dropped in place, and everything else refused by name."""

from dataclasses import dataclass

from pyspark.sql import SparkSession
from pyspark.sql import types as t
from shoplake_core.errors import ContractError

__all__ = ["SchemaChanges", "evolve_table", "schema_changes"]


@dataclass(frozen=True, slots=True, kw_only=True)
class SchemaChanges:
    """What brings a table's columns to the wanted ones. No row is rewritten: a new column is null in rows that were there.

    Attributes:
        added: New columns, in the wanted order.
        widened: Columns whose type grows: every value that is there stays as it is.
        dropped: Names of columns that nobody wants any more.

    """

    added: tuple[t.StructField, ...] = ()
    widened: tuple[t.StructField, ...] = ()
    dropped: tuple[str, ...] = ()

    def statements(self, table: str) -> tuple[str, ...]:
        """The ALTER TABLE statements."""
        found = []
        if self.added:
            columns = ", ".join(f"`{field.name}` {field.dataType.simpleString()}" for field in self.added)
            found.append(f"alter table {table} add columns ({columns})")
        found += [f"alter table {table} alter column `{f.name}` type {f.dataType.simpleString()}" for f in self.widened]
        if self.dropped:
            found.append(f"alter table {table} drop columns ({', '.join(f'`{name}`' for name in self.dropped)})")
        return tuple(found)


def _widens(found: t.DataType, wanted: t.DataType) -> bool:
    """Whether Iceberg can make the one type the other in place (its specification, "Schema evolution")."""
    match found, wanted:
        case (t.IntegerType(), t.LongType()) | (t.FloatType(), t.DoubleType()):
            return True
        case t.DecimalType(), t.DecimalType():
            return found.scale == wanted.scale and found.precision < wanted.precision
        case _:
            return False


def schema_changes(
    found: t.StructType, wanted: t.StructType, *, table: str, key: tuple[str, ...] = ()
) -> SchemaChanges:
    """The changes that bring the table's columns `found` to `wanted`.

    Raises:
        ContractError: A type changes in a way that no table can follow, or a key column comes or goes. It names all of them.

    """
    there = {field.name.lower(): field for field in found}
    named = {field.name.lower() for field in wanted}
    added = tuple(field for field in wanted if field.name.lower() not in there)
    dropped = tuple(field.name for field in found if field.name.lower() not in named)
    differing = [
        field
        for field in wanted
        if field.name.lower() in there and there[field.name.lower()].dataType != field.dataType
    ]
    widened = tuple(field for field in differing if _widens(there[field.name.lower()].dataType, field.dataType))
    faults = [
        f"{field.name} is {there[field.name.lower()].dataType.simpleString()}, the contract makes it "
        f"{field.dataType.simpleString()}"
        for field in differing
        if field not in widened
    ]
    faults += [f"key column {field.name} is not in the table" for field in added if field.name in key]
    if faults:
        raise ContractError(
            f"{table} cannot follow its contract:\n" + "\n".join(f"  {fault}" for fault in faults),
            hint="give the column a new name, or drop this table and reload it: shoplake reload",
            table=table,
            faults=faults,
        )
    return SchemaChanges(added=added, widened=widened, dropped=dropped)


def evolve_table(
    spark: SparkSession, table: str, found: t.StructType, wanted: t.StructType, *, key: tuple[str, ...] = ()
) -> SchemaChanges:
    """The changes that were made: afterwards the table, whose columns are `found`, has exactly the wanted ones."""
    changes = schema_changes(found, wanted, table=table, key=key)
    for statement in changes.statements(table):
        spark.sql(statement)
    return changes
