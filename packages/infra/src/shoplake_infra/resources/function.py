"""Lambda functions whose code lies in a bucket under a key that changes with it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError
from shoplake_core.errors import ResourceError

from shoplake_infra.aws import Aws, error_code, or_none
from shoplake_infra.diff import Change, touches
from shoplake_infra.handler import Handler, Observed
from shoplake_infra.resource import Ref, Resource
from shoplake_infra.waiting import wait_until

__all__ = ["HANDLER", "Code", "FunctionHandler", "Place", "function"]

_RUNTIME = "python3.13"
_ROLE_IS_NEW_SECONDS = 60.0  # a role can be taken some seconds after it was made
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


def function(
    name: str,
    *,
    code: Code,
    role: Resource,
    variables: Mapping[str, str],
    tags: Mapping[str, str],
    place: Place | None = None,
    depends_on: tuple[str, ...] = (),
) -> Resource:
    """A function; `variables` are readable by whoever may describe it, so no secret belongs there."""
    where = place or Place()
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
        },
    )


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
        return Observed(
            properties={
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
        """The function with its tags; a role that is not known everywhere yet is waited for."""
        client = aws.client("lambda")
        wanted = resource.properties
        refusal: list[ClientError] = []

        def made() -> bool:
            try:
                client.create_function(
                    FunctionName=resource.name,
                    Code={"S3Bucket": wanted["code"]["bucket"], "S3Key": wanted["code"]["key"]},
                    Tags=dict(resource.tags),
                    **_configuration(resource),
                )
            except ClientError as error:
                if error_code(error) != "InvalidParameterValueException" or "cannot be assumed" not in str(error):
                    raise
                refusal.append(error)
                return False
            return True

        try:
            wait_until(
                made,
                clock=aws.clock,
                timeout_seconds=_ROLE_IS_NEW_SECONDS,
                address=resource.address,
                what="get its role taken by Lambda",
            )
        except ResourceError as error:
            raise error from (refusal[-1] if refusal else None)

    def update(self, aws: Aws, resource: Resource, observed: Observed, changes: tuple[Change, ...]) -> None:
        """Set what differs, configuration before code: new code may need new variables."""
        client, wanted = aws.client("lambda"), resource.properties
        if touches(changes, *(set(wanted) - {"code"})):
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
