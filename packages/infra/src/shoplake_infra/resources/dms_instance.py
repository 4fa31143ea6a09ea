"""DMS replication instances: the machine that tasks run on."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from shoplake_core.errors import ResourceError

from shoplake_infra.aws import Aws
from shoplake_infra.diff import Change, touches
from shoplake_infra.dms_calls import add_tags, dms_described, tags_of
from shoplake_infra.handler import Handler, Observed
from shoplake_infra.members import member_refs, named_members
from shoplake_infra.resource import Ref, Resource
from shoplake_infra.resting import AVAILABLE, DELETING, come_to_rest, made_again, stay_at_rest
from shoplake_infra.tags import tag_list

__all__ = ["HANDLER", "DmsInstanceHandler", "ReplicationMachine", "dms_instance"]

_BROKEN = ("failed", "incompatible-", "inaccessible-", "insufficient-", "storage-full")


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplicationMachine:
    """How large it is.

    Attributes:
        class_name: Such as "dms.t3.medium".
        storage_gib: For logs, and for changes that wait while a table is loaded.
        multi_az: Whether a second one stands ready in another zone.
        engine_version: Such as "3.6.1"; "" for AWS's newest, kept up to date by AWS.

    """

    class_name: str = "dms.t3.medium"
    storage_gib: int = 50
    multi_az: bool = False
    engine_version: str = ""


def dms_instance(
    name: str,
    *,
    machine: ReplicationMachine,
    subnet_group: Resource,
    security_groups: tuple[Resource, ...],
    key: Resource,
    tags: Mapping[str, str],
) -> Resource:
    """An instance without public address, its storage encrypted with the key."""
    return Resource(
        kind="dms_instance",
        name=name,
        tags=tags,
        depends_on=(subnet_group.address,),
        properties={
            "class": machine.class_name,
            "storage_gib": machine.storage_gib,
            "multi_az": machine.multi_az,
            "engine_version": machine.engine_version,
            "minor_upgrades": not machine.engine_version,
            "subnet_group": subnet_group.name,
            "security_groups": member_refs(security_groups),
            "kms_key": Ref(key, "arn"),
            "public": False,
            "state": AVAILABLE,
        },
    )


class DmsInstanceHandler(Handler):
    """All calls for replication instances."""

    kind = "dms_instance"
    replaced_for = frozenset({"kms_key", "public", "subnet_group"})
    timeout_seconds = 3600.0

    def observe(self, aws: Aws, resource: Resource) -> Observed | None:
        """The instance; its version only where one is wanted."""
        found, wanted = _described(aws, resource), resource.properties
        if found is None:
            return None
        arn, state = found["ReplicationInstanceArn"], found["ReplicationInstanceStatus"]
        groups = [group["VpcSecurityGroupId"] for group in found.get("VpcSecurityGroups", [])]
        return Observed(
            properties={
                "class": found["ReplicationInstanceClass"],
                "storage_gib": found["AllocatedStorage"],
                "multi_az": found["MultiAZ"],
                "engine_version": found.get("EngineVersion", "") if wanted["engine_version"] else "",
                "minor_upgrades": found["AutoMinorVersionUpgrade"],
                "subnet_group": found["ReplicationSubnetGroup"]["ReplicationSubnetGroupIdentifier"],
                "security_groups": named_members(groups, wanted["security_groups"]),
                "kms_key": found.get("KmsKeyId", ""),
                "public": found["PubliclyAccessible"],
                "state": state,
            },
            tags=resource.tags if state == DELETING else tags_of(aws, arn),
            attributes={"arn": arn, "name": resource.name},
        )

    def create(self, aws: Aws, resource: Resource) -> None:
        """The instance with its tags."""
        wanted = resource.properties
        parameters: dict[str, Any] = {}
        for make in _PARAMETERS.values():
            parameters |= make(wanted)
        aws.client("dms").create_replication_instance(
            ReplicationInstanceIdentifier=resource.name,
            ReplicationSubnetGroupIdentifier=wanted["subnet_group"],
            KmsKeyId=wanted["kms_key"],
            PubliclyAccessible=wanted["public"],
            Tags=tag_list(resource.tags),
            **parameters,
        )

    def update(self, aws: Aws, resource: Resource, observed: Observed, changes: tuple[Change, ...]) -> None:
        """Set what differs at once: the tasks on it pause for minutes where its size changes."""
        if made_again(self, aws, resource, observed):
            return
        if touches(changes, "state"):
            come_to_rest(self, aws, resource)
        modified: dict[str, Any] = {}
        for name, make in _PARAMETERS.items():
            modified |= make(resource.properties) if touches(changes, name) else {}
        arn = observed.attributes["arn"]
        if modified:
            aws.client("dms").modify_replication_instance(ReplicationInstanceArn=arn, ApplyImmediately=True, **modified)
            stay_at_rest(self, aws, resource)
        if touches(changes, "tags"):
            add_tags(aws, resource, arn)

    def delete(self, aws: Aws, resource: Resource, observed: Observed) -> None:  # noqa: ARG002 - the port's signature
        """Delete it; AWS refuses while it has tasks."""
        if observed.properties["state"] != DELETING:
            aws.client("dms").delete_replication_instance(ReplicationInstanceArn=observed.attributes["arn"])

    def settled(self, aws: Aws, resource: Resource) -> bool:
        """Whether it is available and nothing waits to be changed.

        Raises:
            ResourceError: It has failed.

        """
        found = _described(aws, resource)
        if found is None:
            return False
        status = found["ReplicationInstanceStatus"]
        if status.startswith(_BROKEN):
            raise ResourceError(
                f'{resource.address} is "{status}"',
                hint="its events in the DMS console say why; remove the cause and apply again",
                address=resource.address,
            )
        return status == AVAILABLE and not found.get("PendingModifiedValues")


def _described(aws: Aws, resource: Resource) -> Mapping[str, Any] | None:
    describe = aws.client("dms").describe_replication_instances
    return dms_described(describe, "ReplicationInstances", "replication-instance-id", resource.name)


# what can be changed -> how both the creating and the modifying call name it
_PARAMETERS: Mapping[str, Callable[[Mapping[str, Any]], dict[str, Any]]] = {
    "class": lambda wanted: {"ReplicationInstanceClass": wanted["class"]},
    "storage_gib": lambda wanted: {"AllocatedStorage": wanted["storage_gib"]},
    "multi_az": lambda wanted: {"MultiAZ": wanted["multi_az"]},
    "engine_version": lambda wanted: {"EngineVersion": wanted["engine_version"]} if wanted["engine_version"] else {},
    "minor_upgrades": lambda wanted: {"AutoMinorVersionUpgrade": wanted["minor_upgrades"]},
    "security_groups": lambda wanted: {"VpcSecurityGroupIds": sorted(wanted["security_groups"].values())},
}

HANDLER = DmsInstanceHandler()
