"""Where each layer lies, as values: roots of objects, and namespaces of the Iceberg catalogue."""

from dataclasses import dataclass

from shoplake_core.names import ResourceNames

__all__ = ["CATALOG", "Lake", "LayerPlace", "lake_on_s3"]

CATALOG = "lake"


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerPlace:
    """One layer's tables and change sets.

    Attributes:
        root: URL that holds the layer, without closing slash (`s3://bucket`).
        namespace: The layer's database in the catalogue.
        located: Whether tables are created at `root/table`; a catalogue that decides for itself takes no location.

    """

    root: str
    namespace: str
    located: bool = True

    def table(self, name: str) -> str:
        """The table's full name in Spark SQL."""
        return f"{CATALOG}.{self.namespace}.{name}"

    def change_set(self, table: str, batch: int, suffix: str) -> str:
        """Prefix of a change set, without closing slash."""
        return f"{self.root}/_changes/{table}/{batch}-{suffix}"

    def consumed(self, table: str, batch: int, suffix: str) -> str:
        """URL of a consumed record."""
        return f"{self.root}/_consumed/{table}/{batch}-{suffix}.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Lake:
    """All layers that the two jobs touch.

    Attributes:
        bronze: URL that holds bronze, without closing slash.
        silver: The silver layer.
        gold: The gold layer.

    """

    bronze: str
    silver: LayerPlace
    gold: LayerPlace


def lake_on_s3(names: ResourceNames) -> Lake:
    """The lake in the buckets and Glue databases of those names."""
    return Lake(
        bronze=f"s3://{names.bronze_bucket}",
        silver=LayerPlace(root=f"s3://{names.silver_bucket}", namespace=names.silver_database),
        gold=LayerPlace(root=f"s3://{names.gold_bucket}", namespace=names.gold_database),
    )
