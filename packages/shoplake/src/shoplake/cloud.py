"""The AWS that a command works on: an account, or the one on this laptop; the same calls to either."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError
from shoplake_core.clock import Clock
from shoplake_core.endpoints import AwsEndpoint
from shoplake_core.errors import CredentialError
from shoplake_core.names import ResourceNames
from shoplake_infra.artifacts.platforms import Target
from shoplake_infra.aws import Aws
from shoplake_warehouse.data_api_aws import QueryResult, Session, query

from shoplake.runs.documents_aws import RunReader
from shoplake.runs.executions_aws import Executions
from shoplake.workspace import Workspace

__all__ = ["Cloud", "account_cloud", "laptop_cloud"]

_REFUSED = frozenset(
    {"ExpiredToken", "ExpiredTokenException", "InvalidClientTokenId", "UnrecognizedClientException", "AccessDenied"}
)


@dataclass(frozen=True)
class Cloud:
    """One environment in one AWS.

    Attributes:
        workspace: The project.
        target: Which AWS.
        names: The environment's resources.
        aws: Clients.
        clock: Time.

    """

    workspace: Workspace
    target: Target
    names: ResourceNames
    aws: Aws
    clock: Clock

    @property
    def words(self) -> str:
        """What a person must know before anything acts."""
        place = f"   account {self.names.account}   region {self.names.region}" if self.target is Target.AWS else ""
        return f"target {self.target}{place}   environment {self.names.environment}"

    @cached_property
    def executions(self) -> Executions:
        """The environment's runs."""
        return Executions(self.aws.client("stepfunctions"), self.names.state_machine_arn)

    @cached_property
    def run_reader(self) -> RunReader:
        """What the jobs of runs left."""
        return RunReader(self.aws.client("s3"), self.names.artifacts_bucket)

    def query(self, sql: str, *, parameters: Mapping[str, str] | None = None) -> QueryResult:
        """The result of one SELECT on the warehouse, by the Redshift Data API; `:name` in it is bound."""
        return query(
            self.aws.client("redshift-data"),
            sql,
            session=Session(workgroup=self.names.workgroup, database=self.names.warehouse_database),
            clock=self.clock,
            parameters=parameters,
        )

    def replication_task(self) -> Mapping[str, Any] | None:
        """The DMS task as it is, None where it is not provisioned."""
        dms: Any = self.aws.client("dms")
        filters = [{"Name": "replication-task-id", "Values": [self.names.replication_task]}]
        try:
            tasks = dms.describe_replication_tasks(Filters=filters)["ReplicationTasks"]
        except ClientError as error:
            if error.response["Error"]["Code"] == "ResourceNotFoundFault":
                return None
            raise
        return tasks[0] if tasks else None


def laptop_cloud(workspace: Workspace, endpoint: AwsEndpoint, *, clock: Clock) -> Cloud:
    """The AWS on this laptop."""
    return Cloud(workspace, Target.LOCAL, workspace.names, Aws(endpoint, clock=clock), clock)


def account_cloud(workspace: Workspace, *, clock: Clock) -> Cloud:
    """The AWS account that the environment's credentials open.

    Raises:
        CredentialError: There are none, or they are refused.

    """
    config = workspace.project.config
    aws = Aws(None, clock=clock, region=config.region)
    hint = "sign in (aws sso login, or AWS_PROFILE), then do this again; --target local needs no account"
    try:
        account = aws.account
    except NoCredentialsError as error:
        raise CredentialError("no AWS credentials were found", hint=hint) from error
    except ClientError as error:
        code = error.response["Error"]["Code"]
        if code not in _REFUSED:
            raise
        raise CredentialError(f"AWS refused the credentials: {code}", hint=hint) from error
    except BotoCoreError as error:
        raise CredentialError(f"AWS credentials cannot be used: {error}", hint=hint) from error
    return Cloud(workspace, Target.AWS, ResourceNames(config.environment, account, config.region), aws, clock)
