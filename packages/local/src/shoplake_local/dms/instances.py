"""Replication subnet groups and instances: stored and shown. On a laptop every task runs beside its front."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from shoplake_local.dms.faults import access_denied, invalid, invalid_state, not_found
from shoplake_local.dms.pages import filtered, page
from shoplake_local.dms.registry import Kind, Registry, shown
from shoplake_local.dms.tags import TagOperations
from shoplake_local.jobs.operations import Operation
from shoplake_local.service import ServiceError, refuse_unsupported

__all__ = ["InstanceOperations", "Subnet"]

_GROUP, _INSTANCE = Kind.SUBNET_GROUP, Kind.INSTANCE
_VPC_ROLE = "dms-vpc-role"
_FEWEST_ZONES = 2
_GROUP_ID = "ReplicationSubnetGroupIdentifier"
_DEFAULTS = {
    "AllocatedStorage": 50,
    "MultiAZ": False,
    "EngineVersion": "3.6.1",
    "AutoMinorVersionUpgrade": True,
    "PubliclyAccessible": True,
    "PreferredMaintenanceWindow": "sun:06:00-sun:14:00",
    "NetworkType": "IPV4",
}
_SETTINGS = frozenset({*_DEFAULTS, "ReplicationInstanceIdentifier", "ReplicationInstanceClass", "AvailabilityZone"})


@dataclass(frozen=True, slots=True)
class Subnet:
    """A subnet of the account, as EC2 has it."""

    subnet_id: str
    vpc_id: str
    zone: str


@dataclass(frozen=True, slots=True)
class InstanceOperations:
    """Where replication runs.

    Attributes:
        registry: The resources.
        tags: Their tags.
        subnets_of: Subnet ids -> those of them that there are.
        trusts_dms: Whether a role (by name) is there and trusts dms.amazonaws.com.

    """

    registry: Registry
    tags: TagOperations
    subnets_of: Callable[[list[str]], list[Subnet]]
    trusts_dms: Callable[[str], bool]

    def operations(self) -> dict[str, Operation]:
        """By their names on AWS."""
        return {
            "CreateReplicationSubnetGroup": self._create_group,
            "ModifyReplicationSubnetGroup": self._modify_group,
            "DeleteReplicationSubnetGroup": self._delete_group,
            "DescribeReplicationSubnetGroups": self._describe_groups,
            "CreateReplicationInstance": self._create,
            "ModifyReplicationInstance": self._modify,
            "DeleteReplicationInstance": self._delete,
            "DescribeReplicationInstances": self._describe,
        }

    def _create_group(self, parameters: dict[str, Any]) -> dict[str, Any]:
        place = self._place(parameters["SubnetIds"])
        name = parameters[_GROUP_ID].lower()
        with self.registry.transaction():
            if name == "default":
                raise invalid('A subnet group may not be called "default".')
            group = {
                "_Arn": self.registry.new_arn(_GROUP, self.registry.checked_identifier(_GROUP, name)),
                _GROUP_ID: name,
                "ReplicationSubnetGroupDescription": parameters["ReplicationSubnetGroupDescription"],
                "SubnetGroupStatus": "Complete",
                "SupportedNetworkTypes": ["IPV4"],
            }
            self.registry.put(_GROUP, group | place)
            self.tags.put(group["_Arn"], parameters.get("Tags", ()))
        return {"ReplicationSubnetGroup": shown(group | place)}

    def _modify_group(self, parameters: dict[str, Any]) -> dict[str, Any]:
        place = self._place(parameters["SubnetIds"])
        with self.registry.transaction():
            group = self._group(parameters[_GROUP_ID]) | place
            if "ReplicationSubnetGroupDescription" in parameters:
                group["ReplicationSubnetGroupDescription"] = parameters["ReplicationSubnetGroupDescription"]
            self.registry.put(_GROUP, group)
        return {"ReplicationSubnetGroup": shown(group)}

    def _delete_group(self, parameters: dict[str, Any]) -> dict[str, Any]:
        with self.registry.transaction():
            group = self._group(parameters[_GROUP_ID])
            users = [one for one in self.registry.all(_INSTANCE) if one["_Group"] == group[_GROUP_ID]]
            if users:
                names = ", ".join(one["ReplicationInstanceIdentifier"] for one in users)
                raise invalid_state(f"Replication subnet group {group[_GROUP_ID]} is used by: {names}")
            self.registry.documents.delete(_GROUP.shape, group["_Arn"])
            self.registry.documents.delete("tags", group["_Arn"])
        return {}

    def _describe_groups(self, parameters: dict[str, Any]) -> dict[str, Any]:
        groups = [shown(group) for group in self.registry.all(_GROUP)]
        names = {"replication-subnet-group-id": _GROUP_ID}
        found = filtered(groups, parameters, names, what="Replication Subnet Groups")
        return page(found, parameters, "ReplicationSubnetGroups")

    def _group(self, name: str) -> dict[str, Any]:
        group = self.registry.find(_GROUP, self.registry.arn(_GROUP, name.lower()))
        if group is None:
            raise not_found(f"Replication subnet group {name} not found.")
        return group

    def _place(self, subnet_ids: list[str]) -> dict[str, Any]:
        # DMS looks at the network with this role, which an account has once for all
        if not self.trusts_dms(_VPC_ROLE):
            role = f"arn:aws:iam::{self.registry.account}:role/{_VPC_ROLE}"
            raise access_denied(f"The IAM Role {role} is not configured properly.")
        subnets = self.subnets_of(subnet_ids)
        missing = sorted(set(subnet_ids) - {subnet.subnet_id for subnet in subnets})
        if missing or len({subnet.vpc_id for subnet in subnets}) != 1:
            why = f"there is no {', '.join(missing)}" if missing else "they are not of one VPC"
            raise ServiceError("InvalidSubnet", f"The subnets provided are invalid: {why}")
        if len({subnet.zone for subnet in subnets}) < _FEWEST_ZONES:
            message = "The replication subnet group does not cover enough Availability Zones: it needs two."
            raise ServiceError("ReplicationSubnetGroupDoesNotCoverEnoughAZs", message)
        return {
            "VpcId": subnets[0].vpc_id,
            "Subnets": [
                {
                    "SubnetIdentifier": subnet.subnet_id,
                    "SubnetAvailabilityZone": {"Name": subnet.zone},
                    "SubnetStatus": "Active",
                }
                for subnet in subnets
            ],
        }

    def _create(self, parameters: dict[str, Any]) -> dict[str, Any]:
        supported = _SETTINGS | {_GROUP_ID, "VpcSecurityGroupIds", "KmsKeyId", "ResourceIdentifier", "Tags"}
        refuse_unsupported("DMS's CreateReplicationInstance", parameters, supported)
        name = parameters["ReplicationInstanceIdentifier"].lower()
        if _GROUP_ID not in parameters:
            raise invalid(f"{_GROUP_ID} must be given: the local AWS has no default VPC.")
        with self.registry.transaction():
            group = self._group(parameters[_GROUP_ID])
            instance = _DEFAULTS | {key: value for key, value in parameters.items() if key in _SETTINGS}
            instance |= {
                "ReplicationInstanceIdentifier": self.registry.checked_identifier(_INSTANCE, name),
                "ReplicationInstanceArn": self.registry.new_arn(_INSTANCE, parameters.get("ResourceIdentifier", "")),
                "ReplicationInstanceStatus": "creating",
                "InstanceCreateTime": self.registry.clock.now(),
                "_Group": group[_GROUP_ID],
            }
            if "KmsKeyId" in parameters:
                instance["KmsKeyId"] = parameters["KmsKeyId"]
            instance.setdefault("AvailabilityZone", group["Subnets"][0]["SubnetAvailabilityZone"]["Name"])
            kept = self.registry.put(_INSTANCE, _checked(instance, parameters), then="available")
            self.tags.put(kept["ReplicationInstanceArn"], parameters.get("Tags", ()))
            return {"ReplicationInstance": self._shown(kept)}

    def _modify(self, parameters: dict[str, Any]) -> dict[str, Any]:
        supported = _SETTINGS | {
            *("ReplicationInstanceArn", "VpcSecurityGroupIds", "ApplyImmediately", "AllowMajorVersionUpgrade"),
        }
        refuse_unsupported("DMS's ModifyReplicationInstance", parameters, supported - {"AvailabilityZone"})
        with self.registry.transaction():
            instance = self._available(parameters["ReplicationInstanceArn"])
            changes = {key: value for key, value in parameters.items() if key in _SETTINGS}
            name = changes.get("ReplicationInstanceIdentifier", "").lower()
            if name and name != instance["ReplicationInstanceIdentifier"]:
                changes["ReplicationInstanceIdentifier"] = self.registry.checked_identifier(_INSTANCE, name)
            changed = _checked(instance | changes | {"ReplicationInstanceStatus": "modifying"}, parameters)
            return {"ReplicationInstance": self._shown(self.registry.put(_INSTANCE, changed, then="available"))}

    def _delete(self, parameters: dict[str, Any]) -> dict[str, Any]:
        with self.registry.transaction():
            instance = self._available(parameters["ReplicationInstanceArn"])
            arn = instance["ReplicationInstanceArn"]
            if any(task["ReplicationInstanceArn"] == arn for task in self.registry.all(Kind.TASK)):
                raise invalid_state(f"Replication Instance {arn} is part of one or more ReplicationTasks.")
            for connection in self.registry.documents.all("Connection"):
                if connection["ReplicationInstanceArn"] == arn:
                    self.registry.documents.delete("Connection", f"{arn} {connection['EndpointArn']}")
            return {"ReplicationInstance": self._shown(self.registry.put_deleting(_INSTANCE, instance))}

    def _describe(self, parameters: dict[str, Any]) -> dict[str, Any]:
        with self.registry.transaction():
            instances = [self._shown(instance) for instance in self.registry.all(_INSTANCE)]
        names = {
            "replication-instance-arn": "ReplicationInstanceArn",
            "replication-instance-id": "ReplicationInstanceIdentifier",
            "replication-instance-class": "ReplicationInstanceClass",
            "engine-version": "EngineVersion",
        }
        found = filtered(instances, parameters, names, what="Replication Instances")
        return page(found, parameters, "ReplicationInstances")

    def _available(self, arn: str) -> dict[str, Any]:
        instance = self.registry.get(_INSTANCE, arn)
        if instance["ReplicationInstanceStatus"] != "available":
            state = instance["ReplicationInstanceStatus"]
            raise invalid_state(f"Replication Instance {arn} is {state}, it must be available.")
        return instance

    def _shown(self, instance: Mapping[str, Any]) -> dict[str, Any]:
        return shown(instance) | {"ReplicationSubnetGroup": shown(self._group(instance["_Group"]))}


def _checked(instance: dict[str, Any], parameters: Mapping[str, Any]) -> dict[str, Any]:
    if not instance["ReplicationInstanceClass"].startswith("dms."):
        raise invalid(f'ReplicationInstanceClass "{instance["ReplicationInstanceClass"]}" is none of DMS')
    if "VpcSecurityGroupIds" in parameters:
        ids = parameters["VpcSecurityGroupIds"]
        instance["VpcSecurityGroups"] = [{"VpcSecurityGroupId": one, "Status": "active"} for one in ids]
    return instance
