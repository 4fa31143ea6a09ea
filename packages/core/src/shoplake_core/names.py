"""The name of every resource, made from environment, account and region: deterministic, so that names are the state."""

from dataclasses import dataclass
from enum import StrEnum

__all__ = ["LOCAL_ACCOUNT", "MARKER_SCHEMA", "MARKER_TABLE", "FunctionName", "JobName", "ResourceNames", "RoleName"]

LOCAL_ACCOUNT = "000000000000"
MARKER_SCHEMA = "shoplake"
MARKER_TABLE = "marker"


class FunctionName(StrEnum):
    """The Lambda functions of an environment, each the name of its handler: in `shoplake_datagen.handler` for the
    shop, in `shoplake_functions.handlers` for all others.
    """

    RUN_LOCK = "run_lock"
    SOURCE_MARKER = "source_marker"
    BRONZE_STATE = "bronze_state"
    SOURCE_READING = "source_reading"
    WAREHOUSE_LOADS = "warehouse_loads"
    SOURCE_DOCTOR = "source_doctor"
    PREPARE_SOURCE = "prepare_source"
    ROTATE_SOURCE_SECRET = "rotate_source_secret"  # noqa: S105 - a function's name, not a secret
    SHOP = "shop"

    @property
    def in_vpc(self) -> bool:
        """Whether it talks to MySQL, which has no public address."""
        return self in _FUNCTIONS_IN_VPC


_FUNCTIONS_IN_VPC = frozenset(
    {
        FunctionName.SOURCE_MARKER,
        FunctionName.SOURCE_READING,
        FunctionName.SOURCE_DOCTOR,
        FunctionName.PREPARE_SOURCE,
        FunctionName.ROTATE_SOURCE_SECRET,
        FunctionName.SHOP,
    }
)


class JobName(StrEnum):
    """The Glue jobs of an environment, each the name of its script."""

    BRONZE_TO_SILVER = "bronze_to_silver"
    SILVER_TO_GOLD = "silver_to_gold"
    RECONCILE = "reconcile"


class RoleName(StrEnum):
    """Who acts: one IAM role each, with the rights of its own code and no other."""

    REPLICATION = "replication"
    CRAWLER = "crawler"
    JOB = "job"
    CONTROL_FUNCTION = "control-function"
    SOURCE_FUNCTION = "source-function"
    SHOP_FUNCTION = "shop-function"
    SOURCE_PREPARATION = "source-preparation"
    STATE_MACHINE = "state-machine"
    SCHEDULER = "scheduler"
    SHOP_SCHEDULER = "shop-scheduler"
    WAREHOUSE = "warehouse"


@dataclass(frozen=True, slots=True)
class ResourceNames:
    """The names of one environment's resources."""

    environment: str
    account: str
    region: str

    def _bucket(self, what: str) -> str:
        return f"shoplake-{self.environment}-{what}-{self.account}-{self.region}"

    @property
    def bronze_bucket(self) -> str:
        """Bucket that DMS or our replicator fills."""
        return self._bucket("bronze")

    @property
    def silver_bucket(self) -> str:
        """Bucket of the silver Iceberg tables and their change sets."""
        return self._bucket("silver")

    @property
    def gold_bucket(self) -> str:
        """Bucket of the gold Iceberg tables and the change sets that the warehouse copies."""
        return self._bucket("gold")

    @property
    def artifacts_bucket(self) -> str:
        """Bucket of scripts, wheels, project bundles, run summaries and locks."""
        return self._bucket("artifacts")

    @property
    def buckets(self) -> tuple[str, ...]:
        """All four."""
        return (self.bronze_bucket, self.silver_bucket, self.gold_bucket, self.artifacts_bucket)

    @property
    def databases(self) -> str:
        """What the names of Glue's databases begin with: SQL takes no hyphen in a name without quotes."""
        return self.environment.replace("-", "_")

    @property
    def bronze_database(self) -> str:
        """Glue database that the crawler fills."""
        return f"{self.databases}_bronze"

    @property
    def silver_database(self) -> str:
        """Glue database of the silver tables."""
        return f"{self.databases}_silver"

    @property
    def gold_database(self) -> str:
        """Glue database of the gold tables."""
        return f"{self.databases}_gold"

    @property
    def prefix(self) -> str:
        """What every name without a form of its own begins with."""
        return f"shoplake-{self.environment}"

    def role(self, role: RoleName) -> str:
        """IAM role."""
        return f"{self.prefix}-{role}"

    def role_arn(self, role: RoleName) -> str:
        """ARN of the IAM role."""
        return f"arn:aws:iam::{self.account}:role/{self.role(role)}"

    def function(self, function: FunctionName) -> str:
        """Lambda function."""
        return f"{self.prefix}-{function.replace('_', '-')}"

    def job(self, job: JobName) -> str:
        """Glue job."""
        return f"{self.prefix}-{job.replace('_', '-')}"

    def arn(self, service: str, resource: str) -> str:
        """ARN of a regional resource, such as ("sns", "shoplake-dev-alerts")."""
        return f"arn:aws:{service}:{self.region}:{self.account}:{resource}"

    @property
    def state_machine_arn(self) -> str:
        """ARN of the state machine, which is named like the prefix."""
        return self.arn("states", f"stateMachine:{self.prefix}")

    @property
    def state_machine_logs(self) -> str:
        """Log group of the state machine; AWS delivers there itself, as the beginning of its name says."""
        return f"/aws/vendedlogs/states/{self.prefix}"

    @property
    def alerts_topic_arn(self) -> str:
        """ARN of the SNS topic that failures are told to."""
        return self.arn("sns", f"{self.prefix}-alerts")

    @property
    def source_secret(self) -> str:
        """Secret with MySQL's `host`, `port`, `username` and `password`."""
        return f"shoplake/{self.environment}/source"

    @property
    def masking_secret(self) -> str:
        """Secret with the masking key as hex."""
        return f"shoplake/{self.environment}/masking-key"

    @property
    def crawler(self) -> str:
        """Glue crawler of bronze."""
        return f"{self.prefix}-bronze"

    @property
    def connection(self) -> str:
        """Glue connection that puts jobs into the VPC."""
        return f"{self.prefix}-vpc"

    @property
    def replication_task(self) -> str:
        """DMS task."""
        return f"{self.prefix}-bronze"

    @property
    def workgroup(self) -> str:
        """Redshift Serverless workgroup; its namespace has the same name."""
        return self.prefix

    @property
    def warehouse_database(self) -> str:
        """Database in the warehouse."""
        return "shop"

    @property
    def schedule(self) -> str:
        """Schedule of runs, and the schedule group that carries our tags for it."""
        return self.prefix

    @property
    def shop_schedule(self) -> str:
        """Schedule that lets the simulated shop live on, in the same group."""
        return f"{self.prefix}-shop"
