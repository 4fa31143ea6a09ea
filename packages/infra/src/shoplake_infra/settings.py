"""What a user decides about an environment."""

from dataclasses import dataclass, field

from shoplake_core.names import FunctionName, RoleName

from shoplake_infra.dashboards import DashboardSettings
from shoplake_infra.database import SourceSettings
from shoplake_infra.jobs import JobSettings
from shoplake_infra.network import NetworkSettings
from shoplake_infra.replication import ReplicationSettings
from shoplake_infra.runs import RunSettings
from shoplake_infra.warehouse import WarehouseSettings

__all__ = ["EnvironmentSettings"]


@dataclass(frozen=True, slots=True, kw_only=True)
class EnvironmentSettings:
    """What a user decides about an environment.

    Attributes:
        source_host: MySQL's host name, written into its secret when that is made.
        source_port: MySQL's port.
        source_user: MySQL's user that replication and functions log in as.
        source_schema: The captured schema, which the catalogue's names of bronze's tables begin with.
        rotate_source_days: After how many days MySQL's password is changed; None to leave it.
        alert_emails: Who hears of failures.
        log_retention_days: One of the numbers that CloudWatch offers.
        run_records_days: How long summaries and readings of runs are kept.
        replaced_objects_days: How long a replaced or deleted object can still be taken back.
        network: The private network to make; None to make none, and no replication, warehouse or new source.
        new_source: A MySQL of our own to make, whose host then counts; None where there is one.
        replication: What is captured, and on which machine; None for none.
        late_seconds: From when on changes that arrive in bronze are late, which is told.
        warehouse: How large it is; None for none.
        dashboards: Whether they are in QuickSight.
        jobs: How large jobs are.
        runs: How the pipeline is run.
        simulated_shop: Whether there is the function that plays the shop: for a demo, never for a real one.
        shop_every_minutes: How often that shop lives on for some seconds by itself; 0 for only when it is told to.
        on_loopback: AWS is played by servers on this machine, without TLS.

    """

    source_host: str
    source_port: int = 3306
    source_user: str = "shoplake"
    source_schema: str = "shop"
    rotate_source_days: int | None = None
    alert_emails: tuple[str, ...] = ()
    log_retention_days: int = 30
    run_records_days: int = 400
    replaced_objects_days: int = 30
    network: NetworkSettings | None = field(default_factory=NetworkSettings)
    new_source: SourceSettings | None = None
    replication: ReplicationSettings | None = None
    late_seconds: int = 900
    warehouse: WarehouseSettings | None = None
    dashboards: DashboardSettings = field(default_factory=DashboardSettings)
    jobs: JobSettings = field(default_factory=JobSettings)
    runs: RunSettings = field(default_factory=RunSettings)
    simulated_shop: bool = False
    shop_every_minutes: int = 0
    on_loopback: bool = False

    @property
    def has_shop_schedule(self) -> bool:
        """Whether the simulated shop lives on by itself."""
        return self.simulated_shop and self.shop_every_minutes > 0

    @property
    def left_out(self) -> frozenset[FunctionName | RoleName]:
        """The functions and roles that such an environment does without."""
        out: set[FunctionName | RoleName] = set()
        if not self.simulated_shop:
            out |= {FunctionName.SHOP, RoleName.SHOP_FUNCTION}
        if not self.has_shop_schedule:
            out.add(RoleName.SHOP_SCHEDULER)
        if self.new_source is None:
            out |= {FunctionName.PREPARE_SOURCE, RoleName.SOURCE_PREPARATION}
        return frozenset(out)
