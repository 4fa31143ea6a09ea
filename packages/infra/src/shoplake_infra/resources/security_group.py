"""Security groups that let in other security groups, never addresses. What goes out is not held: there is no way out of
the VPC but its endpoints.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from shoplake_infra.aws import Aws
from shoplake_infra.diff import Change, touches
from shoplake_infra.ec2_names import NAME_TAG, named_one, tag_again, tag_specification
from shoplake_infra.handler import Handler, Observed
from shoplake_infra.held_up import once_let_go
from shoplake_infra.resource import Ref, Resource
from shoplake_infra.tags import tag_mapping

__all__ = ["ALL_PORTS", "HANDLER", "LetIn", "SecurityGroupHandler", "security_group"]

ALL_PORTS = (0, 65535)
_SELF = "self"


@dataclass(frozen=True, slots=True)
class LetIn:
    """Members of a group (None: of the same one) may connect to these TCP ports, first to last."""

    group: Resource | None
    ports: tuple[int, int]


def security_group(
    name: str, *, vpc: Resource, description: str, let_in: tuple[LetIn, ...], tags: Mapping[str, str]
) -> Resource:
    """A security group of the VPC."""
    rules = {
        f"{rule.group.name if rule.group else _SELF} {rule.ports[0]}-{rule.ports[1]}": {
            "from": Ref(rule.group, "id") if rule.group else _SELF,
            "ports": list(rule.ports),
        }
        for rule in let_in
    }
    properties = {"vpc": Ref(vpc, "id"), "description": description, "let_in": rules}
    return Resource(kind="security_group", name=name, tags={**tags, NAME_TAG: name}, properties=properties)


class SecurityGroupHandler(Handler):
    """All calls for security groups and their rules."""

    kind = "security_group"
    replaced_for = frozenset({"vpc", "description"})

    def observe(self, aws: Aws, resource: Resource) -> Observed | None:
        """The group of this name, its rules by our names; any other rule shows by what it lets in."""
        answer = named_one(aws, resource, "describe_security_groups", "SecurityGroups")
        if answer is None:
            return None
        group_id = answer["GroupId"]
        names = {_identity(rule): name for name, rule in resource.properties["let_in"].items()}
        rules = [rule for permission in answer["IpPermissions"] for rule in _rules(permission, group_id)]
        return Observed(
            properties={
                "vpc": answer["VpcId"],
                "description": answer["Description"],
                "let_in": {names.get(_identity(rule), " ".join(map(str, _identity(rule)))): rule for rule in rules},
            },
            tags=tag_mapping(answer["Tags"]),
            attributes={"id": group_id},
        )

    def create(self, aws: Aws, resource: Resource) -> None:
        """The group with its tags, then its rules."""
        answer = aws.client("ec2").create_security_group(
            GroupName=resource.name,
            VpcId=resource.properties["vpc"],
            Description=resource.properties["description"],
            TagSpecifications=tag_specification(resource, "security-group"),
        )
        self._let_in(aws, answer["GroupId"], resource.properties["let_in"].values())

    def _let_in(self, aws: Aws, group_id: str, rules: Iterable[Mapping[str, Any]]) -> None:
        permissions = [_permission(rule, group_id) for rule in rules]
        if permissions:
            aws.client("ec2").authorize_security_group_ingress(GroupId=group_id, IpPermissions=permissions)

    def update(self, aws: Aws, resource: Resource, observed: Observed, changes: tuple[Change, ...]) -> None:
        """Add the rules that lack, take away all others."""
        ec2, group_id = aws.client("ec2"), observed.attributes["id"]
        wanted = {_identity(rule) for rule in resource.properties["let_in"].values()}
        there = {_identity(rule) for rule in observed.properties["let_in"].values()}
        self._let_in(aws, group_id, (r for r in resource.properties["let_in"].values() if _identity(r) not in there))
        (answer,) = ec2.describe_security_groups(GroupIds=[group_id])["SecurityGroups"]
        for permission in answer["IpPermissions"]:
            for single in _singles(permission):
                (rule,) = _rules(single, group_id)
                if _identity(rule) not in wanted:
                    ec2.revoke_security_group_ingress(GroupId=group_id, IpPermissions=[single])
        if touches(changes, "tags"):
            tag_again(aws, resource, group_id)

    def delete(self, aws: Aws, resource: Resource, observed: Observed) -> None:
        """Delete it, as soon as nothing uses it any more."""
        ec2, its_id = aws.client("ec2"), observed.attributes["id"]
        once_let_go(aws, resource, lambda: ec2.delete_security_group(GroupId=its_id))


def _identity(rule: Mapping[str, Any]) -> tuple[str, ...]:
    return (str(rule["from"]), *(str(port) for port in rule["ports"]), str(rule.get("protocol", "tcp")))


def _permission(rule: Mapping[str, Any], group_id: str) -> dict[str, Any]:
    first, last = rule["ports"]
    group = group_id if rule["from"] == _SELF else rule["from"]
    return {"IpProtocol": "tcp", "FromPort": first, "ToPort": last, "UserIdGroupPairs": [{"GroupId": group}]}


_SOURCES = {
    "UserIdGroupPairs": "GroupId",
    "IpRanges": "CidrIp",
    "Ipv6Ranges": "CidrIpv6",
    "PrefixListIds": "PrefixListId",
}


def _singles(permission: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The permission as several of one source each."""
    base = {name: permission[name] for name in ("IpProtocol", "FromPort", "ToPort") if name in permission}
    return [
        {**base, kind: [{key: source[key]}]} for kind, key in _SOURCES.items() for source in permission.get(kind, [])
    ]


def _rules(permission: Mapping[str, Any], group_id: str) -> list[dict[str, Any]]:
    rules = []
    for single in _singles(permission):
        ((_, key),) = ((kind, key) for kind, key in _SOURCES.items() if kind in single)
        source = next(single[kind][0][key] for kind in _SOURCES if kind in single)
        rule: dict[str, Any] = {
            "from": _SELF if source == group_id else source,
            "ports": [single.get("FromPort", -1), single.get("ToPort", -1)],
        }
        rules.append(rule if single["IpProtocol"] == "tcp" else {**rule, "protocol": single["IpProtocol"]})
    return rules


HANDLER = SecurityGroupHandler()
