"""Lambda functions whose code lies in a bucket under a key that changes with it."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from shoplake_core.errors import ResourceError

from shoplake_infra.aws import Aws, or_none
from shoplake_infra.diff import Change, touches
from shoplake_infra.handler import Handler, Observed
from shoplake_infra.new_roles import once_role_is_known
from shoplake_infra.resource import Ref, Resource
from shoplake_infra.waiting import wait_until

__all__ = ["HANDLER", "Code", "FunctionHandler", "Invoker", "Place", "function"]

_RUNTIME = "python3.13"
_WAITING = frozenset({"Pending", "InProgress"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Code:
    """A zip in a bucket, its SHA-256 as base64 (as Lambda tells it), and the handler in it."""

    bucket: str
    key: str
    sha256: str
    handler: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """How much memory and time a function has, and the subnets it runs in; none outside of a VPC."""

    memory_mb: int = 512
    timeout_seconds: int = 60
    subnets: tuple[Resource, ...] = ()
    security_groups: tuple[Resource, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Invoker:
    """A service that may call the function for what has this ARN (`*` and `?` allowed) in this account."""

    service: str
    account: str
    arn: str


def function(  # noqa: PLR0913 - one function's settings
    name: str,
    *,
    code: Code,
    role: Resource,
    variables: Mapping[str, str],
    tags: Mapping[str, str],
    place: Place | None = None,
    invoked_by: tuple[Invoker, ...] | None = None,
    depends_on: tuple[str, ...] = (),
) -> Resource:
    """A function; `variables` are readable by whoever may describe it, so no secret belongs there.

    `invoked_by` is for services that call it by themselves; callers with a role need none. None leaves it as it is.
    """
    where = place or Place()
    callers = {} if invoked_by is None else {"invoked_by": {_statement_id(one): asdict(one) for one in invoked_by}}
    return Resource(
        kind="function",
        name=name,
        tags=tags,
        depends_on=depends_on,
        properties={
            "code": {"sha256": code.sha256, "bucket": code.bucket, "key": code.key},
            "handler": code.handler,
            "runtime": _RUNTIME,
            "role_arn": Ref(role, "arn"),
            "variables": dict(variables),
            "memory_mb": where.memory_mb,
            "timeout_seconds": where.timeout_seconds,
            "subnets": {subnet.name: Ref(subnet, "id") for subnet in where.subnets},
            "security_groups": {group.name: Ref(group, "id") for group in where.security_groups},
            **callers,
        },
    )


def _statement_id(invoker: Invoker) -> str:
    return invoker.service.partition(".")[0]


class FunctionHandler(Handler):
    """All calls for functions."""

    kind = "function"

    def observe(self, aws: Aws, resource: Resource) -> Observed | None:
        """The function; where its code was copied from Lambda does not tell, only what it is."""
        answer = or_none(aws.client("lambda").get_function, {"ResourceNotFoundException"}, FunctionName=resource.name)
        if answer is None:
            return None
        found, wanted = answer["Configuration"], resource.properties
        same_code = found["CodeSha256"] == wanted["code"]["sha256"]
        network = found.get("VpcConfig", {})
        callers = {"invoked_by": _invoked_by(aws, resource)} if "invoked_by" in wanted else {}
        return Observed(
            properties={
                **callers,
                "code": wanted["code"] if same_code else {"sha256": found["CodeSha256"]},
                "handler": found["Handler"],
                "runtime": found["Runtime"],
                "role_arn": found["Role"],
                "variables": found.get("Environment", {}).get("Variables", {}),
                "memory_mb": found["MemorySize"],
                "timeout_seconds": found["Timeout"],
                "subnets": _named(network.get("SubnetIds", []), wanted["subnets"]),
                "security_groups": _named(network.get("SecurityGroupIds", []), wanted["security_groups"]),
            },
            tags=answer.get("Tags", {}),
            attributes={"arn": found["FunctionArn"], "name": resource.name},
        )

    def create(self, aws: Aws, resource: Resource) -> None:
        """The function with its tags, then who may call it; a role that is not known everywhere yet is waited for."""
        client, wanted = aws.client("lambda"), resource.properties
        once_role_is_known(
            aws,
            resource,
            lambda: client.create_function(
                FunctionName=resource.name,
                Code={"S3Bucket": wanted["code"]["bucket"], "S3Key": wanted["code"]["key"]},
                Tags=dict(resource.tags),
                **_configuration(resource),
            ),
            code="InvalidParameterValueException",
            words="cannot be assumed",
        )
        _write_invokers(aws, resource, {})

    def update(self, aws: Aws, resource: Resource, observed: Observed, changes: tuple[Change, ...]) -> None:
        """Set what differs, configuration before code: new code may need new variables."""
        client, wanted = aws.client("lambda"), resource.properties
        if touches(changes, *(set(wanted) - {"code", "invoked_by"})):
            client.update_function_configuration(FunctionName=resource.name, **_configuration(resource))
            wait_until(
                lambda: self.settled(aws, resource),
                clock=aws.clock,
                timeout_seconds=self.timeout_seconds,
                address=resource.address,
                what="take its configuration",
            )
        if touches(changes, "code"):
            client.update_function_code(
                FunctionName=resource.name, S3Bucket=wanted["code"]["bucket"], S3Key=wanted["code"]["key"]
            )
        if touches(changes, "invoked_by"):
            _write_invokers(aws, resource, observed.properties["invoked_by"])
        if touches(changes, "tags"):
            client.tag_resource(Resource=observed.attributes["arn"], Tags=dict(resource.tags))

    def delete(self, aws: Aws, resource: Resource, observed: Observed) -> None:  # noqa: ARG002 - the port's signature
        """Delete it; its log group stays with its own resource."""
        aws.client("lambda").delete_function(FunctionName=resource.name)

    def settled(self, aws: Aws, resource: Resource) -> bool:
        """Whether neither its creation nor a change is still under way.

        Raises:
            ResourceError: Lambda gave up.

        """
        found = aws.client("lambda").get_function_configuration(FunctionName=resource.name)
        states = {found.get("State", "Active"), found.get("LastUpdateStatus", "Successful")}
        if "Failed" in states:
            reason = found.get("StateReason") or found.get("LastUpdateStatusReason") or "no reason given"
            raise ResourceError(
                f"{resource.address} failed: {reason}",
                hint="remove the cause and apply again",
                address=resource.address,
            )
        return not states & _WAITING


def _invoked_by(aws: Aws, resource: Resource) -> dict[str, dict[str, Any]]:
    answer = or_none(aws.client("lambda").get_policy, {"ResourceNotFoundException"}, FunctionName=resource.name)
    found: dict[str, dict[str, Any]] = {}
    for statement in json.loads(answer["Policy"])["Statement"] if answer else ():
        condition = statement.get("Condition", {})
        principal = statement["Principal"]
        found[statement["Sid"]] = {
            "service": principal.get("Service", "") if isinstance(principal, dict) else principal,
            "account": condition.get("StringEquals", {}).get("AWS:SourceAccount", ""),
            "arn": condition.get("ArnLike", {}).get("AWS:SourceArn", ""),
        }
    return found


def _write_invokers(aws: Aws, resource: Resource, observed: Mapping[str, Any]) -> None:
    client, wanted = aws.client("lambda"), resource.properties.get("invoked_by", {})
    for name in sorted(observed):
        if observed[name] != wanted.get(name):
            client.remove_permission(FunctionName=resource.name, StatementId=name)
    for name, invoker in wanted.items():
        if observed.get(name) != invoker:
            client.add_permission(
                FunctionName=resource.name,
                StatementId=name,
                Action="lambda:InvokeFunction",
                Principal=invoker["service"],
                SourceAccount=invoker["account"],
                SourceArn=invoker["arn"],
            )


def _named(ids: list[str], wanted: Mapping[str, str]) -> dict[str, str]:
    names = {member_id: name for name, member_id in wanted.items()}
    return {names.get(member_id, member_id): member_id for member_id in ids}


def _configuration(resource: Resource) -> dict[str, Any]:
    wanted = resource.properties
    return {
        "Handler": wanted["handler"],
        "Runtime": wanted["runtime"],
        "Role": wanted["role_arn"],
        "Environment": {"Variables": wanted["variables"]},
        "MemorySize": wanted["memory_mb"],
        "Timeout": wanted["timeout_seconds"],
        "VpcConfig": {
            "SubnetIds": sorted(wanted["subnets"].values()),
            "SecurityGroupIds": sorted(wanted["security_groups"].values()),
        },
    }


HANDLER = FunctionHandler()
