"""The tests of a gold contract, run on the rows just built and before they are committed: what a test selects breaks it.

All tests of a model are one query, which their caller may join to its own; the rows themselves are fetched of those that
found any.
"""

from collections.abc import Mapping
from typing import Any

from pyspark.sql import DataFrame, SparkSession
from shoplake_core.contracts import GoldTest, Severity, TableContract
from shoplake_core.errors import DataError

from shoplake_etl.gold_rows import bound_sql

__all__ = ["GoldTests"]

_SHOWN = 5


def _accepted(contract: TableContract) -> tuple[GoldTest, ...]:
    """The closed sets of values, as tests."""
    keys = ", ".join(f"`{name}`" for name in contract.key)

    def test(name: str, accepted: tuple[str, ...]) -> GoldTest:
        values = ", ".join("'" + value.replace("'", "''") + "'" for value in accepted)
        sql = f"select {keys}, `{name}` from {contract.name} where `{name}` not in ({values})"
        return GoldTest(name=f"{name}_is_accepted", sql=sql)

    return tuple(test(column.name, column.accepted) for column in contract.columns if column.accepted)


class GoldTests:
    """The tests of one model's rows.

    Args:
        spark: The model's session, with views of the tables it reads and of `scope`.
        contract: The gold contract.
        rows: The difference that is to be committed; `new` holds the rows as they will be.
        settings: What `${name}` stands for in a test.

    """

    def __init__(
        self, spark: SparkSession, contract: TableContract, rows: DataFrame, settings: Mapping[str, str]
    ) -> None:
        self._spark, self._contract = spark, contract
        self._tests = (*_accepted(contract), *contract.tests)
        self._sql = {test.name: bound_sql(test.sql, settings, model=contract.name) for test in self._tests}
        rows.where("new is not null").select("new.*").createOrReplaceTempView(contract.name)

    def counts(self) -> DataFrame | None:
        """`name` and `found`, how many rows break it (bigint), of each test; None for a model without."""
        counted = " union all ".join(
            f"select '{name}' as name, count(*) as found from ({text})" for name, text in self._sql.items()
        )
        return self._spark.sql(counted) if counted else None

    def judged(self, found: Mapping[str, int]) -> dict[str, Any]:
        """Test -> how many rows break it and the first of them, of the tests that only warn.

        Args:
            found: What `counts` counted, by name.

        Raises:
            DataError: A test of severity error selects rows; every such test is told.

        """
        contract = self._contract
        broken = [test for test in self._tests if found.get(test.name)]
        told: dict[str, dict[str, Any]] = {
            test.name: {"rows": found[test.name], "first": self._first(test.name)} for test in broken
        }
        errors = {test.name: told[test.name] for test in broken if test.severity is Severity.ERROR}
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
        return told

    def _first(self, name: str) -> list[str]:
        rows = self._spark.sql(f"select to_json(struct(*)) as row from ({self._sql[name]}) limit {_SHOWN}").collect()
        return [row["row"] for row in rows]
