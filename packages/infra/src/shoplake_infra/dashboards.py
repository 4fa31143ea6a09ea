"""QuickSight over the warehouse: the way into the network, the data, the colours and the dashboards. Pure.

A dashboard comes as the plain documents that the API takes. QuickSight's ids begin with the environment's prefix, so that
whoever applies has rights on these alone, and ARNs are known before anything is made.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from shoplake_core.errors import ConfigError
from shoplake_core.names import ResourceNames

from shoplake_infra.policies import quicksight_network
from shoplake_infra.quicksight_calls import quicksight_arn
from shoplake_infra.resource import Ref, Resource
from shoplake_infra.resources.quicksight_dashboard import quicksight_dashboard
from shoplake_infra.resources.quicksight_data_set import quicksight_data_set
from shoplake_infra.resources.quicksight_data_source import quicksight_data_source
from shoplake_infra.resources.quicksight_group import quicksight_group
from shoplake_infra.resources.quicksight_reader_group import quicksight_reader_group
from shoplake_infra.resources.quicksight_secret_access import quicksight_secret_access
from shoplake_infra.resources.quicksight_subscription import quicksight_subscription
from shoplake_infra.resources.quicksight_theme import quicksight_theme
from shoplake_infra.resources.quicksight_vpc_connection import quicksight_vpc_connection
from shoplake_infra.resources.role import role
from shoplake_infra.resources.security_group import ALL_PORTS, LetIn, security_group

__all__ = [
    "DashboardAsset",
    "DashboardAssets",
    "DashboardParts",
    "DashboardSettings",
    "DataSetAsset",
    "SpiceRefresh",
    "ThemeAsset",
    "dashboard_network_group",
    "data_set_arn",
    "data_source_arn",
    "desired_dashboards",
    "spice_refreshes",
]

_NOT_OURS = frozenset({"AwsAccountId", "DataSetId", "Permissions", "Tags"})
# they cost more, and ask for the data outside of what was defined
_WITHOUT = {
    option: {"AvailabilityStatus": "DISABLED"}
    for option in ("DataQAEnabledOption", "DataStoriesSharingOption", "ExecutiveSummaryOption")
}


@dataclass(frozen=True, slots=True, kw_only=True)
class DashboardSettings:
    """What a user decides about QuickSight.

    Attributes:
        enabled: Whether the dashboards are in QuickSight. Off by default, because it costs by person and month, whether
            anybody looks or not: an author about 24 USD, a reader from 3 USD (public figures of 2025; look them up). The
            account must have signed up for the Enterprise edition; Shoplake neither does that nor ends it.
        readers: Names of QuickSight groups that are there and see the dashboards, too, beside the environment's own group.

    """

    enabled: bool = False
    readers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class DataSetAsset:
    """A data set as a document.

    Attributes:
        id: Its DataSetId.
        request: The request of `create_data_set`; account, permissions and tags in it are passed over.
        tables: The gold tables that it reads, the one whose rows it has before those that it joins; a run refreshes it
            where one of them has changed.
        look_back: ColumnName, Size and SizeUnit (DAY) of an incremental refresh; None: full ones.

    """

    id: str
    request: Mapping[str, Any]
    tables: tuple[str, ...] = ()
    look_back: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DashboardAsset:
    """A dashboard as a document.

    Attributes:
        id: Its DashboardId.
        title: What readers call it.
        definition: A DashboardVersionDefinition that names its data sets by `data_set_arn`.
        data_sets: What it shows.

    """

    id: str
    title: str
    definition: Mapping[str, Any]
    data_sets: tuple[DataSetAsset, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ThemeAsset:
    """The colours: a ThemeConfiguration, and the theme of QuickSight's own that it stands on."""

    configuration: Mapping[str, Any]
    base: str = "CLASSIC"


@dataclass(frozen=True, slots=True, kw_only=True)
class DashboardAssets:
    """A project's dashboards by name, and their theme."""

    dashboards: Mapping[str, DashboardAsset] = field(default_factory=dict)
    theme: ThemeAsset = field(default_factory=lambda: ThemeAsset(configuration={}))


@dataclass(frozen=True, slots=True, kw_only=True)
class DashboardParts:
    """What dashboards need: their place in the network, the warehouse with its key, and the documents.

    Attributes:
        subnets: Two at least.
        group: What `dashboard_network_group` made; the workgroup must be in it too.
        namespace: Whose administrator's secret QuickSight logs in with.
        workgroup: What it connects to.
        key: Encrypts that secret.
        dashboards: By name.
        theme: Of all of them.

    """

    subnets: tuple[Resource, ...]
    group: Resource
    namespace: Resource
    workgroup: Resource
    key: Resource
    dashboards: Mapping[str, DashboardAsset] = field(default_factory=dict)
    theme: ThemeAsset = field(default_factory=lambda: ThemeAsset(configuration={}))


@dataclass(frozen=True, slots=True)
class SpiceRefresh:
    """What a run must know of a data set to refresh it: the tables that it reads, and its look-back window.

    Attributes:
        data_set_id: Its DataSetId.
        tables: The gold tables that it reads, its own before the joined ones.
        date_column: Of the window; "" where each refresh is a full one.
        look_back_days: The window's size.

    """

    data_set_id: str
    tables: tuple[str, ...]
    date_column: str = ""
    look_back_days: int = 0

    def as_json(self) -> dict[str, Any]:
        """As the run's machine hands it to the function that plans refreshes."""
        window = {"date": self.date_column, "days": self.look_back_days} if self.date_column else {}
        return {"id": self.data_set_id, "tables": list(self.tables), **window}


def data_source_arn(names: ResourceNames) -> str:
    """ARN of the warehouse as a data source."""
    return quicksight_arn(names.region, names.account, f"datasource/{_data_source(names)}")


def data_set_arn(names: ResourceNames, data_set_id: str) -> str:
    """ARN of a data set."""
    return quicksight_arn(names.region, names.account, f"dataset/{data_set_id}")


def spice_refreshes(dashboards: Mapping[str, DashboardAsset]) -> tuple[SpiceRefresh, ...]:
    """What a run refreshes when the warehouse is loaded: every data set of SPICE, each once.

    Raises:
        ConfigError: One does not say which tables it reads, or its window is not of days.

    """
    data_sets = {one.id: one for dashboard in dashboards.values() for one in dashboard.data_sets}
    return tuple(_refresh(one) for _, one in sorted(data_sets.items()) if one.request["ImportMode"] == "SPICE")


def _refresh(data_set: DataSetAsset) -> SpiceRefresh:
    window = data_set.look_back
    if not data_set.tables or (window and window["SizeUnit"] != "DAY"):
        raise ConfigError(
            f"the data set {data_set.id} cannot be refreshed by a run",
            hint="name the tables that it reads, and give its look-back window in days",
        )
    if not window:
        return SpiceRefresh(data_set.id, data_set.tables)
    return SpiceRefresh(data_set.id, data_set.tables, window["ColumnName"], window["Size"])


def dashboard_network_group(names: ResourceNames, *, vpc: Resource, tags: Mapping[str, str]) -> Resource:
    """The security group that QuickSight's interfaces and the warehouse share: each lets in the other's packets."""
    return security_group(
        f"{names.prefix}-quicksight",
        vpc=vpc,
        description=f"Shoplake {names.environment}: QuickSight and the warehouse",
        let_in=(LetIn(None, ALL_PORTS),),  # answers come to any port, and QuickSight's interfaces keep no state
        tags=tags,
    )


def desired_dashboards(
    names: ResourceNames, settings: DashboardSettings, *, parts: DashboardParts, tags: Mapping[str, str]
) -> tuple[Resource, ...]:
    """Everything of QuickSight; nothing where it is not enabled.

    Raises:
        ConfigError: An id does not begin with the environment's prefix, or two data sets of one id differ.

    """
    if not settings.enabled:
        return ()
    subscription = quicksight_subscription(tags=tags)
    secret = Ref(parts.namespace, "secret_arn")
    access = quicksight_secret_access(f"{names.prefix}-warehouse", secret=secret, key=parts.key, tags=tags)
    network = role(
        f"{names.prefix}-quicksight",
        services=("quicksight.amazonaws.com",),
        statements=quicksight_network(names),
        tags=tags,
    )
    signed_up = (subscription.address,)
    own = quicksight_group(
        f"{names.prefix}-readers", purpose="readers of the dashboards", tags=tags, depends_on=signed_up
    )
    others = [quicksight_reader_group(name, tags=tags, depends_on=signed_up) for name in sorted(set(settings.readers))]
    readers = (own, *others)
    connection = quicksight_vpc_connection(
        names.prefix,
        subnets=parts.subnets,
        security_group=parts.group,
        role=network,
        tags=tags,
        depends_on=(subscription.address,),
    )
    source = quicksight_data_source(
        _data_source(names),
        workgroup=parts.workgroup,
        database=names.warehouse_database,
        secret=secret,
        vpc_connection=connection,
        tags=tags,
        depends_on=(access.address,),
    )
    theme = quicksight_theme(
        names.prefix,
        configuration=parts.theme.configuration,
        base=parts.theme.base,
        tags=tags,
        depends_on=(subscription.address,),
    )
    data_sets = _data_sets(names, parts, source=source, tags=tags)
    dashboards = [
        _dashboard(names, asset, readers=readers, data_sets=data_sets, theme=theme, tags=tags)
        for _, asset in sorted(parts.dashboards.items())
    ]
    return (subscription, access, network, *readers, connection, source, theme, *data_sets.values(), *dashboards)


def _data_sets(
    names: ResourceNames, parts: DashboardParts, *, source: Resource, tags: Mapping[str, str]
) -> dict[str, Resource]:
    assets: dict[str, DataSetAsset] = {}
    for dashboard in parts.dashboards.values():
        for asset in dashboard.data_sets:
            _check_id(names, asset.id)
            if assets.setdefault(asset.id, asset) != asset:
                raise ConfigError(f"two data sets are called {asset.id} and differ", hint="give one another name")
    return {
        name: quicksight_data_set(
            name,
            sent={member: value for member, value in asset.request.items() if member not in _NOT_OURS},
            look_back=asset.look_back,
            data_source=source,
            tags=tags,
        )
        for name, asset in assets.items()
    }


def _dashboard(
    names: ResourceNames,
    asset: DashboardAsset,
    *,
    readers: tuple[Resource, ...],
    data_sets: Mapping[str, Resource],
    theme: Resource,
    tags: Mapping[str, str],
) -> Resource:
    _check_id(names, asset.id)
    sent = {
        "Name": asset.title,
        "Definition": asset.definition,
        "ThemeArn": quicksight_arn(names.region, names.account, f"theme/{theme.name}"),
        "DashboardPublishOptions": _WITHOUT,
    }
    shown = tuple(data_sets[one.id] for one in asset.data_sets)
    return quicksight_dashboard(asset.id, sent=sent, readers=readers, data_sets=shown, theme=theme, tags=tags)


def _data_source(names: ResourceNames) -> str:
    return f"{names.prefix}-warehouse"


def _check_id(names: ResourceNames, identifier: str) -> None:
    if not identifier.startswith(f"{names.prefix}-"):
        raise ConfigError(
            f'the QuickSight id "{identifier}" does not begin with "{names.prefix}-"',
            hint="make it with the environment's prefix: rights are bound to it",
        )
