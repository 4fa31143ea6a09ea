"""Which services the front has: the one list."""

from shoplake_core.clock import Clock

from shoplake_local.front_config import FrontConfig
from shoplake_local.glue.service import GlueService
from shoplake_local.redshift.service import RedshiftDataService
from shoplake_local.service import Service

__all__ = ["made_services"]


def made_services(config: FrontConfig, *, clock: Clock) -> list[Service]:
    """Every service that the configuration allows, each with its own files under the state folder."""
    config.state_folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    services: list[Service] = [
        GlueService(config.state_folder / "glue.sqlite", account=config.account, region=config.region, clock=clock)
    ]
    if config.warehouse is not None and config.object_store is not None:
        services.append(
            RedshiftDataService(
                config.warehouse,
                object_store=config.object_store,
                state_folder=config.state_folder / "redshift",
                clock=clock,
            )
        )
    return services
