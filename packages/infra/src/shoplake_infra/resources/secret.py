"""Secrets whose value is made once, here, and never read back: no plan, log or file ever holds it."""

import json
import secrets
import string
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from shoplake_infra.aws import Aws, or_none
from shoplake_infra.diff import Change, touches
from shoplake_infra.handler import Handler, Observed
from shoplake_infra.resource import Ref, Resource
from shoplake_infra.tags import tag_list, tag_mapping

__all__ = ["HANDLER", "Login", "Rotation", "SecretHandler", "hex_secret", "login_secret"]

_WAITING_DAYS = 30
_LETTERS = string.ascii_letters + string.digits  # DMS takes no , ; + % / in a password
_PASSWORD_CHARACTERS = 32


def hex_secret(
    name: str, *, size_bytes: int, description: str, key: Resource, tags: Mapping[str, str], holds_data: bool = False
) -> Resource:
    """A secret of random bytes, as hex."""
    return _secret(name, {"hex_bytes": size_bytes}, description, key, tags, holds_data=holds_data)


@dataclass(frozen=True, slots=True, kw_only=True)
class Login:
    """Where a database is and who logs in; the password is made with the secret."""

    host: str | Ref
    port: int | Ref
    username: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Rotation:
    """The function that changes the value, and after how many days it is called."""

    function: Resource
    days: int


def login_secret(
    name: str,
    *,
    login: Login,
    description: str,
    key: Resource,
    tags: Mapping[str, str],
    rotation: Rotation | None = None,
) -> Resource:
    """A database login as JSON: host, port, username, and a password made at its creation.

    Host, port and user name are written at the creation only: later the value belongs to the rotation.
    """
    value = {"host": login.host, "port": login.port, "username": login.username}
    secret = _secret(name, {"login": value}, description, key, tags, holds_data=False)
    if rotation is None:
        return secret
    rules = {"function_arn": Ref(rotation.function, "arn"), "days": rotation.days}
    return replace(secret, properties={**secret.properties, "rotation": rules})


def _secret(
    name: str,
    value: Mapping[str, Any],
    description: str,
    key: Resource,
    tags: Mapping[str, str],
    *,
    holds_data: bool,
) -> Resource:
    return Resource(
        kind="secret",
        name=name,
        tags=tags,
        holds_data=holds_data,
        properties={
            "description": description,
            "kms_key": Ref(key, "arn"),
            "state": "available",
            "made_from": value,
            "rotation": {},
        },
    )


class SecretHandler(Handler):
    """All calls for secrets; none of them reads a value."""

    kind = "secret"

    def observe(self, aws: Aws, resource: Resource) -> Observed | None:
        """The secret without its value: `made_from` counts at the creation only, so it never differs."""
        answer = or_none(
            aws.client("secretsmanager").describe_secret, {"ResourceNotFoundException"}, SecretId=resource.name
        )
        if answer is None:
            return None
        versions = answer.get("VersionIdsToStages") or {}
        has_value = any("AWSCURRENT" in stages for stages in versions.values())
        ending = answer.get("DeletedDate") is not None
        return Observed(
            properties={
                "description": answer.get("Description", ""),
                "kms_key": answer.get("KmsKeyId", ""),
                "state": "waiting for its deletion" if ending else "available" if has_value else "without a value",
                "made_from": resource.properties["made_from"],
                "rotation": _rotation(answer),
            },
            tags=tag_mapping(answer.get("Tags", [])),
            attributes={"arn": answer["ARN"], "name": resource.name},
            ending=ending,
        )

    def create(self, aws: Aws, resource: Resource) -> None:
        """The secret with a new value, then its rotation."""
        aws.client("secretsmanager").create_secret(
            Name=resource.name,
            Description=resource.properties["description"],
            KmsKeyId=resource.properties["kms_key"],
            SecretString=_new_value(resource),
            Tags=tag_list(resource.tags),
        )
        if resource.properties["rotation"]:
            _write_rotation(aws, resource)

    def update(self, aws: Aws, resource: Resource, observed: Observed, changes: tuple[Change, ...]) -> None:
        """Take it back from its deletion, give it a value where it has none, set what differs."""
        manager, wanted = aws.client("secretsmanager"), resource.properties
        if observed.ending:
            manager.restore_secret(SecretId=resource.name)
        elif touches(changes, "state"):
            manager.put_secret_value(SecretId=resource.name, SecretString=_new_value(resource))
        if touches(changes, "description", "kms_key"):
            manager.update_secret(SecretId=resource.name, Description=wanted["description"], KmsKeyId=wanted["kms_key"])
        if touches(changes, "rotation"):
            _write_rotation(aws, resource)
        if touches(changes, "tags"):
            manager.tag_resource(SecretId=resource.name, Tags=tag_list(resource.tags))

    def delete(self, aws: Aws, resource: Resource, observed: Observed) -> None:  # noqa: ARG002 - the port's signature
        """Let it wait for its deletion; a new apply restores it with its value."""
        aws.client("secretsmanager").delete_secret(SecretId=resource.name, RecoveryWindowInDays=_WAITING_DAYS)


def _rotation(answer: Mapping[str, Any]) -> dict[str, Any]:
    if not answer.get("RotationEnabled"):
        return {}
    days = answer.get("RotationRules", {}).get("AutomaticallyAfterDays", 0)
    return {"function_arn": answer.get("RotationLambdaARN", ""), "days": days}


def _write_rotation(aws: Aws, resource: Resource) -> None:
    manager, rotation = aws.client("secretsmanager"), resource.properties["rotation"]
    if not rotation:
        manager.cancel_rotate_secret(SecretId=resource.name)
        return
    manager.rotate_secret(
        SecretId=resource.name,
        RotationLambdaARN=rotation["function_arn"],
        RotationRules={"AutomaticallyAfterDays": rotation["days"]},
        RotateImmediately=False,  # the database may not be there yet; AWS only calls the function's test step
    )


def _new_value(resource: Resource) -> str:
    made_from = resource.properties["made_from"]
    if "hex_bytes" in made_from:
        return secrets.token_hex(made_from["hex_bytes"])
    password = "".join(secrets.choice(_LETTERS) for _ in range(_PASSWORD_CHARACTERS))
    return json.dumps({**made_from["login"], "password": password})


HANDLER = SecretHandler()
