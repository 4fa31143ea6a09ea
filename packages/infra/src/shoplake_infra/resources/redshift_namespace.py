"""Redshift Serverless namespaces: the warehouse's databases and users, without a machine."""

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from shoplake_infra.aws import Aws, or_none
from shoplake_infra.diff import Change, touches
from shoplake_infra.handler import Handler, Observed
from shoplake_infra.redshift_calls import ABSENT, add_tags, serverless, state_of, tags_of
from shoplake_infra.resource import Ref, Resource
from shoplake_infra.resting import AVAILABLE, DELETING, come_to_rest, made_again
from shoplake_infra.tags import tag_list

__all__ = ["HANDLER", "RedshiftNamespaceHandler", "redshift_namespace"]

_ROLE_ARN = re.compile(r"arn:[^\s,)]+")


def redshift_namespace(
    name: str, *, database: str, admin: str, role: Resource, key: Resource, tags: Mapping[str, str]
) -> Resource:
    """A namespace with one database, encrypted with the key; it holds data.

    `admin` is the administrator's name; "" for the one that Redshift gives. The role is the one that `COPY ... IAM_ROLE default` reads with. The administrator's password is made and kept by
    Secrets Manager.
    """
    return Resource(
        kind="redshift_namespace",
        name=name,
        tags=tags,
        holds_data=True,
        properties={
            "database": database,
            "admin": admin,
            "admin_password": "kept by Secrets Manager",
            "kms_key": Ref(key, "arn"),
            "roles": [Ref(role, "arn")],
            "default_role": Ref(role, "arn"),
            "logs": ["connectionlog", "useractivitylog", "userlog"],
            "state": AVAILABLE,
        },
    )


class RedshiftNamespaceHandler(Handler):
    """All calls for namespaces."""

    kind = "redshift_namespace"
    replaced_for = frozenset({"database", "admin"})
    timeout_seconds = 1800.0

    def observe(self, aws: Aws, resource: Resource) -> Observed | None:
        """The namespace."""
        found, wanted = _described(aws, resource), resource.properties
        if found is None:
            return None
        arn = found["namespaceArn"]
        return Observed(
            properties={
                "database": found.get("dbName", ""),
                "admin": found.get("adminUsername", "") if wanted["admin"] else "",
                "admin_password": wanted["admin_password"]
                if found.get("adminPasswordSecretArn")
                else "set by somebody",
                "kms_key": found.get("kmsKeyId", ""),
                "roles": _role_arns(found.get("iamRoles", [])),
                "default_role": found.get("defaultIamRoleArn", ""),
                "logs": sorted(found.get("logExports", [])),
                "state": state_of(found),
            },
            tags=resource.tags if state_of(found) == DELETING else tags_of(aws, arn),
            attributes={
                "arn": arn,
                "id": found["namespaceId"],
                "name": resource.name,
                "secret_arn": str(found.get("adminPasswordSecretArn", "")),  # of the administrator's login
            },
        )

    def create(self, aws: Aws, resource: Resource) -> None:
        """The namespace with its tags."""
        wanted = resource.properties
        parameters: dict[str, Any] = {"adminUsername": wanted["admin"]} if wanted["admin"] else {}
        for make in _PARAMETERS.values():
            parameters |= make(wanted)
        serverless(aws).create_namespace(
            namespaceName=resource.name,
            dbName=wanted["database"],
            tags=tag_list(resource.tags, key="key", value="value"),
            **parameters,
        )

    def update(self, aws: Aws, resource: Resource, observed: Observed, changes: tuple[Change, ...]) -> None:
        """Set what differs, one thing after the other: Redshift refuses some of them together."""
        if made_again(self, aws, resource, observed):
            return
        calls = [make(resource.properties) for names, make in _PARAMETERS.items() if touches(changes, *names)]
        for parameters in calls:
            come_to_rest(self, aws, resource)
            serverless(aws).update_namespace(namespaceName=resource.name, **parameters)
        if touches(changes, "tags"):
            add_tags(aws, resource, observed.attributes["arn"])

    def delete(self, aws: Aws, resource: Resource, observed: Observed) -> None:
        """Delete it with its data; its workgroup must be gone."""
        if observed.properties["state"] != DELETING:
            serverless(aws).delete_namespace(namespaceName=resource.name)

    def settled(self, aws: Aws, resource: Resource) -> bool:
        """Whether it is available."""
        found = _described(aws, resource)
        return found is not None and state_of(found) == AVAILABLE


def _described(aws: Aws, resource: Resource) -> Mapping[str, Any] | None:
    answer = or_none(serverless(aws).get_namespace, ABSENT, namespaceName=resource.name)
    found: Mapping[str, Any] | None = answer["namespace"] if answer else None
    return found


def _role_arns(answered: Iterable[str]) -> list[str]:
    """Redshift answers "IamRole(applyStatus=in-sync, iamRoleArn=arn:...)"."""
    return sorted(match[0] for text in answered if (match := _ROLE_ARN.search(text)))


# what can be changed together -> how both the creating and the updating call name it
_PARAMETERS: Mapping[tuple[str, ...], Callable[[Mapping[str, Any]], dict[str, Any]]] = {
    ("admin_password",): lambda wanted: {
        "manageAdminPassword": True,
        "adminPasswordSecretKmsKeyId": wanted["kms_key"],
    },
    ("kms_key",): lambda wanted: {"kmsKeyId": wanted["kms_key"]},
    ("roles", "default_role"): lambda wanted: {
        "iamRoles": wanted["roles"],
        "defaultIamRoleArn": wanted["default_role"],
    },
    ("logs",): lambda wanted: {"logExports": wanted["logs"]},
}

HANDLER = RedshiftNamespaceHandler()
