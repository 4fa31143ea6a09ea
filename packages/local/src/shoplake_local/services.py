"""Which services the front has: the one list."""

from collections.abc import Callable
from typing import Any

from shoplake_core.clock import Clock
from shoplake_core.endpoints import AwsEndpoint, WarehouseEndpoint
from shoplake_engines.object_store_engine import ObjectStoreEngine

from shoplake_local.buckets.service import BucketService
from shoplake_local.dms.endpoint_access_aws import EndpointAccess
from shoplake_local.dms.replicator_process import DMS_FOLDER
from shoplake_local.dms.service import DmsService
from shoplake_local.front import Front
from shoplake_local.front_config import FrontConfig
from shoplake_local.glue.service import GlueService
from shoplake_local.identity.identity import Identity
from shoplake_local.identity.object_store_identities import ObjectStoreIdentities
from shoplake_local.identity.sts import StsService
from shoplake_local.jobs.glue_runtime import GlueRuntime
from shoplake_local.jobs.job_process import Endpoints
from shoplake_local.lambda_functions.service import LambdaService
from shoplake_local.moto_services.backends import MotoBackends
from shoplake_local.moto_services.catalogue import MOTO_SERVICES
from shoplake_local.moto_services.roles import IamRoles
from shoplake_local.moto_services.service import MotoService
from shoplake_local.quicksight.service import QuickSightService
from shoplake_local.redshift.service import RedshiftDataService
from shoplake_local.redshift_serverless.service import RedshiftServerlessService
from shoplake_local.scheduler.service import SchedulerService
from shoplake_local.scheduler.targets_aws import CallFailedError
from shoplake_local.secret_rotation.rotations_aws import Rotations
from shoplake_local.secret_rotation.service import SecretsService
from shoplake_local.service import Service
from shoplake_local.stepfunctions.faults import StateError
from shoplake_local.stepfunctions.log_delivery import LogDelivery
from shoplake_local.stepfunctions.logs_service import LogsService
from shoplake_local.stepfunctions.role_clients import RoleClients
from shoplake_local.stepfunctions.service import StepFunctionsService
from shoplake_local.stepfunctions.tasks_aws import AwsTasks

__all__ = ["made_front", "made_services"]


def made_front(config: FrontConfig, *, clock: Clock) -> Front:
    """The front with every service that the configuration allows."""
    config.state_folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    moto = MotoBackends(config.state_folder / "moto.sqlite", account=config.account, region=config.region, clock=clock)
    identity = Identity(
        config.state_folder / "identity.sqlite", IamRoles(moto), account=config.account, region=config.region
    )
    moto.mysql = config.mysql
    moto.on_write = _written(config, identity, clock=clock)
    scheduler = _scheduler(config, moto, clock=clock, identity=identity)
    secrets = SecretsService(moto, Rotations(config.endpoint), clock=clock)
    logs = LogsService(moto)
    acting = {service.service_name: service for service in (scheduler, secrets, logs)}
    played_by_moto = [acting.get(name) or MotoService(name, moto) for name in MOTO_SERVICES]
    buckets = (
        [BucketService(config.state_folder / "buckets.sqlite", config.object_store)] if config.object_store else []
    )
    ours = made_services(config, clock=clock, identity=identity)
    (machines,) = (service for service in ours if isinstance(service, StepFunctionsService))
    logs.deliver = LogDelivery(machines.engine.store, moto).deliver
    front = Front(
        [*buckets, *played_by_moto, *ours],
        secrets={config.access_key_id: config.secret_access_key},
        identity=identity,
        check_answers=config.check_answers,
    )
    identity.tags_of = front.tags_of
    return front


def _written(config: FrontConfig, identity: Identity, *, clock: Clock) -> Callable[[str, str, dict[str, Any]], None]:
    if config.object_store_state is None:
        return identity.written
    store = ObjectStoreEngine(config.object_store_state, region=config.region, clock=clock)
    identities = ObjectStoreIdentities(identity, store.let_in)
    if identity.has_roles():  # the last write may have been cut off before the object store heard of it
        identities.update()

    def written(service: str, operation: str, parameters: dict[str, Any]) -> None:
        identity.written(service, operation, parameters)
        if service == "iam":
            identities.update()

    return written


def made_services(config: FrontConfig, *, clock: Clock, identity: Identity) -> list[Service]:
    """Every service of our own, each with its own files under the state folder.

    Runners of code (jobs, functions, machines) take the keys of its role from `identity.role_credentials`.

    """
    services: list[Service] = [
        StsService(identity, clock=clock),
        GlueService(
            config.state_folder / "glue.sqlite",
            account=config.account,
            region=config.region,
            clock=clock,
            runtime=_glue_runtime(config, clock=clock, identity=identity),
        ),
    ]
    if config.object_store is not None:
        endpoints = _endpoints(config, config.object_store, identity=identity, service="lambda.amazonaws.com")
        services.append(LambdaService(config.state_folder / "lambda", endpoints, clock=clock))
        services.append(_dms(config, config.object_store, clock=clock, identity=identity))
    if config.warehouse is not None and config.object_store is not None:
        services += _warehouse(config, config.warehouse, clock=clock, identity=identity)
    services.append(_step_functions(config, clock=clock, identity=identity))
    path = config.state_folder / "quicksight.sqlite"
    services.append(QuickSightService(path, front=config.endpoint, account=config.account, clock=clock))
    return services


def _scheduler(config: FrontConfig, moto: MotoBackends, *, clock: Clock, identity: Identity) -> SchedulerService:
    keys_of = _keys_for(identity, "scheduler.amazonaws.com")
    clients = RoleClients(config.endpoint, object_store=None, keys_of=keys_of)

    def client_of(service: str, role_arn: str) -> Any:
        try:
            return clients(service, role_arn)
        except StateError as error:
            raise CallFailedError(str(error), again=False) from error

    path = config.state_folder / "schedules.sqlite"
    return SchedulerService(moto, path, client_of=client_of, check_role=keys_of, clock=clock)


def _step_functions(config: FrontConfig, *, clock: Clock, identity: Identity) -> StepFunctionsService:
    keys_of = _keys_for(identity, "states.amazonaws.com")
    clients = RoleClients(config.endpoint, object_store=config.object_store, keys_of=keys_of)
    path = config.state_folder / "stepfunctions.sqlite"
    return StepFunctionsService(path, AwsTasks(clients), account=config.account, region=config.region, clock=clock)


def _dms(config: FrontConfig, object_store: AwsEndpoint, *, clock: Clock, identity: Identity) -> DmsService:
    def keys_of(role_arn: str, service: str) -> tuple[str, str]:
        return _keys_for(identity, service)(role_arn)

    access = EndpointAccess(config.endpoint, object_store, keys_of, clock)
    return DmsService(config.state_folder / DMS_FOLDER, access, account=config.account, clock=clock)


def _warehouse(config: FrontConfig, warehouse: WarehouseEndpoint, *, clock: Clock, identity: Identity) -> list[Service]:
    folder = config.state_folder / "redshift"
    serverless = RedshiftServerlessService(
        folder / "redshift-serverless.sqlite", warehouse, front=config.endpoint, account=config.account, clock=clock
    )
    data = RedshiftDataService(
        warehouse,
        object_store=config.object_store,
        state_folder=folder,
        target_of_workgroup=serverless.target,
        keys_of_role=_keys_for(identity, "redshift.amazonaws.com"),
        clock=clock,
    )
    return [data, serverless]  # closed in this order: a statement under way asks what its workgroup is


def _glue_runtime(config: FrontConfig, *, clock: Clock, identity: Identity) -> GlueRuntime | None:
    if config.object_store is None:
        return None
    endpoints = _endpoints(config, config.object_store, identity=identity, service="glue.amazonaws.com")
    return GlueRuntime(config.state_folder / "glue", endpoints, inherited=config.job_variables, clock=clock)


def _endpoints(config: FrontConfig, object_store: AwsEndpoint, *, identity: Identity, service: str) -> Endpoints:
    return Endpoints(
        front=config.endpoint,
        object_store=object_store,
        account=config.account,
        credentials_of=_keys_for(identity, service),
    )


def _keys_for(identity: Identity, service: str) -> Callable[[str], tuple[str, str]]:
    """A role's ARN -> the key pair that the service signs with for it."""

    def keys_of(role_arn: str) -> tuple[str, str]:
        pair = identity.role_credentials(role_arn, service=service)
        return pair.access_key_id, pair.secret_access_key

    return keys_of
