"""QuickSight on the local AWS: sent, waited for, published, mended, told when it fails, and taken away."""

import json
from dataclasses import replace

import pytest
from botocore.exceptions import ClientError
from shoplake_core.errors import ConfigError, ResourceError
from shoplake_core.names import LOCAL_ACCOUNT, ResourceNames
from shoplake_infra.applying import apply
from shoplake_infra.aws import Aws
from shoplake_infra.dashboards import (
    DashboardAsset,
    DashboardParts,
    DashboardSettings,
    DataSetAsset,
    SpiceRefresh,
    ThemeAsset,
    dashboard_network_group,
    data_set_arn,
    data_source_arn,
    desired_dashboards,
    spice_refreshes,
)
from shoplake_infra.network import NetworkSettings, desired_network
from shoplake_infra.planning import plan, plan_destroy
from shoplake_infra.resources.kms_key import kms_key
from shoplake_infra.resources.quicksight_subscription import has_quicksight
from shoplake_infra.resources.role import role
from shoplake_infra.warehouse import WarehouseParts, WarehouseSettings, desired_warehouse

from .conftest import ShortWaits

pytestmark = pytest.mark.usefixtures("leaves_no_warehouse")
NAMES = ResourceNames("bi", LOCAL_ACCOUNT, "eu-central-1")
PREFIX = "shoplake-bi"
TAGS = {"Project": "shop", "Environment": "bi", "ManagedBy": "shoplake"}
SALES = f"{PREFIX}-sales"
ACCOUNT = {"AwsAccountId": LOCAL_ACCOUNT}
ROLE = "aws-quicksight-secretsmanager-role-v0"
LOOK_BACK = {"ColumnName": "day", "Size": 14, "SizeUnit": "DAY"}


def data_set(name, columns=("day", "amount"), mode="SPICE", look_back=LOOK_BACK):
    types = {"day": "DATETIME", "amount": "DECIMAL"}
    sql = {
        "DataSourceArn": data_source_arn(NAMES),
        "Name": name,
        "SqlQuery": "SELECT * FROM gold.sales",
        "Columns": [{"Name": column, "Type": types.get(column, "STRING")} for column in columns],
    }
    request = {"AwsAccountId": "passed over", "Name": name, "PhysicalTableMap": {"gold": {"CustomSql": sql}}}
    request["ImportMode"] = mode
    return DataSetAsset(id=f"{PREFIX}-{name}", request=request, tables=("sales",), look_back=look_back)


def dashboard(identifier=SALES, column="amount", title="Sales", sets=None):
    live = data_set("live", mode="DIRECT_QUERY", look_back=None)
    sets = sets or (data_set("store"), data_set("products", look_back=None), live)
    value = {"FieldId": "v", "Column": {"DataSetIdentifier": "store", "ColumnName": column}}
    wells = {"Values": [{"NumericalMeasureField": value}]}
    visual = {"KPIVisual": {"VisualId": "kpi", "ChartConfiguration": {"FieldWells": wells}}}
    definition = {
        "DataSetIdentifierDeclarations": [{"Identifier": "store", "DataSetArn": data_set_arn(NAMES, sets[0].id)}],
        "Sheets": [{"SheetId": "one", "Name": "One", "Visuals": [visual]}],
    }
    return DashboardAsset(id=identifier, title=title, definition=definition, data_sets=sets)


class Estate:
    """The warehouse, and QuickSight over it as it shall be."""

    def __init__(self):
        net = desired_network(NAMES, NetworkSettings(interface_services=()), tags=TAGS)
        key = kms_key(PREFIX, account=LOCAL_ACCOUNT, description="", tags=TAGS)
        reader = role(f"{PREFIX}-warehouse", services=("redshift.amazonaws.com",), statements=(), tags=TAGS)
        group = dashboard_network_group(NAMES, vpc=net.vpc, tags=TAGS)
        needed = WarehouseParts(
            vpc=net.vpc, subnets=net.subnets, workers=net.workers, key=key, role=reader, shared_groups=(group,)
        )
        warehouse = desired_warehouse(NAMES, WarehouseSettings(), parts=needed, tags=TAGS)[:-1]  # without its limit
        _, namespace, workgroup = warehouse
        self.around = (net.vpc, *net.subnets, net.workers, key, reader, group, *warehouse)
        self.parts = DashboardParts(subnets=net.subnets, group=group, namespace=namespace, workgroup=workgroup, key=key)

    def desired(self, *dashboards, theme=None, readers=()):
        assets = {asset.id: asset for asset in dashboards or (dashboard(),)}
        theme = theme or ThemeAsset(configuration={"Sheet": {"Tile": {"Border": {"Show": True}}}})
        parts = replace(self.parts, dashboards=assets, theme=theme)
        settings = DashboardSettings(enabled=True, readers=readers)
        return (*self.around, *desired_dashboards(NAMES, settings, parts=parts, tags=TAGS))


@pytest.fixture(scope="module")
def estate(local_aws):
    """What is around stands once; the warehouse goes at the end, because other tests count on none."""
    made, aws = Estate(), Aws(local_aws.endpoint, clock=ShortWaits())
    apply(plan(made.around, aws), aws)
    yield made
    apply(plan_destroy(made.desired(), aws), aws)
    left = plan_destroy(made.around, aws, delete_data=True)
    gone = tuple(one for one in left.changes if one.resource.kind.startswith("redshift"))
    apply(replace(left, changes=gone), aws)


@pytest.fixture
def on_local(on_local, calls):
    for service in ("quicksight", "iam"):
        on_local.session.events.register(f"after-call.{service}.*", calls.answered)
    return on_local


@pytest.fixture
def client(on_local):
    return on_local.client("quicksight")


def shown(client, identifier=SALES):
    return client.describe_dashboard(**ACCOUNT, DashboardId=identifier)["Dashboard"]


def changed(desired, aws):
    return {
        one.resource.kind.removeprefix("quicksight_"): [".".join(change.path) for change in one.changes]
        for one in plan(desired, aws).changes
    }


def test_an_account_without_quicksight_is_told_of_it_and_gets_nothing_of_it(on_local, calls, estate, client):
    if has_quicksight(on_local):  # another test has signed up
        unprotected = {"DefaultNamespace": "default", "TerminationProtectionEnabled": False}
        client.update_account_settings(**ACCOUNT, **unprotected)
        client.delete_account_subscription(**ACCOUNT)
    assert not has_quicksight(on_local)
    planned = plan(estate.desired(), on_local)
    assert planned.changes[0].resource.address == "quicksight_subscription account"
    calls.reset()
    with pytest.raises(ResourceError, match="has no Enterprise edition of QuickSight"):
        apply(planned, on_local)
    assert calls.writes == []
    assert desired_dashboards(NAMES, DashboardSettings(), parts=estate.parts, tags=TAGS) == ()


def test_dashboards_are_made_once_and_what_was_changed_by_hand_is_mended(on_local, calls, estate, client):
    signup = {"AccountName": "shop", "AuthenticationMethod": "IAM_ONLY", "NotificationEmail": "bi@example.com"}
    client.create_account_subscription(**ACCOUNT, **signup, Edition="ENTERPRISE")
    assert has_quicksight(on_local)
    client.create_group(**ACCOUNT, Namespace="default", GroupName="analysts")
    desired = estate.desired(readers=("analysts",))
    apply(plan(desired, on_local), on_local)
    assert shown(client)["Version"]["Status"] == "CREATION_SUCCESSFUL"
    source = client.describe_data_source(**ACCOUNT, DataSourceId=f"{PREFIX}-warehouse")["DataSource"]
    assert source["SecretArn"].rpartition("secret:")[2].startswith("redshift!")
    granted = client.describe_dashboard_permissions(**ACCOUNT, DashboardId=SALES)["Permissions"]
    permission, _ = sorted(granted, key=lambda one: one["Principal"], reverse=True)
    assert permission["Principal"].endswith(f"group/default/{PREFIX}-readers")
    workgroup = on_local.client("redshift-serverless").get_workgroup(workgroupName=PREFIX)["workgroup"]
    connection = client.describe_vpc_connection(**ACCOUNT, VPCConnectionId=PREFIX)["VPCConnection"]
    assert set(connection["SecurityGroupIds"]) < set(workgroup["securityGroupIds"]), "each lets in the other's packets"
    calls.reset()
    assert plan(desired, on_local).lines() == ("no changes",)
    assert calls.writes == []

    definition = client.describe_dashboard_definition(**ACCOUNT, DashboardId=SALES)["Definition"]
    definition["Sheets"][0]["Name"] = "By hand"
    client.update_dashboard(**ACCOUNT, DashboardId=SALES, Name="Sales", Definition=definition)
    _until(lambda: client.describe_dashboard(**ACCOUNT, DashboardId=SALES, AliasName="$LATEST"))
    client.update_dashboard_published_version(**ACCOUNT, DashboardId=SALES, VersionNumber=2)
    client.update_dashboard_permissions(**ACCOUNT, DashboardId=SALES, RevokePermissions=[permission])
    client.delete_data_set_refresh_properties(**ACCOUNT, DataSetId=f"{PREFIX}-store")
    iam = on_local.client("iam")
    other = {"Effect": "Allow", "Action": "secretsmanager:GetSecretValue", "Resource": "*"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [other]})
    iam.put_role_policy(RoleName=ROLE, PolicyName=f"{PREFIX}-warehouse", PolicyDocument=document)
    client.update_data_source(
        **ACCOUNT,
        DataSourceId=f"{PREFIX}-warehouse",
        Name="by hand",
        DataSourceParameters=source["DataSourceParameters"],
        Credentials={"SecretArn": source["SecretArn"]},
        SslProperties={"DisableSsl": True},
    )
    found = changed(desired, on_local)
    assert found["dashboard"] == ["published", f"reader_actions.{PREFIX}-readers"]
    assert found["data_set"] == ["look_back.ColumnName", "look_back.Size", "look_back.SizeUnit"]
    assert "tls" in found["data_source"]
    assert found["secret_access"] == ["key", "secret"]
    calls.reset()
    apply(plan(desired, on_local), on_local)
    assert plan(desired, on_local).changes == ()
    assert shown(client)["Version"]["VersionNumber"] == 1, "ours is there still"
    assert "quicksight:UpdateDashboard" not in calls.writes

    with pytest.raises(ResourceError, match='no QuickSight group "nobody"'):
        apply(plan(estate.desired(readers=("nobody",)), on_local), on_local)
    going = {one.resource.kind for one in plan_destroy(desired, on_local).changes}
    assert "quicksight_group" in going
    assert not {"quicksight_reader_group", "quicksight_subscription"} & going, "they are somebody else's"


def _until(describe):
    clock = ShortWaits()
    deadline = clock.monotonic_seconds() + 30
    while describe()["Dashboard"]["Version"]["Status"].endswith("_IN_PROGRESS"):
        assert clock.monotonic_seconds() < deadline
        clock.sleep(0.02)


def test_a_changed_definition_is_a_new_published_version_and_a_wrong_one_is_told_and_not_shown(
    on_local, estate, client
):
    apply(plan(estate.desired(), on_local), on_local)
    before = shown(client)["Version"]["VersionNumber"]
    other = estate.desired(dashboard(title="Sales performance"), theme=ThemeAsset(configuration={}, base="MIDNIGHT"))
    assert changed(other, on_local) == {"theme": ["sent"], "dashboard": ["name", "sent"]}
    apply(plan(other, on_local), on_local)
    found = shown(client)
    assert (found["Name"], found["Version"]["VersionNumber"] > before) == ("Sales performance", True)
    theme = client.describe_theme(**ACCOUNT, ThemeId=PREFIX)["Theme"]["Version"]
    assert theme["BaseThemeId"] == "MIDNIGHT"

    wrong = estate.desired(dashboard(column="profit"), dashboard(f"{SALES}-2", column="loss"))
    with pytest.raises(ResourceError, match="creation failed") as told:
        apply(plan(wrong, on_local), on_local)
    assert f"Required column 'profit' is missing in data set '{data_set_arn(NAMES, f'{PREFIX}-store')}'" in str(
        told.value
    )
    assert "readers still see the version before" in told.value.hint
    assert shown(client)["Version"]["VersionNumber"] == found["Version"]["VersionNumber"]

    new = estate.desired(dashboard(), dashboard(f"{SALES}-2", column="loss"))
    with pytest.raises(ResourceError, match="Required column 'loss' is missing"):
        apply(plan(new, on_local), on_local)
    assert "creation_failed" in "\n".join(plan(new, on_local).lines())
    mended = estate.desired(dashboard(), dashboard(f"{SALES}-2", column="day"))
    apply(plan(mended, on_local), on_local)
    assert plan(mended, on_local).changes == ()
    assert shown(client, f"{SALES}-2")["Version"]["VersionNumber"] == 1, "nobody had seen the failed one"


def test_an_apply_killed_at_any_call_is_gone_on_with_and_destroy_takes_all_but_the_accounts_own(
    on_local, calls, estate, client
):
    both = estate.desired(dashboard(), dashboard(f"{SALES}-2"))
    apply(plan_destroy(both, on_local), on_local)  # of QuickSight and what is not data
    for name in (SALES, f"{SALES}-2"):
        with pytest.raises(ClientError, match="ResourceNotFoundException"):
            shown(client, name)
    assert has_quicksight(on_local)
    iam = on_local.client("iam")
    assert iam.get_role(RoleName=ROLE)["Role"]["RoleName"] == ROLE
    with pytest.raises(ClientError, match="NoSuchEntity"):
        iam.get_role_policy(RoleName=ROLE, PolicyName=f"{PREFIX}-warehouse")
    apply(plan(estate.around, on_local), on_local)

    one = dashboard(sets=(data_set("store"),))
    killed = _killed_until_done(estate.desired(one), on_local, calls)
    assert {made.split()[1] for made in killed if made.startswith("+")} == {
        "role",
        *(f"quicksight_{kind}" for kind in ("secret_access", "group", "vpc_connection", "data_source")),
        *(f"quicksight_{kind}" for kind in ("theme", "data_set", "dashboard")),
    }
    other = estate.desired(dashboard(title="Other", sets=(data_set("store", ("day", "amount", "note")),)))
    killed = _killed_until_done(other, on_local, calls)
    assert killed.count(f"~ quicksight_dashboard {SALES}") == 3, "sent, published, written down"
    assert shown(client)["Name"] == "Other"


def _killed_until_done(desired, aws, calls):
    """Each apply never hears of the last call that it made; where it was killed before, it comes one call further."""
    killed = []
    while (planned := plan(desired, aws)).changes:
        first = planned.changes[0]
        calls.reset(fail_at=1 + killed.count(f"{first.action} {first.resource.address}"), after=True)
        try:
            apply(planned, aws)
        except ResourceError as error:
            killed.append(str(error).partition(" failed")[0])
        assert len(killed) < 30, killed
    calls.reset()
    return killed


def test_a_group_of_somebody_else_is_not_taken_over(on_local, estate, client):
    desired = estate.desired()
    apply(plan(desired, on_local), on_local)
    group = {**ACCOUNT, "Namespace": "default", "GroupName": f"{PREFIX}-readers"}
    client.update_group(**group, Description="shoplake shop/bi: who reads")
    assert changed(desired, on_local) == {"group": ["description"]}
    client.update_group(**group, Description="somebody's")
    with pytest.raises(ResourceError, match="exists and is not ours"):
        plan(desired, on_local)
    client.update_group(**group, Description="shoplake shop/bi: who reads")
    apply(plan(desired, on_local), on_local)


def test_what_a_run_refreshes_is_each_data_set_of_spice_once():
    live = data_set("health", mode="DIRECT_QUERY", look_back=None)
    assets = {"sales": dashboard(), "health": dashboard(f"{PREFIX}-health", sets=(live, data_set("store")))}
    products, store = spice_refreshes(assets)
    assert products == SpiceRefresh(f"{PREFIX}-products", ("sales",))
    assert store.as_json() == {"id": f"{PREFIX}-store", "tables": ["sales"], "date": "day", "days": 14}
    hours = data_set("store", look_back={**LOOK_BACK, "SizeUnit": "HOUR"})
    with pytest.raises(ConfigError, match="cannot be refreshed by a run"):
        spice_refreshes({"sales": dashboard(sets=(hours,))})


def test_ids_are_the_environments_and_mean_one_thing(estate):
    with pytest.raises(ConfigError, match='does not begin with "shoplake-bi-"'):
        estate.desired(dashboard("sales"))
    one = dashboard(sets=(data_set("store"),))
    other = dashboard(f"{SALES}-2", sets=(data_set("store", look_back=None),))
    with pytest.raises(ConfigError, match="two data sets are called shoplake-bi-store"):
        estate.desired(one, other)
