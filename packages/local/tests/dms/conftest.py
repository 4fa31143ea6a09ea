"""A laptop with a MySQL schema, a bucket, a role and everything that a replication task needs."""

import json
import shutil
import time

import boto3
import pymysql
import pytest
from botocore.client import Config
from botocore.exceptions import ClientError
from shoplake_core.names import LOCAL_ACCOUNT
from shoplake_engines.object_store_aws import create_buckets, s3_client
from shoplake_engines.object_store_engine import ObjectStoreEngine
from shoplake_engines.testing import temporary_state_folder
from shoplake_local.front_engine import FrontEngine

SCHEMA, BUCKET, USER, SECRET = "dms_shop", "dms-bronze", "dms_reader", "dms/source"
TABLES = ("customers", "notes", "orders")
S3_SETTINGS = {
    "BucketName": BUCKET,
    "DataFormat": "parquet",
    "TimestampColumnName": "_committed_at",
    "UseTaskStartTimeForFullLoadTimestamp": True,
    "IncludeOpForFullLoad": True,
    "CdcMaxBatchInterval": 1,
}
TASK_SETTINGS = {"FullLoadSettings": {"TargetTablePrepMode": "DO_NOTHING"}}


def mappings(*tables):
    rules = [
        {
            "rule-type": "selection",
            "rule-id": str(number),
            "rule-name": f"include-{table}",
            "object-locator": {"schema-name": SCHEMA, "table-name": table},
            "rule-action": "include",
        }
        for number, table in enumerate(tables, start=1)
    ]
    return json.dumps({"rules": rules})


class Laptop:
    """A front with DMS, over real servers; it may be killed and started anew."""

    def __init__(self, folder, mysql):
        self.mysql = mysql
        self.clients = {}
        self.store = ObjectStoreEngine(folder, preferred_port=0)
        self.s3 = self.store.up()
        create_buckets(self.s3, [BUCKET])
        self.bucket = s3_client(self.s3)
        self.front = FrontEngine(
            folder,
            object_store=self.s3,
            warehouse=None,
            region=self.s3.region,
            account=LOCAL_ACCOUNT,
            object_store_state=folder,
            mysql=(mysql.host, mysql.port),
            check_answers=True,
            preferred_port=0,
        )
        self.folder = folder
        self.up()

    def up(self):
        self.aws = self.front.up()
        self.dms = self.client("dms")

    def client(self, service):
        if (self.aws, service) not in self.clients:
            self.clients[self.aws, service] = boto3.session.Session().client(
                service,
                endpoint_url=self.aws.url,
                region_name=self.aws.region,
                aws_access_key_id=self.aws.access_key_id,
                aws_secret_access_key=self.aws.secret_access_key,
                config=Config(retries={"total_max_attempts": 1}),
            )
        return self.clients[self.aws, service]

    def sql(self, *statements):
        at = self.mysql
        connection = pymysql.connect(
            host=at.host, port=at.port, user=at.user, password=at.password, autocommit=True, charset="utf8mb4"
        )
        with connection, connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)
            return cursor.fetchall() if statements else ()

    def objects(self):
        return [one["Key"] for one in self.bucket.list_objects_v2(Bucket=BUCKET).get("Contents", ())]

    def set_password(self, password):
        self.sql(f"ALTER USER {USER}@'%' IDENTIFIED BY '{password}'")
        self.password = password

    def secret_text(self):
        at = self.mysql
        return json.dumps({"host": at.host, "port": at.port, "username": USER, "password": self.password})

    def may_write(self, may):
        """Give the role the rights on the bucket, or take them."""
        objects = f"arn:aws:s3:::{BUCKET}/*"
        start = f"arn:aws:secretsmanager:{self.aws.region}:{LOCAL_ACCOUNT}:secret"
        statements = [
            {"Effect": "Allow", "Action": ["secretsmanager:GetSecretValue"], "Resource": f"{start}:{SECRET}-??????"},
            {"Effect": "Allow", "Action": ["s3:ListBucket"], "Resource": f"arn:aws:s3:::{BUCKET}"},
        ]
        if may:
            actions = ["s3:PutObject", "s3:DeleteObject", "s3:PutObjectTagging"]
            statements.append({"Effect": "Allow", "Action": actions, "Resource": objects})
        document = json.dumps({"Version": "2012-10-17", "Statement": statements})
        self.client("iam").put_role_policy(RoleName="replication", PolicyName="own", PolicyDocument=document)

    def role(self, name, *services):
        statement = {"Effect": "Allow", "Principal": {"Service": list(services)}, "Action": "sts:AssumeRole"}
        document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        return self.client("iam").create_role(RoleName=name, AssumeRolePolicyDocument=document)["Role"]["Arn"]

    def provision(self):
        """Everything up to a task that is ready; the source's schema, too."""
        self.sql(
            f"CREATE DATABASE {SCHEMA}",
            f"CREATE TABLE {SCHEMA}.customers (id INT PRIMARY KEY, name VARCHAR(40))",
            f"CREATE TABLE {SCHEMA}.orders (id INT PRIMARY KEY, total DECIMAL(10,2))",
            f"CREATE TABLE {SCHEMA}.notes (id INT NOT NULL, text VARCHAR(40))",
            f"INSERT INTO {SCHEMA}.customers VALUES (1, 'Anna'), (2, 'Émile'), (3, 'Zoë')",
            f"INSERT INTO {SCHEMA}.orders VALUES (1, 9.99)",
            f"CREATE USER {USER}@'%' IDENTIFIED BY 'first'",
            f"GRANT ALL ON *.* TO {USER}@'%'",
        )
        self.password = "first"
        self.client("secretsmanager").create_secret(Name=SECRET, SecretString=self.secret_text())
        self.role_arn = self.role("replication", "dms.amazonaws.com", f"dms.{self.aws.region}.amazonaws.com")
        self.may_write(True)
        ec2 = self.client("ec2")
        vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
        self.subnets = [
            ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.0.{n}.0/24", AvailabilityZone=f"{self.aws.region}{zone}")[
                "Subnet"
            ]["SubnetId"]
            for n, zone in enumerate("ab")
        ]
        group = {"ReplicationSubnetGroupIdentifier": "shop", "ReplicationSubnetGroupDescription": "shop"}
        self.refused("AccessDeniedFault", "create_replication_subnet_group", **group, SubnetIds=self.subnets)
        self.role("dms-vpc-role", "dms.amazonaws.com")
        self.refused(
            "ReplicationSubnetGroupDoesNotCoverEnoughAZs",
            "create_replication_subnet_group",
            **group,
            SubnetIds=self.subnets[:1],
        )
        self.dms.create_replication_subnet_group(**group, SubnetIds=self.subnets)
        made = self.dms.create_replication_instance(
            ReplicationInstanceIdentifier="Shop",
            ReplicationInstanceClass="dms.t3.medium",
            ReplicationSubnetGroupIdentifier="shop",
            Tags=[{"Key": "Environment", "Value": "dev"}],
        )["ReplicationInstance"]
        assert made["ReplicationInstanceStatus"] == "creating"
        self.instance = made["ReplicationInstanceArn"]
        self.wait("replication_instance_available", "replication-instance-arn", self.instance)
        self.source = self.dms.create_endpoint(
            EndpointIdentifier="shop-source",
            EndpointType="source",
            EngineName="mysql",
            MySQLSettings={"SecretsManagerSecretId": SECRET, "SecretsManagerAccessRoleArn": self.role_arn},
        )["Endpoint"]["EndpointArn"]
        self.target = self.dms.create_endpoint(
            EndpointIdentifier="shop-target",
            EndpointType="target",
            EngineName="s3",
            S3Settings={**S3_SETTINGS, "ServiceAccessRoleArn": self.role_arn},
        )["Endpoint"]["EndpointArn"]
        self.task = self.dms.create_replication_task(**self.task_parameters("shop"))["ReplicationTask"][
            "ReplicationTaskArn"
        ]
        self.wait("replication_task_ready", "replication-task-arn", self.task)

    def task_parameters(self, name):
        return {
            "ReplicationTaskIdentifier": name,
            "SourceEndpointArn": self.source,
            "TargetEndpointArn": self.target,
            "ReplicationInstanceArn": self.instance,
            "MigrationType": "full-load-and-cdc",
            "TableMappings": mappings(*TABLES),
            "ReplicationTaskSettings": json.dumps(TASK_SETTINGS),
            "Tags": [{"Key": "Environment", "Value": "dev"}],
        }

    def wait(self, waiter, filter_name, value, *, seconds=0.1):
        self.dms.get_waiter(waiter).wait(
            Filters=[{"Name": filter_name, "Values": [value]}],
            WaiterConfig={"Delay": seconds, "MaxAttempts": int(20 / seconds)},
        )

    def test_connections(self):
        """How the tests of both connections end: endpoint's ARN -> connection."""
        for arn in (self.source, self.target):
            begun = self.dms.test_connection(ReplicationInstanceArn=self.instance, EndpointArn=arn)["Connection"]
            assert begun["Status"] == "testing"
        return {arn: self.connection(arn) for arn in (self.source, self.target)}

    def connection(self, endpoint_arn):
        filters = [{"Name": "endpoint-arn", "Values": [endpoint_arn]}]
        return self.until(
            lambda: self.dms.describe_connections(Filters=filters)["Connections"][0],
            lambda found: found["Status"] != "testing",
        )

    def described(self):
        filters = [{"Name": "replication-task-id", "Values": ["shop"]}]
        return self.dms.describe_replication_tasks(Filters=filters)["ReplicationTasks"][0]

    def start(self, how="resume-processing", status="running"):
        """The task, once it has that status."""
        begun = self.dms.start_replication_task(ReplicationTaskArn=self.task, StartReplicationTaskType=how)
        assert begun["ReplicationTask"]["Status"] == "starting"
        return self.task_is(status)

    def task_is(self, status):
        return self.until(self.described, lambda task: task["Status"] == status)

    def statistics(self):
        answer = self.dms.describe_table_statistics(ReplicationTaskArn=self.task)
        return {one["TableName"]: one for one in answer["TableStatistics"]}

    def tables(self, wanted):
        return self.until(self.statistics, wanted)

    def until(self, ask, wanted):
        until = time.monotonic() + 20
        while True:
            found = ask()
            if wanted(found):
                return found
            assert time.monotonic() < until, f"it stays {found}"
            time.sleep(0.05)

    def refused(self, code, call, **parameters):
        """What the call is answered, as an error of that name."""
        with pytest.raises(ClientError) as raised:
            getattr(self.dms, call)(**parameters)
        assert raised.value.response["Error"]["Code"] == code, raised.value
        return raised.value.response["Error"]["Message"]

    def pid(self):
        """Of the task's replicator."""
        name = self.task.rpartition(":")[2]
        path = self.folder / "front" / "state" / "dms" / name / "replicator.pid.json"
        return json.loads(path.read_text("utf-8"))["pid"] if path.exists() else None


@pytest.fixture(scope="session")
def laptop(mysql_server):
    folder = temporary_state_folder()
    made = Laptop(folder, mysql_server.endpoint)
    try:
        made.provision()
        yield made
    finally:
        made.front.down()
        made.store.down()
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def running(laptop):
    """The laptop with a task that runs and has loaded its tables."""
    status = laptop.described()["Status"]
    if status == "ready":
        laptop.test_connections()
        laptop.start("start-replication")
    elif status != "running":
        laptop.start()
    done = {"Table completed", "Table error"}
    laptop.tables(lambda found: len(found) == len(TABLES) and {one["TableState"] for one in found.values()} <= done)
    return laptop
