"""What each role may do, written from names alone: the rights of its own code and no other. Pure.

Where a `*` stands for a resource, AWS knows no narrower one for the action; a condition then says whose it is.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from shoplake_core.names import FunctionName, JobName, ResourceNames, RoleName

from shoplake_infra.resource import Ref, Resource
from shoplake_infra.shipped_code import PROJECT_PREFIX

__all__ = ["SERVICES", "RolePolicies", "Statement", "quicksight_network"]

Statement = Mapping[str, Any]

# prefixes of the artifacts bucket
_CODE, _PROJECT, _RUNS, _LOCKS = "code", PROJECT_PREFIX, "runs", "locks"

_READS_TABLES = ("GetTable",)
_WRITES_TABLES = ("GetDatabase", "GetTable", "CreateTable", "UpdateTable", "DeleteTable")  # as Iceberg does
# as AWS's crawler is documented to, tables with partitions included
_PARTITIONS = ("GetPartition", "GetPartitions", "BatchGetPartition", "BatchCreatePartition", "CreatePartition")
_CRAWLS = (
    *("GetDatabase", "GetTable", "GetTables", "CreateTable", "UpdateTable"),
    *(*_PARTITIONS, "UpdatePartition", "DeletePartition"),
)
_RESULTS = ("DescribeStatement", "GetStatementResult", "CancelStatement")

SERVICES: Mapping[RoleName, tuple[str, ...]] = {
    RoleName.REPLICATION: ("dms.amazonaws.com",),
    RoleName.CRAWLER: ("glue.amazonaws.com",),
    RoleName.JOB: ("glue.amazonaws.com",),
    RoleName.CONTROL_FUNCTION: ("lambda.amazonaws.com",),
    RoleName.SOURCE_FUNCTION: ("lambda.amazonaws.com",),
    RoleName.SHOP_FUNCTION: ("lambda.amazonaws.com",),
    RoleName.SOURCE_PREPARATION: ("lambda.amazonaws.com",),
    RoleName.STATE_MACHINE: ("states.amazonaws.com",),
    RoleName.SCHEDULER: ("scheduler.amazonaws.com",),
    RoleName.SHOP_SCHEDULER: ("scheduler.amazonaws.com",),
    RoleName.WAREHOUSE: ("redshift-serverless.amazonaws.com", "redshift.amazonaws.com"),
}


_CALLED_BY_RUN = (
    FunctionName.RUN_LOCK,
    FunctionName.SOURCE_MARKER,
    FunctionName.BRONZE_STATE,
    FunctionName.WAREHOUSE_LOADS,
)
# the source's sums must be taken after the reconciliation has pinned what it compares them with
_ASKED_BY_RECONCILE = (FunctionName.SOURCE_MARKER, FunctionName.SOURCE_READING, FunctionName.BRONZE_STATE)


def _allow(actions: tuple[str, ...], *resources: str | Ref, condition: Mapping[str, Any] | None = None) -> Statement:
    statement: dict[str, Any] = {"Effect": "Allow", "Action": list(actions), "Resource": list(resources)}
    return statement | ({"Condition": condition} if condition else {})


def quicksight_network(names: ResourceNames) -> tuple[Statement, ...]:
    """What QuickSight needs to put its interfaces into the network.

    Source: https://docs.aws.amazon.com/quicksight/latest/user/vpc-creating-a-connection-in-quicksight-cli.html

    """
    arns = tuple(names.arn("ec2", f"{what}/*") for what in ("network-interface", "subnet", "security-group"))
    change = ("CreateNetworkInterface", "ModifyNetworkInterfaceAttribute", "DeleteNetworkInterface")
    return (
        _allow(("ec2:DescribeSubnets", "ec2:DescribeSecurityGroups"), "*"),
        _allow(tuple(f"ec2:{action}" for action in change), *arns),
    )


@dataclass(frozen=True, slots=True)
class RolePolicies:
    """The statements of every role of one environment; `key` encrypts its buckets, secrets and topic.

    With `dashboards`, a run has QuickSight read the warehouse anew.
    """

    names: ResourceNames
    key: Resource
    dashboards: bool = False

    def statements(self, role: RoleName) -> tuple[Statement, ...]:
        """The role's statements; `SERVICES` says which roles there are."""
        return {
            RoleName.REPLICATION: self._replication,
            RoleName.CRAWLER: self._crawler,
            RoleName.JOB: self._job,
            RoleName.CONTROL_FUNCTION: self._control_function,
            RoleName.SOURCE_FUNCTION: self._source_function,
            RoleName.SHOP_FUNCTION: self._shop_function,
            RoleName.SOURCE_PREPARATION: self._source_preparation,
            RoleName.STATE_MACHINE: self._state_machine,
            RoleName.SCHEDULER: self._scheduler,
            RoleName.SHOP_SCHEDULER: self._shop_scheduler,
            RoleName.WAREHOUSE: self._warehouse,
        }[role]()

    def _replication(self) -> tuple[Statement, ...]:
        # DMS's S3 target is documented to need these four, the deletion for its own test file
        bronze = self.names.bronze_bucket
        return (
            _allow(("s3:PutObject", "s3:DeleteObject", "s3:PutObjectTagging"), f"arn:aws:s3:::{bronze}/*"),
            _allow(("s3:ListBucket",), f"arn:aws:s3:::{bronze}"),
            self._encrypt(),
            self._read_secret(self.names.source_secret),
        )

    def _crawler(self) -> tuple[Statement, ...]:
        return (
            *self._read_objects(self.names.bronze_bucket),
            self._decrypt(),
            self._catalogue(self.names.bronze_database, _CRAWLS),
            _allow(  # a crawler makes sure of its database
                ("glue:CreateDatabase",),
                self.names.arn("glue", "catalog"),
                self.names.arn("glue", f"database/{self.names.bronze_database}"),
            ),
            self._write_logs("/aws-glue/crawlers"),
        )

    def _job(self) -> tuple[Statement, ...]:
        names = self.names
        artifacts = names.artifacts_bucket
        return (
            *self._read_objects(names.bronze_bucket),
            *self._read_objects(names.silver_bucket),
            *self._read_objects(names.gold_bucket),
            *self._read_objects(artifacts, _CODE, _RUNS, _LOCKS),
            self._write_objects(names.silver_bucket),
            self._write_objects(names.gold_bucket),
            self._write_objects(artifacts, _RUNS),
            self._encrypt(),
            self._catalogue(names.bronze_database, _READS_TABLES),
            self._catalogue(names.silver_database, _WRITES_TABLES),
            self._catalogue(names.gold_database, _WRITES_TABLES),
            self._read_secret(names.masking_secret),
            *self._query_warehouse("ExecuteStatement", answers=_RESULTS),
            self._invoke(*_ASKED_BY_RECONCILE),
            *self._use_network_in_job(),
            _allow(
                ("glue:GetConnection",),
                names.arn("glue", "catalog"),
                names.arn("glue", f"connection/{names.connection}"),
            ),
            _allow(("cloudwatch:PutMetricData",), "*", condition={"StringEquals": {"cloudwatch:namespace": "Glue"}}),
            self._write_logs("/aws-glue/jobs"),
        )

    def _control_function(self) -> tuple[Statement, ...]:
        names = self.names
        artifacts = names.artifacts_bucket
        return (
            self._read_objects(artifacts, _PROJECT, _RUNS, _LOCKS)[0],
            # a lock that is not there yet: S3 says so only to who may list the bucket whatever the prefix
            _allow(("s3:ListBucket",), f"arn:aws:s3:::{artifacts}"),
            self._write_objects(artifacts, _RUNS, _LOCKS),
            *self._read_objects(names.bronze_bucket),
            *self._read_objects(names.silver_bucket),
            *self._read_objects(names.gold_bucket),
            self._encrypt(),
            self._catalogue(names.bronze_database, _READS_TABLES),
            self._catalogue(names.silver_database, _READS_TABLES),
            self._catalogue(names.gold_database, _READS_TABLES),
            _allow(("states:DescribeExecution",), names.arn("states", f"execution:{names.prefix}:*")),
            *self._query_warehouse("ExecuteStatement", "BatchExecuteStatement", answers=_RESULTS),
            *self._refresh_dashboards("ListIngestions"),
            self._write_function_logs(),
        )

    def _source_function(self) -> tuple[Statement, ...]:
        names = self.names
        rotation = ("secretsmanager:PutSecretValue", "secretsmanager:UpdateSecretVersionStage")
        return (
            self._read_secret(names.source_secret),
            self._read_secret(names.masking_secret),  # the source's sums are taken of masked values
            _allow(rotation, self._secret_arn(names.source_secret)),
            _allow(("s3:ListBucket",), f"arn:aws:s3:::{names.bronze_bucket}"),
            *self._read_objects(names.artifacts_bucket, _PROJECT),
            self._write_objects(names.artifacts_bucket, _RUNS),
            self._encrypt(),
            *self._use_network_in_function(),
            self._write_function_logs(),
        )

    def _shop_function(self) -> tuple[Statement, ...]:
        names = self.names
        return (
            self._read_secret(names.source_secret),
            *self._read_objects(names.artifacts_bucket, _PROJECT),
            self._decrypt(),
            *self._use_network_in_function(),
            self._write_function_logs(names.function(FunctionName.SHOP)),
        )

    def _source_preparation(self) -> tuple[Statement, ...]:
        names = self.names
        # RDS names the administrator's secret by chance, and tags it with the server's ARN
        ours = {"aws:ResourceTag/aws:rds:primaryDBInstanceArn": names.arn("rds", f"db:{names.prefix}-source")}
        return (
            self._read_secret(names.source_secret),
            _allow(
                ("secretsmanager:GetSecretValue",),
                names.arn("secretsmanager", "secret:rds!db-*"),
                condition={"StringEquals": ours},
            ),
            self._decrypt(),
            *self._use_network_in_function(),
            self._write_function_logs(names.function(FunctionName.PREPARE_SOURCE)),
        )

    def _state_machine(self) -> tuple[Statement, ...]:
        names = self.names
        run_jobs = ("glue:StartJobRun", "glue:GetJobRun", "glue:GetJobRuns", "glue:BatchStopJobRun")
        logs = ("CreateLogDelivery", "GetLogDelivery", "UpdateLogDelivery", "DeleteLogDelivery", "ListLogDeliveries")
        policies = ("PutResourcePolicy", "DescribeResourcePolicies", "DescribeLogGroups")
        traces = ("PutTraceSegments", "PutTelemetryRecords", "GetSamplingRules", "GetSamplingTargets")
        return (
            self._invoke(*_CALLED_BY_RUN),
            _allow(run_jobs, *(names.arn("glue", f"job/{names.job(job)}") for job in JobName)),
            _allow(("glue:StartCrawler", "glue:GetCrawler"), names.arn("glue", f"crawler/{names.crawler}")),
            _allow(("dms:DescribeReplicationTasks", "dms:DescribeTableStatistics"), "*"),
            _allow(
                ("dms:StartReplicationTask",),
                names.arn("dms", "task:*"),  # a task's ARN holds a random word
                condition={"StringEquals": {"aws:ResourceTag/Environment": names.environment}},
            ),
            *self._query_warehouse("BatchExecuteStatement", answers=("DescribeStatement",)),
            *self._refresh_dashboards("CreateIngestion", "DescribeIngestion"),
            _allow(("sns:Publish",), names.alerts_topic_arn),
            self._encrypt(),  # the topic is encrypted
            _allow((*(f"logs:{action}" for action in (*logs, *policies)),), "*"),
            _allow((*(f"xray:{action}" for action in traces),), "*"),
        )

    def _scheduler(self) -> tuple[Statement, ...]:
        return (_allow(("states:StartExecution",), self.names.state_machine_arn),)

    def _shop_scheduler(self) -> tuple[Statement, ...]:
        return (self._invoke(FunctionName.SHOP),)

    def _warehouse(self) -> tuple[Statement, ...]:
        return (*self._read_objects(self.names.gold_bucket, "_changes"), self._decrypt())

    def _read_objects(self, bucket: str, *prefixes: str) -> tuple[Statement, Statement]:
        arn = f"arn:aws:s3:::{bucket}"
        objects = [f"{arn}/{prefix}/*" for prefix in prefixes] or [f"{arn}/*"]
        listed = {"StringLike": {"s3:prefix": [f"{prefix}/*" for prefix in prefixes]}} if prefixes else None
        return _allow(("s3:GetObject",), *objects), _allow(("s3:ListBucket",), arn, condition=listed)

    def _write_objects(self, bucket: str, *prefixes: str) -> Statement:
        arn = f"arn:aws:s3:::{bucket}"
        objects = [f"{arn}/{prefix}/*" for prefix in prefixes] or [f"{arn}/*"]
        return _allow(("s3:PutObject", "s3:DeleteObject", "s3:AbortMultipartUpload"), *objects)

    def _invoke(self, *functions: FunctionName) -> Statement:
        arns = (self.names.arn("lambda", f"function:{self.names.function(function)}") for function in functions)
        return _allow(("lambda:InvokeFunction",), *arns)

    def _decrypt(self) -> Statement:
        return _allow(("kms:Decrypt",), Ref(self.key, "arn"))

    def _encrypt(self) -> Statement:
        return _allow(("kms:Decrypt", "kms:GenerateDataKey"), Ref(self.key, "arn"))

    def _secret_arn(self, name: str) -> str:
        return self.names.arn("secretsmanager", f"secret:{name}-??????")  # AWS adds six characters

    def _read_secret(self, name: str) -> Statement:
        return _allow(("secretsmanager:GetSecretValue", "secretsmanager:DescribeSecret"), self._secret_arn(name))

    def _catalogue(self, database: str, actions: tuple[str, ...]) -> Statement:
        resources = ("catalog", f"database/{database}", f"table/{database}/*")
        return _allow(
            tuple(f"glue:{action}" for action in actions), *(self.names.arn("glue", resource) for resource in resources)
        )

    def _query_warehouse(self, *submits: str, answers: tuple[str, ...]) -> tuple[Statement, ...]:
        """Submitting statements to our workgroup and asking about those that it submitted itself."""
        names = self.names
        workgroups = names.arn("redshift-serverless", "workgroup/*")  # a workgroup's ARN holds a random id
        ours = {"StringEquals": {"aws:ResourceTag/Environment": names.environment}}
        mine = {"StringEquals": {"redshift-data:statement-owner-iam-userid": "${aws:userid}"}}
        return (
            _allow(tuple(f"redshift-data:{submit}" for submit in submits), workgroups, condition=ours),
            _allow(("redshift-serverless:GetCredentials",), workgroups, condition=ours),
            _allow(tuple(f"redshift-data:{answer}" for answer in answers), "*", condition=mine),
        )

    def _refresh_dashboards(self, *actions: str) -> tuple[Statement, ...]:
        if not self.dashboards:
            return ()
        data_sets = self.names.arn("quicksight", f"dataset/{self.names.prefix}-*")  # and their ingestions, below them
        return (_allow(tuple(f"quicksight:{action}" for action in actions), data_sets),)

    def _use_network_in_job(self) -> tuple[Statement, ...]:
        describe = ("NetworkInterfaces", "Subnets", "SecurityGroups", "VpcEndpoints", "RouteTables", "VpcAttribute")
        change = ("ec2:CreateNetworkInterface", "ec2:DeleteNetworkInterface", "ec2:CreateTags")
        return self._use_network(describe, change)

    def _use_network_in_function(self) -> tuple[Statement, ...]:
        # as AWSLambdaVPCAccessExecutionRole, on the network interfaces of this account and region
        addresses = ("ec2:AssignPrivateIpAddresses", "ec2:UnassignPrivateIpAddresses")
        change = ("ec2:CreateNetworkInterface", "ec2:DeleteNetworkInterface", *addresses)
        return self._use_network(("NetworkInterfaces", "Subnets"), change)

    def _use_network(self, describe: tuple[str, ...], change: tuple[str, ...]) -> tuple[Statement, ...]:
        arns = tuple(self.names.arn("ec2", f"{what}/*") for what in ("network-interface", "subnet", "security-group"))
        return (
            _allow(tuple(f"ec2:Describe{what}" for what in describe), "*"),
            _allow(change, *arns),
        )

    def _write_logs(self, group_prefix: str) -> Statement:
        arn = self.names.arn("logs", f"log-group:{group_prefix}*")
        return _allow(("logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"), arn, f"{arn}:*")

    def _write_function_logs(self, functions: str = "") -> Statement:
        """Into log groups that are there: made by a function, one would be kept for ever."""
        arn = self.names.arn("logs", f"log-group:/aws/lambda/{functions or f'{self.names.prefix}-*'}")
        return _allow(("logs:CreateLogStream", "logs:PutLogEvents"), f"{arn}:*")
