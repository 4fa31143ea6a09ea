"""A gold model's rows: the scope that changed, the SELECT over it, and the difference to what the model holds."""

import re
from collections.abc import Mapping, Sequence

from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F  # noqa: N812 - the name everybody knows
from shoplake_core.contracts import TableContract
from shoplake_core.errors import ConfigError, ContractError

from shoplake_etl.spark_types import spark_type

__all__ = ["bound_sql", "difference", "held_scope", "scope_values", "touched_scope", "typed_result", "within_scope"]

_SETTING = re.compile(r"\$\{([a-z_]+)\}")
_SAFE = re.compile(r"^[A-Za-z0-9_/+-]+$")  # a time zone, a currency: nothing that could end a literal
_HELD_AS_VALUES = 10_000


def bound_sql(sql: str, settings: Mapping[str, str], *, model: str) -> str:
    """The SELECT with `${name}` replaced by the setting's text.

    Raises:
        ConfigError: A name is unknown, or a setting holds more than letters, digits and _ / + -.

    """

    def value(match: re.Match[str]) -> str:
        name = match.group(1)
        if name not in settings:
            raise ConfigError(
                f"gold/{model}.sql: unknown setting ${{{name}}}", hint=f"use one of {', '.join(settings)}", model=model
            )
        if not _SAFE.match(settings[name]):
            raise ConfigError(
                f'setting {name} is "{settings[name]}"', hint="use letters, digits and _ / + -", model=model
            )
        return settings[name]

    return _SETTING.sub(value, sql)


def scope_values(values: DataFrame, contract: TableContract, *, where: str) -> DataFrame:
    """The scope's columns, typed, of what the contract's SELECT at `where` gives.

    Raises:
        ContractError: It selects another number of columns.

    """
    if len(values.columns) != len(contract.scope):
        raise ContractError(
            f"contracts/gold/{contract.name}.toml: {where} selects {', '.join(values.columns)}",
            hint=f"select {', '.join(contract.scope)}",
            table=contract.name,
        )
    return values.toDF(*contract.scope).select(
        *(F.col(name).cast(spark_type(contract.column(name).type)).alias(name) for name in contract.scope)
    )


def touched_scope(spark: SparkSession, contract: TableContract, changes: Mapping[str, DataFrame]) -> DataFrame | None:
    """The distinct scope values that the changes touch; None where no read table that counts has changed.

    Args:
        spark: The model's session, with views of the tables it reads.
        contract: The gold contract.
        changes: Table read -> its change sets.

    """
    scope: DataFrame | None = None
    for table, sql in contract.touched.items():
        if table not in changes:
            continue
        changes[table].createOrReplaceTempView("changes")
        typed = scope_values(spark.sql(sql), contract, where=f"touched.{table}")
        scope = typed if scope is None else scope.unionByName(typed)
    return None if scope is None else scope.distinct()


def held_scope(scope: DataFrame, *, small: bool) -> tuple[DataFrame, int]:
    """The scope, worked out once, and how many groups it holds.

    Args:
        scope: What was touched.
        small: Whether it may be few groups. Up to 10,000 are then held as values: whatever joins them needs no shuffle.

    """
    if small:
        spark = scope.sparkSession
        found = scope.coalesce(1).limit(_HELD_AS_VALUES + 1)._jdf.collectAsList()  # noqa: SLF001 - rows that stay in Java
        if (groups := found.size()) <= _HELD_AS_VALUES:
            values = spark._jsparkSession.createDataFrame(found, scope._jdf.schema())  # noqa: SLF001
            return DataFrame(values, spark), groups
    scope = scope.localCheckpoint(eager=False)
    return scope, scope.count()


def typed_result(result: DataFrame, contract: TableContract) -> DataFrame:
    """The SELECT's rows as the contract's columns, in its order.

    Raises:
        ContractError: Columns are missing, extra or cannot be cast; every finding is listed.

    """
    names = [name.lower() for name in result.columns]
    faults = [f"column {name} is missing" for name in contract.column_names if name not in names]
    faults += [f"column {name} is not in the contract" for name in names if name not in contract.column_names]
    if faults or len(set(names)) != len(names):
        faults += [f"column {name} comes twice" for name in sorted({n for n in names if names.count(n) > 1})]
        lines = "\n".join(f"  - {fault}" for fault in faults)
        raise ContractError(
            f"gold/{contract.name}.sql does not give the contract's columns:\n{lines}",
            hint=f"edit gold/{contract.name}.sql or contracts/gold/{contract.name}.toml",
            table=contract.name,
            faults=faults,
        )
    return result.select(*(F.col(c.name).cast(spark_type(c.type)).alias(c.name) for c in contract.columns))


def within_scope(rows: DataFrame, scope: DataFrame, columns: Sequence[str]) -> DataFrame:
    """Those rows whose scope columns are in the scope; null equals null."""
    renamed = scope.select(*(F.col(name).alias(f"__scope_{name}") for name in columns))
    condition = F.lit(True)
    for name in columns:
        condition = condition & F.col(name).eqNullSafe(F.col(f"__scope_{name}"))
    return rows.join(renamed, condition, "left_semi")


def _nulls(contract: TableContract) -> Column:
    broken = F.lit(False)
    for column in contract.columns:
        if not column.nullable:
            broken = broken | F.col("new")[column.name].isNull()
    return F.col("new").isNotNull() & broken


def difference(result: DataFrame, existing: DataFrame | None, contract: TableContract) -> DataFrame:
    """What the result changes: `old` and `new` row structs, `action` (I, U, D, or null for an equal row) and `has_null` (a
    null in a column that is not nullable); one row per key, and more of a key that comes more than once.
    """
    row = F.struct(*contract.column_names)
    new = result.select(*contract.key, row.alias("new"))
    row_type = result.select(row.alias("row")).schema["row"].dataType
    if existing is None:
        joined = new.select("new", F.lit(None).cast(row_type).alias("old"))
    else:
        old = existing.select(*(F.col(k).alias(f"__old_{k}") for k in contract.key), row.alias("old"))
        same = F.lit(True)
        for name in contract.key:
            same = same & (F.col(name) == F.col(f"__old_{name}"))
        joined = new.join(old, same, "full_outer").select("new", "old")
    action = (
        F.when(F.col("old").isNull(), "I")
        .when(F.col("new").isNull(), "D")
        .when(~F.col("new").eqNullSafe(F.col("old")), F.lit("U"))
    )
    return joined.select("old", "new", action.alias("action"), _nulls(contract).alias("has_null"))
