"""The operations of `quicksight`: what a deployment of dashboards calls. Analyses, templates, folders, users and topics are
not there, and neither is anything that embeds or draws.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from shoplake_core.clock import Clock
from shoplake_core.endpoints import AwsEndpoint

from shoplake_local.jobs.documents import Documents
from shoplake_local.models import service_model
from shoplake_local.quicksight.dashboards import Dashboards
from shoplake_local.quicksight.data_sets import DataSets
from shoplake_local.quicksight.data_sources import DataSources
from shoplake_local.quicksight.groups import Account, Groups
from shoplake_local.quicksight.ingestions import Ingestions
from shoplake_local.quicksight.permissions import Permissions
from shoplake_local.quicksight.records import Records
from shoplake_local.quicksight.refreshes import Refreshes
from shoplake_local.quicksight.themes import Themes
from shoplake_local.quicksight.vpc_connections import VpcConnections
from shoplake_local.quicksight.warehouse_aws import Warehouse
from shoplake_local.service import UnsupportedOperationError

__all__ = ["QuickSightService"]

_Operation = Callable[[dict[str, Any]], dict[str, Any]]
_WITHOUT_SUBSCRIPTION = frozenset(
    {
        "CreateAccountSubscription",
        "DescribeAccountSubscription",
        "DeleteAccountSubscription",
        "DescribeAccountSettings",
        "UpdateAccountSettings",
    }
)


class QuickSightService:
    """QuickSight.

    Args:
        path: The file; what it holds is on disk before an answer leaves.
        front: Where the warehouse and its secret are asked for.
        account: The account.
        clock: Time.

    """

    service_name = "quicksight"

    def __init__(self, path: Path, *, front: AwsEndpoint, account: str, clock: Clock) -> None:
        self._documents = Documents(path, self.service_name)
        records = Records(self._documents, clock, account, front.region)
        warehouse = Warehouse(front)
        self._records = records
        self._account = Account(records)
        self._ingestions = Ingestions(records, warehouse.count)
        granted = {kind: Permissions(records, kind) for kind in ("DataSource", "DataSet", "Theme", "Dashboard")}
        data_sets = DataSets(records, granted["DataSet"], self._ingestions)
        self._operations: dict[str, _Operation] = {
            "CreateAccountSubscription": self._account.subscribe,
            "DescribeAccountSubscription": self._account.describe,
            "DeleteAccountSubscription": self._account.unsubscribe,
            "DescribeAccountSettings": self._account.settings,
            "UpdateAccountSettings": self._account.change_settings,
            "TagResource": records.tag,
            "UntagResource": records.untag,
            "ListTagsForResource": records.tags,
            "CreateIngestion": self._ingestions.create,
            "DescribeIngestion": self._ingestions.describe,
            "ListIngestions": self._ingestions.listing,
            "CancelIngestion": self._ingestions.cancel,
            **_of_kind("VPCConnection", VpcConnections(records)),
            **_of_kind("DataSource", DataSources(records, granted["DataSource"], warehouse.check)),
            **_of_kind("DataSet", data_sets),
            **_of_kind("Group", Groups(records)),
            **_of_refreshes(Refreshes(records)),
            **_of_themes(Themes(records, granted["Theme"])),
            **_of_dashboards(Dashboards(records, granted["Dashboard"])),
        }
        for kind, permissions in granted.items():
            self._operations[f"Describe{kind}Permissions"] = permissions.describe
            self._operations[f"Update{kind}Permissions"] = permissions.update

    def call(self, operation: str, parameters: dict[str, Any]) -> dict[str, Any]:
        """The answer of one operation; see `Service`."""
        handler = self._operations.get(operation)
        if handler is None:
            raise UnsupportedOperationError(f"operation {operation} of quicksight")
        if operation not in _WITHOUT_SUBSCRIPTION:
            errors = service_model(self.service_name).operation_model(operation).error_shapes
            self._account.check({shape.name for shape in errors}, operation=operation)
        return handler(parameters)

    def close(self) -> None:
        """End the thread that counts, and close the file."""
        self._ingestions.close()
        self._documents.close()


def _of_kind(kind: str, operations: VpcConnections | DataSources | DataSets | Groups) -> Mapping[str, _Operation]:
    return {
        f"Create{kind}": operations.create,
        f"Update{kind}": operations.update,
        f"Describe{kind}": operations.describe,
        f"Delete{kind}": operations.delete,
        f"List{kind}s": operations.listing,
    }


def _of_refreshes(refreshes: Refreshes) -> Mapping[str, _Operation]:
    return {
        "PutDataSetRefreshProperties": refreshes.put_properties,
        "DescribeDataSetRefreshProperties": refreshes.properties,
        "DeleteDataSetRefreshProperties": refreshes.delete_properties,
        "CreateRefreshSchedule": refreshes.create_schedule,
        "UpdateRefreshSchedule": refreshes.update_schedule,
        "DescribeRefreshSchedule": refreshes.schedule,
        "ListRefreshSchedules": refreshes.schedules,
        "DeleteRefreshSchedule": refreshes.delete_schedule,
    }


def _of_themes(themes: Themes) -> Mapping[str, _Operation]:
    return {
        "CreateTheme": themes.create,
        "UpdateTheme": themes.update,
        "DescribeTheme": themes.describe,
        "DeleteTheme": themes.delete,
    }


def _of_dashboards(dashboards: Dashboards) -> Mapping[str, _Operation]:
    return {
        "CreateDashboard": dashboards.create,
        "UpdateDashboard": dashboards.update,
        "UpdateDashboardPublishedVersion": dashboards.publish,
        "DescribeDashboard": dashboards.describe,
        "DescribeDashboardDefinition": dashboards.definition,
        "ListDashboardVersions": dashboards.versions,
        "ListDashboards": dashboards.listing,
        "DeleteDashboard": dashboards.delete,
    }
