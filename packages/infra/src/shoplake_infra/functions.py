"""The Lambda functions of an environment: code, role, place, and what each is told."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from shoplake_core.names import FunctionName, ResourceNames, RoleName

from shoplake_infra.resource import Resource
from shoplake_infra.resources.function import Code, Invoker, Place, function
from shoplake_infra.resources.log_group import log_group
from shoplake_infra.shipped_code import ShippedCode

__all__ = ["FunctionParts", "desired_functions", "function_log_groups", "handler_path", "role_of"]

_LONGEST = 900  # seconds; Lambda's own limit

# memory in MB (it buys processor time alike), seconds
_SIZES: Mapping[FunctionName, tuple[int, int]] = {
    FunctionName.RUN_LOCK: (512, 300),  # it records the run in a warehouse that may have to wake up
    FunctionName.SOURCE_MARKER: (512, 120),
    FunctionName.BRONZE_STATE: (1024, 300),
    FunctionName.SOURCE_READING: (3008, _LONGEST),  # every row of the source goes through it
    FunctionName.WAREHOUSE_LOADS: (512, _LONGEST),  # waits for a warehouse that wakes up
    FunctionName.SOURCE_DOCTOR: (512, 120),
    FunctionName.PREPARE_SOURCE: (512, 50),  # whoever invokes it waits 60 s for the answer
    FunctionName.ROTATE_SOURCE_SECRET: (256, 120),
    FunctionName.SHOP: (1024, _LONGEST),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class FunctionParts:
    """The resources that functions need.

    Attributes:
        code: Their zip and the project's bundle.
        roles: Every role by name.
        subnets: Where those that talk to MySQL stand; none puts them outside of any network, for a server on loopback.
        security_groups: What those are members of.

    """

    code: ShippedCode
    roles: Mapping[RoleName, Resource]
    subnets: tuple[Resource, ...] = ()
    security_groups: tuple[Resource, ...] = ()


def role_of(name: FunctionName) -> RoleName:
    """The role that the function acts as: who reads MySQL's secret does nothing to the lake, and the other way round."""
    own = {FunctionName.SHOP: RoleName.SHOP_FUNCTION, FunctionName.PREPARE_SOURCE: RoleName.SOURCE_PREPARATION}
    if name in own:
        return own[name]
    return RoleName.SOURCE_FUNCTION if name.in_vpc else RoleName.CONTROL_FUNCTION


def desired_functions(
    names: ResourceNames, wanted: Iterable[FunctionName], *, parts: FunctionParts, tags: Mapping[str, str]
) -> dict[FunctionName, Resource]:
    """The wanted functions by name; their log groups are `function_log_groups`."""
    variables = {
        "SHOPLAKE_ENVIRONMENT": names.environment,
        "SHOPLAKE_ACCOUNT": names.account,
        "SHOPLAKE_REGION": names.region,
        "SHOPLAKE_PROJECT": parts.code.project_bundle.url,
    }
    zipped, bundle = parts.code.function_zip, parts.code.project_bundle
    made: dict[FunctionName, Resource] = {}
    for name in wanted:
        memory_mb, seconds = _SIZES[name]
        inside = name.in_vpc
        made[name] = function(
            names.function(name),
            code=Code(bucket=zipped.bucket, key=zipped.key, sha256=zipped.sha256_base64, handler=handler_path(name)),
            role=parts.roles[role_of(name)],
            variables=variables,
            tags=tags,
            place=Place(
                memory_mb=memory_mb,
                timeout_seconds=seconds,
                subnets=parts.subnets if inside else (),
                security_groups=parts.security_groups if inside else (),
            ),
            invoked_by=_invokers(names, name),
            # a function that writes before its log group is there makes one that is kept for ever
            depends_on=(zipped.address, bundle.address, f"log_group {_log_group_name(names, name)}"),
        )
    return made


def handler_path(name: FunctionName) -> str:
    """Where Lambda finds the function's handler."""
    module = "shoplake_datagen.handler" if name is FunctionName.SHOP else "shoplake_functions.handlers"
    return f"{module}.{name.value}"


def function_log_groups(
    names: ResourceNames, wanted: Iterable[FunctionName], *, retention_days: int, tags: Mapping[str, str]
) -> tuple[Resource, ...]:
    """The log group of each wanted function."""
    return tuple(log_group(_log_group_name(names, name), retention_days=retention_days, tags=tags) for name in wanted)


def _log_group_name(names: ResourceNames, name: FunctionName) -> str:
    return f"/aws/lambda/{names.function(name)}"


def _invokers(names: ResourceNames, name: FunctionName) -> tuple[Invoker, ...] | None:
    if name is not FunctionName.ROTATE_SOURCE_SECRET:
        return None
    secret = names.arn("secretsmanager", f"secret:{names.source_secret}-??????")  # AWS adds six characters
    return (Invoker(service="secretsmanager.amazonaws.com", account=names.account, arn=secret),)
