"""The reconciliation with this laptop's endpoints: MySQL read directly, bronze waited for by a marker."""

from collections.abc import Sequence
from typing import Any

from shoplake_reconciliation.reconciler import reconcile
from shoplake_reconciliation.report import ReconcileReport
from shoplake_reconciliation.request import ReconcileRequest
from shoplake_reconciliation.source_side import SourceReading, read_source

from shoplake.catching_up import commit_and_wait_for_marker
from shoplake.laptop import Laptop
from shoplake.narration import StepTalk

__all__ = ["reconcile_now"]


def reconcile_now(laptop: Laptop, talk: StepTalk) -> ReconcileReport:
    """The report of one reconciliation of every table; whether the layers agree stands in it.

    Raises:
        ShoplakeError: A layer cannot be read.

    """
    project = laptop.workspace.project
    schema = project.config.source_schema

    def source() -> SourceReading:
        return read_source(laptop.mysql, list(project.silver.values()), schema=schema, masking_key=laptop.masking_key)

    def query(sql: str) -> tuple[Sequence[str], Sequence[Sequence[Any]]]:
        result = laptop.query(sql)
        return result.columns, result.rows

    def wait_until_bronze_holds(_position: str) -> None:
        commit_and_wait_for_marker(laptop)

    return reconcile(
        ReconcileRequest(
            names=laptop.names,
            schema=schema,
            silver=project.silver,
            gold=project.gold,
            glue=laptop.control,
            object_store=laptop.object_store,
            query_warehouse=query,
        ),
        read_source=source,
        wait_until_bronze_holds=wait_until_bronze_holds,
        masking_key=laptop.masking_key,
        progress=talk.note,
    )
