"""The tests of a gold contract, run on the rows just built and before they are committed: what a test selects breaks it.

All tests of a model are one query; the rows themselves are fetched of those that found any.
"""

from collections.abc import Mapping
from typing import Any

from pyspark.sql import DataFrame, SparkSession
from shoplake_core.contracts import GoldTest, Severity, TableContract
from shoplake_core.errors import DataError

from shoplake_etl.gold_rows import bound_sql

__all__ = ["tested"]

_SHOWN = 5


def _accepted(contract: TableContract) -> tuple[GoldTest, ...]:
    """The closed sets of values, as tests."""
    keys = ", ".join(f"`{name}`" for name in contract.key)

    def test(name: str, accepted: tuple[str, ...]) -> GoldTest:
        values = ", ".join("'" + value.replace("'", "''") + "'" for value in accepted)
        sql = f"select {keys}, `{name}` from {contract.name} where `{name}` not in ({values})"
        return GoldTest(name=f"{name}_is_accepted", sql=sql)

    return tuple(test(column.name, column.accepted) for column in contract.columns if column.accepted)


def tested(
    spark: SparkSession, contract: TableContract, rows: DataFrame, settings: Mapping[str, str]
) -> dict[str, Any]:
    """Test -> how many rows break it and the first of them, of the tests that only warn.

    Args:
        spark: The model's session, with views of the tables it reads and of `scope`.
        contract: The gold contract.
        rows: The difference that is to be committed; `new` holds the rows as they will be.
        settings: What `${name}` stands for in a test.

    Raises:
        DataError: A test of severity error selects rows; every such test is told.

    """
    tests = (*_accepted(contract), *contract.tests)
    if not tests:
        return {}
    rows.where("new is not null").select("new.*").createOrReplaceTempView(contract.name)
    sql = {test.name: bound_sql(test.sql, settings, model=contract.name) for test in tests}
    counted = " union all ".join(
        f"select '{name}' as test, count(*) as broken from ({text})" for name, text in sql.items()
    )
    broken = {row["test"]: int(row["broken"]) for row in spark.sql(counted).collect() if row["broken"]}
    if not broken:
        return {}

    def found(name: str) -> dict[str, Any]:
        first = spark.sql(f"select to_json(struct(*)) as row from ({sql[name]}) limit {_SHOWN}").collect()
        return {"rows": broken[name], "first": [row["row"] for row in first]}

    errors = {test.name: found(test.name) for test in tests if test.severity is Severity.ERROR and test.name in broken}
    if errors:
        lines = "\n".join(
            f"  - {name}: {e['rows']} rows, such as {', '.join(e['first'])}" for name, e in errors.items()
        )
        raise DataError(
            f"gold {contract.name} fails its tests, and nothing of it was committed:\n{lines}",
            hint=f"look those rows up in silver; if they are right, mend gold/{contract.name}.sql or the test in "
            f"contracts/gold/{contract.name}.toml",
            table=contract.name,
            tests=tuple(errors),
        )
    return {name: found(name) for name in broken}
