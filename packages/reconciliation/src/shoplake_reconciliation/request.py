"""What a reconciliation is asked to prove, and with which endpoints."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from shoplake_core.contracts import TableContract
from shoplake_core.endpoints import AwsEndpoint
from shoplake_core.names import ResourceNames

from shoplake_reconciliation.source_side import SourceReading
from shoplake_reconciliation.warehouse_side import Query

__all__ = ["ReadSource", "ReconcileRequest", "WaitUntilBronzeHolds"]

ReadSource = Callable[[], SourceReading]
WaitUntilBronzeHolds = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReconcileRequest:
    """One reconciliation.

    Attributes:
        names: The environment's resources.
        schema: The MySQL schema that bronze is filled from.
        silver: Contracts of the tables to prove, by name.
        gold: Gold contracts by name; empty to leave gold and the warehouse out.
        parents: Silver contracts by name that `reconciles` may look parents up in, beyond those in `silver`.
        glue: The Glue Data Catalog.
        object_store: S3.
        query_warehouse: Runs one SELECT in the warehouse, gives (columns, rows); None to leave it out.

    """

    names: ResourceNames
    schema: str
    silver: Mapping[str, TableContract]
    gold: Mapping[str, TableContract] = field(default_factory=dict)
    parents: Mapping[str, TableContract] = field(default_factory=dict)
    glue: AwsEndpoint
    object_store: AwsEndpoint
    query_warehouse: Query | None = None
