"""QuickSight's API as a deployment of dashboards calls it: on the front, over a warehouse with rows."""

import contextlib
import time
import uuid
from datetime import timedelta

import pytest
from botocore.exceptions import ClientError
from shoplake_core.clock import SystemClock
from shoplake_core.names import LOCAL_ACCOUNT
from shoplake_local.quicksight.dashboard_faults import dashboard_faults
from shoplake_local.quicksight.service import QuickSightService

ACCOUNT = {"AwsAccountId": LOCAL_ACCOUNT}
GROUP = {**ACCOUNT, "Namespace": "default", "GroupName": "readers"}
READ = ["quicksight:DescribeDashboard", "quicksight:ListDashboardVersions", "quicksight:QueryDashboard"]
NAME = "bi-test"


def refused(code, message=""):
    return pytest.raises(ClientError, match=rf"(?s)\({code}\).*{message}")


def _has_ended(statement):
    return statement["Status"] in {"FINISHED", "FAILED"}


class World:
    """The front's QuickSight, and the warehouse behind it."""

    def __init__(self, aws):
        self.aws = aws
        self.client = aws.client("quicksight")
        self.serverless = aws.client("redshift-serverless")
        self.database = f"bi_{uuid.uuid4().hex[:8]}"

    def arn(self, what):
        return f"arn:aws:quicksight:{self.aws.endpoint.region}:{LOCAL_ACCOUNT}:{what}"

    def until(self, ask, reached):
        deadline = time.monotonic() + 30
        while not reached(found := ask()):
            assert time.monotonic() < deadline, found
            time.sleep(0.05)
        return found

    def end_subscription(self):
        settings = {**ACCOUNT, "DefaultNamespace": "default", "TerminationProtectionEnabled": False}
        self.client.update_account_settings(**settings)
        self.client.delete_account_subscription(**ACCOUNT)

    def make_warehouse(self):
        self.serverless.create_namespace(namespaceName=NAME, dbName=self.database, manageAdminPassword=True)
        self.serverless.create_workgroup(workgroupName=NAME, namespaceName=NAME, baseCapacity=8)
        ask = lambda: self.serverless.get_workgroup(workgroupName=NAME)["workgroup"]  # noqa: E731
        workgroup = self.until(ask, lambda found: found["status"] == "AVAILABLE")
        secret = self.serverless.get_namespace(namespaceName=NAME)["namespace"]["adminPasswordSecretArn"]
        self.run("CREATE SCHEMA gold", "CREATE TABLE gold.sales (day DATE, amount DECIMAL(10,2), channel VARCHAR(9))")
        self.run("INSERT INTO gold.sales SELECT DATEADD(day, -30, GETDATE()), 5, 'web'")
        self.run(
            "INSERT INTO gold.sales SELECT GETDATE(), 7, 'web'", "INSERT INTO gold.sales SELECT GETDATE(), 2, 'pos'"
        )
        self.redshift = {"Host": workgroup["endpoint"]["address"], "Port": workgroup["endpoint"]["port"]}
        self.secret = secret

    def run(self, *statements):
        data = self.aws.client("redshift-data")
        for sql in statements:
            asked = data.execute_statement(WorkgroupName=NAME, Database=self.database, Sql=sql)["Id"]
            found = self.until(lambda i=asked: data.describe_statement(Id=i), _has_ended)
            assert found["Status"] == "FINISHED", found

    def source(self, **changed):
        return {
            **ACCOUNT,
            "DataSourceId": "warehouse",
            "Name": "Warehouse",
            "DataSourceParameters": {"RedshiftParameters": {**self.redshift, "Database": self.database}},
            "Credentials": {"SecretArn": self.secret},
            "VpcConnectionProperties": {"VpcConnectionArn": self.arn("vpcConnection/vpc")},
            **changed,
        }

    def data_set(self, identifier, sql="SELECT day, amount, channel FROM gold.sales", mode="SPICE"):
        columns = [("day", "DATETIME"), ("amount", "DECIMAL"), ("channel", "STRING")]
        custom = {
            "DataSourceArn": self.arn("datasource/warehouse"),
            "Name": identifier,
            "SqlQuery": sql,
            "Columns": [{"Name": name, "Type": kind} for name, kind in columns],
        }
        tables = {"gold": {"CustomSql": custom}}
        return {**ACCOUNT, "DataSetId": identifier, "Name": identifier, "PhysicalTableMap": tables, "ImportMode": mode}

    def ingested(self, data_set, ingestion):
        ids = {**ACCOUNT, "DataSetId": data_set, "IngestionId": ingestion}
        ended = {"COMPLETED", "FAILED", "CANCELLED"}
        ask = lambda: self.client.describe_ingestion(**ids)["Ingestion"]  # noqa: E731
        return self.until(ask, lambda found: found["IngestionStatus"] in ended)

    def version(self, number):
        ask = lambda: self.client.describe_dashboard(**ACCOUNT, DashboardId="sales", VersionNumber=number)  # noqa: E731
        done = lambda found: not found["Dashboard"]["Version"]["Status"].endswith("_IN_PROGRESS")  # noqa: E731
        return self.until(ask, done)["Dashboard"]["Version"]


def definition(world, column="amount"):
    value = {"FieldId": "v", "Column": {"DataSetIdentifier": "store", "ColumnName": column}}
    wells = {"Values": [{"NumericalMeasureField": value}]}
    visual = {"KPIVisual": {"VisualId": "kpi", "ChartConfiguration": {"FieldWells": wells}}}
    return {
        "DataSetIdentifierDeclarations": [{"Identifier": "store", "DataSetArn": world.arn("dataset/store")}],
        "Sheets": [{"SheetId": "one", "Name": "One", "Visuals": [visual]}],
        "CalculatedFields": [{"DataSetIdentifier": "store", "Name": "twice", "Expression": "{amount} * 2"}],
    }


@pytest.fixture(scope="module")
def world(local_aws):
    made = World(local_aws)
    with contextlib.suppress(ClientError):  # another file's tests may have signed up
        made.end_subscription()
    yield made
    names = [workgroup["workgroupName"] for workgroup in made.serverless.list_workgroups()["workgroups"]]
    if NAME in names:
        made.serverless.delete_workgroup(workgroupName=NAME)
        ask = lambda: made.serverless.list_workgroups()["workgroups"]  # noqa: E731
        made.until(ask, lambda found: NAME not in {one["workgroupName"] for one in found})
    if NAME in {one["namespaceName"] for one in made.serverless.list_namespaces()["namespaces"]}:
        made.serverless.delete_namespace(namespaceName=NAME)
        ask = lambda: made.serverless.list_namespaces()["namespaces"]  # noqa: E731
        made.until(ask, lambda found: NAME not in {one["namespaceName"] for one in found})


def test_a_new_account_is_not_subscribed(world):
    with refused("ResourceNotFoundException"):
        world.client.describe_account_subscription(**ACCOUNT)
    with refused("UnsupportedUserEditionException", "not subscribed"):
        world.client.describe_dashboard(**ACCOUNT, DashboardId="sales")
    with refused("ResourceNotFoundException", "not signed up"):
        world.client.describe_data_set(**ACCOUNT, DataSetId="store")
    signup = {"AccountName": "shop", "AuthenticationMethod": "IAM_ONLY", "NotificationEmail": "bi@example.com"}
    world.client.create_account_subscription(**ACCOUNT, **signup, Edition="ENTERPRISE")
    found = world.client.describe_account_subscription(**ACCOUNT)["AccountInfo"]
    assert (found["Edition"], found["AccountSubscriptionStatus"]) == ("ENTERPRISE", "ACCOUNT_CREATED")
    with refused("NotImplemented"):
        world.client.list_analyses(**ACCOUNT)


def test_a_connection_and_a_data_source_come_after_a_while_and_a_wrong_login_fails(world):
    world.make_warehouse()
    connection = {**ACCOUNT, "VPCConnectionId": "vpc", "Name": "vpc", "SecurityGroupIds": ["sg-1"]}
    connection |= {"SubnetIds": ["subnet-1", "subnet-2"], "RoleArn": f"arn:aws:iam::{LOCAL_ACCOUNT}:role/quicksight"}
    made = world.client.create_vpc_connection(**connection, Tags=[{"Key": "Environment", "Value": "dev"}])
    assert made["CreationStatus"] == "CREATION_IN_PROGRESS"
    with refused("InvalidParameterValueException", "not available"):
        world.client.create_data_source(**world.source(), Type="REDSHIFT")
    with refused("ConflictException"):
        world.client.delete_vpc_connection(**ACCOUNT, VPCConnectionId="vpc")
    ask = lambda: world.client.describe_vpc_connection(**ACCOUNT, VPCConnectionId="vpc")["VPCConnection"]  # noqa: E731
    found = world.until(ask, lambda one: one["Status"] == "CREATION_SUCCESSFUL")
    assert [one["SubnetId"] for one in found["NetworkInterfaces"]] == ["subnet-1", "subnet-2"]

    def described():
        return world.client.describe_data_source(**ACCOUNT, DataSourceId="warehouse")["DataSource"]

    wrong = {"RedshiftParameters": {**world.redshift, "Host": "nowhere", "Database": world.database}}
    world.client.create_data_source(**world.source(DataSourceParameters=wrong), Type="REDSHIFT")
    failed = world.until(described, lambda one: one["Status"] == "CREATION_FAILED")
    assert failed["ErrorInfo"]["Type"] == "UNKNOWN_HOST"
    without = world.source()
    del without["Credentials"]
    with refused("InvalidParameterValueException", "DataSourceCredentials field is incorrectly set"):
        world.client.update_data_source(**without)
    world.client.update_data_source(**world.source())
    found = world.until(described, lambda one: one["Status"] == "UPDATE_SUCCESSFUL")
    assert (found["SecretArn"], "ErrorInfo" in found) == (world.secret, False)
    with refused("ResourceExistsException"):
        world.client.create_data_source(**world.source(), Type="REDSHIFT")


def test_rows_are_counted_in_the_warehouse_and_a_missing_table_fails_the_ingestion(world):
    made = world.client.create_data_set(**world.data_set("store"))
    first = world.ingested("store", made["IngestionId"])
    assert (first["IngestionStatus"], first["RequestType"]) == ("COMPLETED", "INITIAL_INGESTION"), first
    assert first["RowInfo"] == {"RowsIngested": 3, "RowsDropped": 0, "TotalRowsInDataset": 3}
    incremental = {**ACCOUNT, "DataSetId": "store", "IngestionId": "i-1", "IngestionType": "INCREMENTAL_REFRESH"}
    with refused("InvalidParameterValueException", "no look-back window"):
        world.client.create_ingestion(**incremental)
    window = {"ColumnName": "day", "Size": 7, "SizeUnit": "DAY"}
    properties = {"RefreshConfiguration": {"IncrementalRefresh": {"LookbackWindow": window}}}
    with refused("ResourceNotFoundException"):
        world.client.describe_data_set_refresh_properties(**ACCOUNT, DataSetId="store")
    world.client.put_data_set_refresh_properties(**ACCOUNT, DataSetId="store", DataSetRefreshProperties=properties)
    found = world.client.describe_data_set_refresh_properties(**ACCOUNT, DataSetId="store")
    assert found["DataSetRefreshProperties"] == properties
    world.client.create_ingestion(**incremental)
    with refused("ResourceExistsException"):
        world.client.create_ingestion(**incremental)
    assert world.ingested("store", "i-1")["RowInfo"]["RowsIngested"] == 2
    for number in range(2, 33):
        world.client.create_ingestion(**ACCOUNT, DataSetId="store", IngestionId=f"i-{number}")
    with refused("LimitExceededException"):
        world.client.create_ingestion(**ACCOUNT, DataSetId="store", IngestionId="i-33")

    made = world.client.create_data_set(**world.data_set("none", "SELECT day, amount, channel FROM gold.none"))
    failed = world.ingested("none", made["IngestionId"])
    assert failed["ErrorInfo"]["Type"] == "SQL_TABLE_NOT_FOUND", failed
    made = world.client.update_data_set(**world.data_set("none", "SELECT day, amount FROM gold.sales"))
    failed = world.ingested("none", made["IngestionId"])
    assert (failed["ErrorInfo"]["Type"], "channel" in failed["ErrorInfo"]["Message"]) == ("SQL_EXCEPTION", True)
    made = world.client.create_data_set(**world.data_set("live", mode="DIRECT_QUERY"))
    assert "IngestionId" not in made
    with refused("InvalidParameterValueException", "not a SPICE dataset"):
        world.client.create_ingestion(**ACCOUNT, DataSetId="live", IngestionId="x")


def test_a_schedule_is_kept(world):
    schedule = {"ScheduleId": "nightly", "ScheduleFrequency": {"Interval": "DAILY", "TimeOfTheDay": "04:00"}}
    schedule |= {"RefreshType": "INCREMENTAL_REFRESH"}
    world.client.create_refresh_schedule(**ACCOUNT, DataSetId="store", Schedule=schedule)
    (found,) = world.client.list_refresh_schedules(**ACCOUNT, DataSetId="store")["RefreshSchedules"]
    assert found.items() >= schedule.items()
    with refused("InvalidParameterValueException", "15 minutes"):
        quick = schedule | {"ScheduleFrequency": {"Interval": "MINUTE15"}, "RefreshType": "FULL_REFRESH"}
        world.client.update_refresh_schedule(**ACCOUNT, DataSetId="store", Schedule=quick)
    world.client.delete_refresh_schedule(**ACCOUNT, DataSetId="store", ScheduleId="nightly")
    assert world.client.list_refresh_schedules(**ACCOUNT, DataSetId="store")["RefreshSchedules"] == []


def test_a_dashboard_has_versions_and_one_with_a_column_of_no_data_set_fails(world):
    theme = {**ACCOUNT, "ThemeId": "house", "Name": "House", "BaseThemeId": "CLASSIC"}
    world.client.create_theme(**theme, Configuration={"Sheet": {"Tile": {"Border": {"Show": True}}}})
    ask = lambda: world.client.describe_theme(**ACCOUNT, ThemeId="house")["Theme"]["Version"]  # noqa: E731
    world.until(ask, lambda found: found["Status"] == "CREATION_SUCCESSFUL")
    world.client.update_theme(**theme)
    assert ask()["VersionNumber"] == 2

    group = world.client.create_group(**GROUP, Description="who reads")["Group"]
    sent = {**ACCOUNT, "DashboardId": "sales", "Name": "Sales", "ThemeArn": world.arn("theme/house")}
    permission = {"Principal": group["Arn"], "Actions": READ}
    with refused("InvalidParameterValueException", "no group of this account"):
        nobody = permission | {"Principal": world.arn("group/default/nobody")}
        world.client.create_dashboard(**sent, Definition=definition(world), Permissions=[nobody])
    world.client.create_dashboard(**sent, Definition=definition(world), Permissions=[permission])
    with refused("ConflictException"):
        world.client.update_dashboard(**sent, Definition=definition(world))
    assert world.version(1)["Status"] == "CREATION_SUCCESSFUL"

    world.client.update_dashboard(**sent, Definition=definition(world, column="twice"))
    with refused("ConflictException"):
        world.client.update_dashboard_published_version(**ACCOUNT, DashboardId="sales", VersionNumber=2)
    assert world.version(2)["Status"] == "CREATION_SUCCESSFUL"
    latest = world.client.describe_dashboard(**ACCOUNT, DashboardId="sales", AliasName="$LATEST")["Dashboard"]
    shown = world.client.describe_dashboard(**ACCOUNT, DashboardId="sales")["Dashboard"]
    assert (latest["Version"]["VersionNumber"], shown["Version"]["VersionNumber"]) == (2, 1)
    world.client.update_dashboard_published_version(**ACCOUNT, DashboardId="sales", VersionNumber=2)
    shown = world.client.describe_dashboard(**ACCOUNT, DashboardId="sales")["Dashboard"]
    assert shown["Version"]["VersionNumber"] == 2
    assert shown["LastPublishedTime"] > shown["CreatedTime"]

    world.client.update_dashboard(**sent, Definition=definition(world, column="profit"))
    failed = world.version(3)
    assert failed["Status"] == "CREATION_FAILED"
    arn = world.arn("dataset/store")
    assert [error["Message"] for error in failed["Errors"]] == [
        f"Required column 'profit' is missing in data set '{arn}'"
    ]
    with refused("InvalidParameterValueException", "cannot be published"):
        world.client.update_dashboard_published_version(**ACCOUNT, DashboardId="sales", VersionNumber=3)
    kept = world.client.describe_dashboard_definition(**ACCOUNT, DashboardId="sales")
    assert kept["Definition"] == definition(world, column="twice")
    summaries = world.client.list_dashboard_versions(**ACCOUNT, DashboardId="sales")["DashboardVersionSummaryList"]
    assert [one["VersionNumber"] for one in summaries] == [1, 2, 3]


def test_faults_name_every_column_once():
    broken = {
        "DataSetIdentifierDeclarations": [{"Identifier": "a", "DataSetArn": "arn:a"}],
        "Sheets": [
            {"Column": {"DataSetIdentifier": "a", "ColumnName": "x"}},
            {"Column": {"DataSetIdentifier": "a", "ColumnName": "x"}},
            {"Column": {"DataSetIdentifier": "b", "ColumnName": "y"}},
        ],
    }
    assert [one["Type"] for one in dashboard_faults(broken, {"arn:a": {"y": "STRING"}})] == [
        "COLUMN_REPLACEMENT_MISSING",
        "DATA_SET_NOT_FOUND",
    ]
    assert [one["Type"] for one in dashboard_faults(broken, {})] == ["DATA_SET_NOT_FOUND", "DATA_SET_NOT_FOUND"]


def test_permissions_and_tags_are_kept(world):
    group = world.client.describe_group(**GROUP)["Group"]
    permissions = world.client.describe_dashboard_permissions(**ACCOUNT, DashboardId="sales")["Permissions"]
    assert permissions == [{"Principal": group["Arn"], "Actions": READ}]
    revoked = [{"Principal": group["Arn"], "Actions": READ[:2]}]
    world.client.update_dashboard_permissions(**ACCOUNT, DashboardId="sales", RevokePermissions=revoked)
    left = world.client.describe_dashboard_permissions(**ACCOUNT, DashboardId="sales")["Permissions"]
    assert left == [{"Principal": group["Arn"], "Actions": READ[2:]}]
    with refused("InvalidParameterValueException", "no action that can be granted"):
        wrong = [{"Principal": group["Arn"], "Actions": ["quicksight:UpdateDashboard"]}]
        world.client.update_data_set_permissions(**ACCOUNT, DataSetId="store", GrantPermissions=wrong)
    arn = world.arn("dashboard/sales")
    world.client.tag_resource(ResourceArn=arn, Tags=[{"Key": "Sent", "Value": "1"}, {"Key": "Other", "Value": "2"}])
    world.client.untag_resource(ResourceArn=arn, TagKeys=["Other"])
    assert world.client.list_tags_for_resource(ResourceArn=arn)["Tags"] == [{"Key": "Sent", "Value": "1"}]
    with refused("ResourceNotFoundException"):
        world.client.list_tags_for_resource(ResourceArn=world.arn("dashboard/none"))


def test_what_was_answered_is_on_disk_and_is_deleted_whole(world):
    path = world.aws.state_folder / "front" / "state" / "quicksight.sqlite"
    another = QuickSightService(path, front=world.aws.endpoint, account=LOCAL_ACCOUNT, clock=SystemClock())
    found = another.call("DescribeDashboard", {**ACCOUNT, "DashboardId": "sales"})["Dashboard"]
    shown = world.client.describe_dashboard(**ACCOUNT, DashboardId="sales")["Dashboard"]
    assert abs(found["CreatedTime"] - shown["CreatedTime"]) < timedelta(seconds=1)
    assert found["Version"]["VersionNumber"] == 2
    another.close()
    world.client.delete_dashboard(**ACCOUNT, DashboardId="sales")
    world.client.delete_theme(**ACCOUNT, ThemeId="house")
    world.client.delete_data_set(**ACCOUNT, DataSetId="store")
    world.client.delete_data_source(**ACCOUNT, DataSourceId="warehouse")
    world.client.delete_vpc_connection(**ACCOUNT, VPCConnectionId="vpc")
    world.client.delete_group(**GROUP)
    ask = lambda: world.client.list_vpc_connections(**ACCOUNT)["VPCConnectionSummaries"]  # noqa: E731
    world.until(ask, lambda found: not found)
    assert world.client.list_dashboards(**ACCOUNT)["DashboardSummaryList"] == []
    with refused("ResourceNotFoundException"):
        world.client.describe_ingestion(**ACCOUNT, DataSetId="store", IngestionId="i-1")
    for left in ("none", "live"):
        world.client.delete_data_set(**ACCOUNT, DataSetId=left)


def test_a_subscription_that_ends_takes_all_with_it_and_is_protected_until_told_otherwise(world):
    world.client.create_group(**GROUP)
    with refused("PreconditionNotMetException", "Termination protection is on"):
        world.client.delete_account_subscription(**ACCOUNT)
    assert world.client.describe_account_settings(**ACCOUNT)["AccountSettings"]["TerminationProtectionEnabled"]
    world.end_subscription()
    with refused("ResourceNotFoundException"):
        world.client.describe_account_subscription(**ACCOUNT)
    signup = {"AccountName": "shop", "AuthenticationMethod": "IAM_ONLY", "NotificationEmail": "bi@example.com"}
    world.client.create_account_subscription(**ACCOUNT, **signup, Edition="ENTERPRISE")
    with refused("ResourceNotFoundException"):
        world.client.describe_group(**GROUP)
