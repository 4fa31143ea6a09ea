"""The project's dashboards as what QuickSight is sent, and whether the account can have them."""

from botocore.exceptions import EndpointConnectionError
from shoplake_core.errors import ConfigError
from shoplake_dashboards.loading import all_contracts
from shoplake_dashboards.quicksight.data_sets import data_set_request, refresh_properties
from shoplake_dashboards.quicksight.definition import quicksight_definition
from shoplake_dashboards.quicksight.theme import theme_configuration
from shoplake_dashboards.sql import Contracts
from shoplake_dashboards.tree import Dashboard
from shoplake_infra.artifacts.platforms import Target
from shoplake_infra.dashboards import (
    DashboardAsset,
    DashboardAssets,
    DataSetAsset,
    ThemeAsset,
    data_set_arn,
    data_source_arn,
)
from shoplake_infra.resources.quicksight_subscription import has_quicksight

from shoplake.cloud import Cloud
from shoplake.dashboard_pages import project_dashboards

__all__ = ["LOOK_BACK_DAYS", "can_have_dashboards", "dashboard_assets", "why_without_dashboards"]

LOOK_BACK_DAYS = 45
"""How much a refresh reads where all that has changed is younger. It decides about speed, never about numbers: a run that
changed anything older has all of the data set read. A return comes within about a month."""


def can_have_dashboards(cloud: Cloud) -> bool:
    """Whether the account is signed up for QuickSight. A laptop's is by this, where they are wanted: it costs nothing."""
    try:
        signed_up = has_quicksight(cloud.aws)
    except EndpointConnectionError:  # there is no QuickSight in that region
        return False
    if signed_up or cloud.target is not Target.LOCAL or not cloud.workspace.deployment.dashboards_enabled:
        return signed_up
    cloud.aws.client("quicksight").create_account_subscription(
        AwsAccountId=cloud.names.account,
        AccountName=cloud.names.prefix,
        Edition="ENTERPRISE",
        AuthenticationMethod="IAM_ONLY",
        NotificationEmail="nobody@example.invalid",
    )
    return True


def why_without_dashboards(cloud: Cloud) -> str:
    """One line where dashboards are wanted and left out, and what to do; "" otherwise."""
    if not cloud.workspace.deployment.dashboards_enabled or can_have_dashboards(cloud):
        return ""
    return (
        f"dashboards are left out: account {cloud.names.account} has no Enterprise edition of QuickSight in"
        f" {cloud.names.region}; sign up in QuickSight's console (it costs by author and month) and apply again, or set"
        " dashboards.enabled = false"
    )


def dashboard_assets(cloud: Cloud) -> DashboardAssets:
    """Every dashboard of the project, checked against QuickSight's model.

    Raises:
        ConfigError: A file is no valid dashboard, or QuickSight could not take it.

    """
    contracts = all_contracts(cloud.workspace.project.gold)
    dashboards = {
        name: _dashboard(cloud, dashboard, contracts) for name, dashboard in project_dashboards(cloud.workspace).items()
    }
    return DashboardAssets(dashboards=dashboards, theme=ThemeAsset(configuration=theme_configuration()))


def _dashboard(cloud: Cloud, dashboard: Dashboard, contracts: Contracts) -> DashboardAsset:
    names = cloud.names
    data_sets = {one.name: _data_set(cloud, dashboard, one.name, contracts) for one in dashboard.datasets}
    definition = quicksight_definition(
        dashboard,
        contracts,
        data_set_arns={name: data_set_arn(names, one.id) for name, one in data_sets.items()},
        currency=cloud.workspace.project.config.store_currency,
    )
    return DashboardAsset(
        id=f"{names.prefix}-{dashboard.name}".replace("_", "-"),
        title=dashboard.title,
        definition=definition,
        data_sets=tuple(data_sets.values()),
    )


def _data_set(cloud: Cloud, dashboard: Dashboard, name: str, contracts: Contracts) -> DataSetAsset:
    request = data_set_request(
        dashboard,
        name,
        contracts=contracts,
        account_id=cloud.names.account,
        data_source_arn=data_source_arn(cloud.names),
        prefix=cloud.names.prefix,
    )
    dataset = dashboard.dataset(name)
    tables = (dataset.table, *(join.table for join in dataset.joins))
    unloaded = [table for table in tables if table not in cloud.workspace.project.gold]
    if unloaded and not dashboard.direct_query:
        raise ConfigError(
            f"the dataset {name} of the dashboard {dashboard.name} reads {', '.join(unloaded)}, which is no gold table:"
            " no run would refresh it",
            hint=f"write direct_query = true in {dashboard.where or dashboard.name}",
        )
    properties = refresh_properties(dashboard, name, lookback_days=LOOK_BACK_DAYS) or {}
    incremental = properties.get("RefreshConfiguration", {}).get("IncrementalRefresh", {})
    return DataSetAsset(
        id=request["DataSetId"],
        request=request,
        tables=tables,
        look_back=incremental.get("LookbackWindow"),
    )
