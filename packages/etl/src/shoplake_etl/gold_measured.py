"""What a model's difference holds and how many of its rows break a rule, by one query."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from py4j.protocol import Py4JError  # type: ignore[import-untyped]
from pyspark.errors import PySparkException
from pyspark.sql import DataFrame
from pyspark.sql import functions as F  # noqa: N812 - the name everybody knows
from shoplake_core.contracts import TableContract
from shoplake_core.errors import ContractError

from shoplake_etl.gold_tests import GoldTests

__all__ = ["Measured", "measured"]

_OWN = "#"  # begins no test's name


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """What a difference holds.

    Attributes:
        inserted: Keys that are new.
        updated: Keys whose row is another.
        deleted: Keys that are gone.
        rows: Rows that the model will hold, within its scope.
        broken: Test -> how many rows break it.

    """

    inserted: int = 0
    updated: int = 0
    deleted: int = 0
    rows: int = 0
    broken: Mapping[str, int] = field(default_factory=dict)

    @property
    def changed(self) -> int:
        """Rows of a change set: a changed row stands twice in it, as it was and as it is."""
        return self.inserted + self.deleted + 2 * self.updated


def _doubled(rows: DataFrame, contract: TableContract) -> DataFrame:
    """The key and `__copies` of every key that comes more than once."""
    key = [F.col("new")[name].alias(name) for name in contract.key]
    return rows.where("new is not null").groupBy(*key).agg(F.count("*").alias("__copies")).where("__copies > 1")


def _counted(rows: DataFrame, contract: TableContract) -> DataFrame:
    """`name` and `found` of what is counted of every model."""
    counted = rows.agg(
        *(F.count_if(F.col("action") == action).alias(action) for action in "IUD"),
        F.count("new").alias("rows"),
        F.count_if("has_null").alias("nulls"),
    )
    pairs = F.array(*(F.struct(F.lit(_OWN + n).alias("name"), F.col(n).alias("found")) for n in counted.columns))
    copies = _doubled(rows, contract).agg(F.coalesce(F.sum("__copies"), F.lit(0)).alias("found"))
    return counted.select(F.inline(pairs)).unionByName(copies.select(F.lit(f"{_OWN}copies").alias("name"), "found"))


def _require_contract(rows: DataFrame, contract: TableContract, counts: Mapping[str, int]) -> None:
    for name, what in (
        ("copies", "come twice under one key"),
        ("nulls", "hold a null in a column that is not nullable"),
    ):
        if number := counts[_OWN + name]:
            wrong = _doubled(rows, contract) if name == "copies" else rows.where("has_null").select("new.*")
            first = wrong.select(F.to_json(F.struct(*contract.key)).alias("key")).first()
            raise ContractError(
                f"gold/{contract.name}.sql: {number} rows {what}, such as {first['key'] if first else '?'}",
                hint=f"mend the SELECT, or the key and nullable of contracts/gold/{contract.name}.toml",
                table=contract.name,
                rows=number,
            )


def measured(rows: DataFrame, contract: TableContract, tests: GoldTests) -> Measured:
    """What the difference holds and how many rows break each test.

    Args:
        rows: The difference, worked out once: it is read several times.
        contract: The gold contract.
        tests: Its tests.

    Raises:
        ContractError: A key comes twice, or a null stands where none may.

    """
    own, tested = _counted(rows, contract), tests.counts()
    try:
        found = (own if tested is None else own.unionByName(tested)).collect()
    except (PySparkException, Py4JError):
        # rows that break the contract may be what a test stumbled over: they are the better message
        _require_contract(rows, contract, {row["name"]: int(row["found"]) for row in own.collect()})
        raise
    counts = {row["name"]: int(row["found"]) for row in found}
    _require_contract(rows, contract, counts)
    return Measured(
        inserted=counts[f"{_OWN}I"],
        updated=counts[f"{_OWN}U"],
        deleted=counts[f"{_OWN}D"],
        rows=counts[f"{_OWN}rows"],
        broken={name: number for name, number in counts.items() if not name.startswith(_OWN)},
    )
