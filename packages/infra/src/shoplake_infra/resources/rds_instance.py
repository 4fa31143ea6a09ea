"""RDS database instances: private, encrypted, with backups, the master's password kept by Secrets Manager."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from shoplake_core.errors import ResourceError

from shoplake_infra.aws import Aws
from shoplake_infra.described import described
from shoplake_infra.diff import Change, touches
from shoplake_infra.handler import Handler, Observed
from shoplake_infra.members import member_refs, named_members
from shoplake_infra.resource import Ref, Resource
from shoplake_infra.resting import AVAILABLE, DELETING, come_to_rest, made_again, stay_at_rest
from shoplake_infra.tags import tag_list, tag_mapping

__all__ = ["HANDLER", "InstancePlace", "InstanceShape", "RdsInstanceHandler", "rds_instance"]

_ABSENT = frozenset({"DBInstanceNotFound", "DBInstanceNotFoundFault"})
_STOPPED = frozenset({"stopped"})
# it answers queries and takes changes in these too: https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/accessing-monitoring.html
_USABLE = frozenset(
    {
        AVAILABLE,
        "backing-up",
        "configuring-enhanced-monitoring",
        "configuring-iam-database-auth",
        "configuring-log-exports",
        "storage-config-upgrade",
        "storage-initialization",
        "storage-optimization",
    }
)
_BROKEN = ("failed", "incompatible-", "inaccessible-", "insufficient-capacity", "restore-error", "storage-full")


@dataclass(frozen=True, slots=True, kw_only=True)
class InstanceShape:
    """How large the server is and how it is kept.

    Attributes:
        class_name: Such as "db.t4g.medium".
        engine_version: Major and minor, such as "8.4": RDS takes and keeps the newest release of it.
        storage_gib: At the beginning.
        most_storage_gib: RDS adds storage by itself up to here.
        multi_az: Whether a second server stands ready in another zone.
        backup_days: From 1 to 35; without backups RDS writes no binlog.
        deletion_protection: Whether a deletion by hand is refused.

    """

    class_name: str = "db.t4g.medium"
    engine_version: str = "8.4"
    storage_gib: int = 50
    most_storage_gib: int = 500
    multi_az: bool = False
    backup_days: int = 7
    deletion_protection: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class InstancePlace:
    """Where it stands and who reaches it."""

    subnet_group: Resource
    security_groups: tuple[Resource, ...]
    parameter_group: Resource


def rds_instance(
    name: str, *, shape: InstanceShape, place: InstancePlace, master_user: str, key: Resource, tags: Mapping[str, str]
) -> Resource:
    """A MySQL server; it holds data."""
    return Resource(
        kind="rds_instance",
        name=name,
        tags=tags,
        holds_data=True,
        depends_on=(place.subnet_group.address, place.parameter_group.address),
        properties={
            "engine": "mysql",
            "engine_version": shape.engine_version,
            "class": shape.class_name,
            "storage": {"type": "gp3", "from_gib": shape.storage_gib, "to_gib": shape.most_storage_gib},
            "multi_az": shape.multi_az,
            "backup_days": shape.backup_days,
            "deletion_protection": shape.deletion_protection,
            "master_user": master_user,
            "master_password": "kept by Secrets Manager",
            "kms_key": Ref(key, "arn"),
            "public": False,
            "subnet_group": place.subnet_group.name,
            "security_groups": member_refs(place.security_groups),
            "parameter_group": place.parameter_group.name,
            "logs": ["error", "slowquery"],
            "state": AVAILABLE,
        },
    )


class RdsInstanceHandler(Handler):
    """All calls for database instances."""

    kind = "rds_instance"
    replaced_for = frozenset({"engine", "master_user", "kms_key", "subnet_group"})
    timeout_seconds = 3600.0

    def observe(self, aws: Aws, resource: Resource) -> Observed | None:
        """The instance; a newer release of the wanted version, or storage that RDS added itself, is no difference."""
        found = _described(aws, resource)
        if found is None:
            return None
        wanted = resource.properties
        version, endpoint = found["EngineVersion"], found.get("Endpoint", {})
        same_release = f"{version}.".startswith(f"{wanted['engine_version']}.")
        from_gib = wanted["storage"]["from_gib"]
        groups = [group["VpcSecurityGroupId"] for group in found["VpcSecurityGroups"]]
        return Observed(
            properties={
                "engine": found["Engine"],
                "engine_version": wanted["engine_version"] if same_release else version,
                "class": found["DBInstanceClass"],
                "storage": {
                    "type": found["StorageType"],
                    "from_gib": min(from_gib, found["AllocatedStorage"]),
                    "to_gib": found.get("MaxAllocatedStorage", found["AllocatedStorage"]),
                },
                "multi_az": found["MultiAZ"],
                "backup_days": found["BackupRetentionPeriod"],
                "deletion_protection": found["DeletionProtection"],
                "master_user": found["MasterUsername"],
                "master_password": wanted["master_password"] if found.get("MasterUserSecret") else "set by somebody",
                "kms_key": found.get("KmsKeyId", "not encrypted") if found["StorageEncrypted"] else "not encrypted",
                "public": found["PubliclyAccessible"],
                "subnet_group": found["DBSubnetGroup"]["DBSubnetGroupName"],
                "security_groups": named_members(groups, wanted["security_groups"]),
                "parameter_group": found["DBParameterGroups"][0]["DBParameterGroupName"],
                "logs": sorted(found.get("EnabledCloudwatchLogsExports", [])),
                "state": _state(found),
            },
            tags=tag_mapping(found.get("TagList", [])),
            attributes={
                "arn": found["DBInstanceArn"],
                "name": resource.name,
                "host": str(endpoint.get("Address", "")),  # not known until it is made
                "port": str(endpoint.get("Port", "")),
                "master_secret": str(found.get("MasterUserSecret", {}).get("SecretArn", "")),
            },
        )

    def create(self, aws: Aws, resource: Resource) -> None:
        """The instance with its tags."""
        wanted = resource.properties
        parameters: dict[str, Any] = {}
        for make in _PARAMETERS.values():
            parameters |= make(wanted)
        aws.client("rds").create_db_instance(
            DBInstanceIdentifier=resource.name,
            Engine=wanted["engine"],
            MasterUsername=wanted["master_user"],
            StorageEncrypted=True,
            KmsKeyId=wanted["kms_key"],
            DBSubnetGroupName=wanted["subnet_group"],
            EnableCloudwatchLogsExports=wanted["logs"],
            AutoMinorVersionUpgrade=True,
            CopyTagsToSnapshot=True,
            Tags=tag_list(resource.tags),
            **parameters,
        )

    def update(self, aws: Aws, resource: Resource, observed: Observed, changes: tuple[Change, ...]) -> None:
        """Start it where it was stopped, then set what differs, at once and not in the maintenance window."""
        if made_again(self, aws, resource, observed):
            return
        rds, wanted = aws.client("rds"), resource.properties
        if observed.properties["state"] in _STOPPED:
            rds.start_db_instance(DBInstanceIdentifier=resource.name)
        if touches(changes, "state"):
            come_to_rest(self, aws, resource)
        modified: dict[str, Any] = {}
        for name, make in _PARAMETERS.items():
            modified |= make(wanted) if touches(changes, name) else {}
        if observed.properties["storage"]["from_gib"] == wanted["storage"]["from_gib"]:
            modified.pop("AllocatedStorage", None)  # RDS may have added some, and takes none away
        if touches(changes, "logs"):
            there = set(observed.properties["logs"])
            modified["CloudwatchLogsExportConfiguration"] = {
                "EnableLogTypes": sorted(set(wanted["logs"]) - there),
                "DisableLogTypes": sorted(there - set(wanted["logs"])),
            }
        if modified:
            rds.modify_db_instance(DBInstanceIdentifier=resource.name, ApplyImmediately=True, **modified)
            stay_at_rest(self, aws, resource)
        if touches(changes, "tags"):
            rds.add_tags_to_resource(ResourceName=observed.attributes["arn"], Tags=tag_list(resource.tags))

    def delete(self, aws: Aws, resource: Resource, observed: Observed) -> None:
        """Delete it with its data and backups: that was asked for, so its protection is taken away first."""
        rds = aws.client("rds")
        if observed.properties["state"] == DELETING:
            return
        if observed.properties["deletion_protection"]:
            rds.modify_db_instance(DBInstanceIdentifier=resource.name, DeletionProtection=False, ApplyImmediately=True)
        rds.delete_db_instance(DBInstanceIdentifier=resource.name, SkipFinalSnapshot=True, DeleteAutomatedBackups=True)

    def settled(self, aws: Aws, resource: Resource) -> bool:
        """Whether it is available and nothing waits to be changed.

        Raises:
            ResourceError: It has failed.

        """
        found = _described(aws, resource)
        if found is None:
            return False
        status = found["DBInstanceStatus"]
        if status.startswith(_BROKEN):
            raise ResourceError(
                f'{resource.address} is "{status}"',
                hint="its events in the RDS console say why; remove the cause and apply again",
                address=resource.address,
            )
        return status in _USABLE and not found.get("PendingModifiedValues")


def _described(aws: Aws, resource: Resource) -> Mapping[str, Any] | None:
    describe = aws.client("rds").describe_db_instances
    return described(describe, "DBInstances", _ABSENT, DBInstanceIdentifier=resource.name)


def _state(found: Mapping[str, Any]) -> str:
    status = str(found["DBInstanceStatus"])
    return AVAILABLE if status in _USABLE else status


# what can be changed -> how both the creating and the modifying call name it
_PARAMETERS: Mapping[str, Callable[[Mapping[str, Any]], dict[str, Any]]] = {
    "engine_version": lambda wanted: {"EngineVersion": wanted["engine_version"]},
    "class": lambda wanted: {"DBInstanceClass": wanted["class"]},
    "storage": lambda wanted: {
        "StorageType": wanted["storage"]["type"],
        "AllocatedStorage": wanted["storage"]["from_gib"],
        "MaxAllocatedStorage": wanted["storage"]["to_gib"],
    },
    "multi_az": lambda wanted: {"MultiAZ": wanted["multi_az"]},
    "backup_days": lambda wanted: {"BackupRetentionPeriod": wanted["backup_days"]},
    "deletion_protection": lambda wanted: {"DeletionProtection": wanted["deletion_protection"]},
    "master_password": lambda wanted: {
        "ManageMasterUserPassword": True,
        "MasterUserSecretKmsKeyId": wanted["kms_key"],
    },
    "public": lambda wanted: {"PubliclyAccessible": wanted["public"]},
    "security_groups": lambda wanted: {"VpcSecurityGroupIds": sorted(wanted["security_groups"].values())},
    "parameter_group": lambda wanted: {"DBParameterGroupName": wanted["parameter_group"]},
}

HANDLER = RdsInstanceHandler()
