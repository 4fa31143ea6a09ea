"""The rows that silver refused, as quarantine keeps them: the reason, and the row with every personal value masked."""

import json
from collections import Counter
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from shoplake_console.data_port import Refused
from shoplake_core.contracts import Pii, TableContract
from shoplake_core.endpoints import AwsEndpoint
from shoplake_infra.artifacts.platforms import Target
from shoplake_reconciliation.iceberg_tables_aws import open_table
from shoplake_reconciliation.objects_aws import AwsTargets

from shoplake.cloud import Cloud

__all__ = ["Quarantine", "RefusedRows"]

_MOST_READ = 50_000
_MOST_SHOWN = 50
_COLUMNS = ("key", "Op", "_committed_at", "reasons", "row", "run_id", "source_file", "source_row")
_MASK_SHOWN = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class RefusedRows:
    """The newest refused rows of a table, how often each reason was given, and whether not all rows were counted for that."""

    rows: tuple[Refused, ...] = ()
    reasons: tuple[tuple[str, int], ...] = ()
    is_more: bool = False


@dataclass(frozen=True)
class Quarantine:
    """Reads one environment's quarantine tables.

    Attributes:
        cloud: The environment.

    """

    cloud: Cloud

    @cached_property
    def _targets(self) -> AwsTargets:
        region = self.cloud.names.region
        if self.cloud.target is Target.AWS:
            at = AwsEndpoint(url=None, region=region, access_key_id="", secret_access_key="")
        else:
            session: Any = self.cloud.aws.session
            keys = session.get_credentials().get_frozen_credentials()
            at = AwsEndpoint(
                url=self.cloud.aws.client("glue").meta.endpoint_url,
                region=region,
                access_key_id=keys.access_key,
                secret_access_key=keys.secret_key,
            )
        return AwsTargets(glue=at, object_store=at)

    def refused(self, contract: TableContract) -> RefusedRows:
        """The refused rows of a silver table, newest first."""
        table = open_table(self._targets, self.cloud.names.silver_database, f"{contract.name}__quarantine")
        if table is None or table.table.metadata.current_snapshot() is None:
            return RefusedRows()
        found = table.table.scan(selected_fields=_COLUMNS, limit=_MOST_READ + 1).to_arrow().to_pylist()
        counted = Counter(reason for row in found for reason in row["reasons"] or ())
        newest = sorted(found, key=lambda row: (str(row["_committed_at"] or ""), row["source_row"] or 0), reverse=True)
        return RefusedRows(
            rows=tuple(refused_row(row, contract) for row in newest[:_MOST_SHOWN]),
            reasons=tuple(counted.most_common()),
            is_more=len(found) > _MOST_READ,
        )


def refused_row(row: dict[str, Any], contract: TableContract) -> Refused:
    """A row of a quarantine table as it is shown. Pure.

    What the contract now calls personal is never shown, even where the row was written before it did.
    """
    personal = {column.name for column in contract.columns if column.pii is not Pii.NONE}
    shown = {}
    for name, value in json.loads(row["row"] or "{}").items():
        text = "null" if value is None else str(value)
        shown[name] = f"masked {text[:_MASK_SHOWN]}…" if name in personal and value is not None else text
        if name in personal and value is not None and not _is_mask(text):
            shown[name] = "masked"
    return Refused(
        key={name: str(value) for name, value in json.loads(row["key"] or "{}").items()},
        operation=row["Op"] or "",
        committed_at=row["_committed_at"],
        reasons=tuple(row["reasons"] or ()),
        row=shown,
        run_id=row["run_id"] or "",
        source=f"{row['source_file']} row {row['source_row']}",
    )


def _is_mask(text: str) -> bool:
    return len(text) == 64 and set(text) <= set("0123456789abcdef")
