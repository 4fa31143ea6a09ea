"""The name of every resource, made from environment, account and region: deterministic, so that names are the state."""

from dataclasses import dataclass

__all__ = ["LOCAL_ACCOUNT", "MARKER_SCHEMA", "MARKER_TABLE", "ResourceNames"]

LOCAL_ACCOUNT = "000000000000"
MARKER_SCHEMA = "shoplake"
MARKER_TABLE = "marker"


@dataclass(frozen=True, slots=True)
class ResourceNames:
    """The names of one environment's resources."""

    environment: str
    account: str
    region: str

    def _bucket(self, what: str) -> str:
        return f"shoplake-{self.environment}-{what}-{self.account}-{self.region}"

    @property
    def bronze_bucket(self) -> str:
        """Bucket that DMS or our replicator fills."""
        return self._bucket("bronze")

    @property
    def silver_bucket(self) -> str:
        """Bucket of the silver Iceberg tables and their change sets."""
        return self._bucket("silver")

    @property
    def gold_bucket(self) -> str:
        """Bucket of the gold Iceberg tables and the change sets that the warehouse copies."""
        return self._bucket("gold")

    @property
    def artifacts_bucket(self) -> str:
        """Bucket of scripts, wheels, project bundles, run summaries and locks."""
        return self._bucket("artifacts")

    @property
    def buckets(self) -> tuple[str, ...]:
        """All four."""
        return (self.bronze_bucket, self.silver_bucket, self.gold_bucket, self.artifacts_bucket)

    @property
    def bronze_database(self) -> str:
        """Glue database that the crawler fills."""
        return f"{self.environment}_bronze"

    @property
    def silver_database(self) -> str:
        """Glue database of the silver tables."""
        return f"{self.environment}_silver"

    @property
    def gold_database(self) -> str:
        """Glue database of the gold tables."""
        return f"{self.environment}_gold"
