"""DMS endpoints: a MySQL that logs in by a secret, and an S3 bucket that is written."""

from collections.abc import Mapping
from typing import Any

from shoplake_infra.aws import Aws
from shoplake_infra.diff import Change, touches
from shoplake_infra.dms_calls import add_tags, dms_described, paused, tags_of
from shoplake_infra.handler import Handler, Observed
from shoplake_infra.new_roles import once_role_is_known
from shoplake_infra.resource import Ref, Resource
from shoplake_infra.resting import AVAILABLE, DELETING, made_again
from shoplake_infra.tags import tag_list

__all__ = ["HANDLER", "DmsEndpointHandler", "mysql_source", "s3_target"]

_SETTINGS = {"mysql": "MySQLSettings", "s3": "S3Settings"}
# DMS answers these in capitals or with underscores as well
_WORDS = frozenset({"CompressionType", "DataFormat", "EncodingType", "EncryptionMode", "ParquetVersion"})


def mysql_source(name: str, *, secret: Resource, role: Resource, tags: Mapping[str, str]) -> Resource:
    """A MySQL whose secret holds host, port, username and password; DMS reads it as the role."""
    settings = {"SecretsManagerSecretId": Ref(secret, "arn"), "SecretsManagerAccessRoleArn": Ref(role, "arn")}
    return _endpoint(name, "source", "mysql", settings, tags)


def s3_target(
    name: str, *, bucket: Resource, role: Resource, key: Resource, settings: Mapping[str, Any], tags: Mapping[str, str]
) -> Resource:
    """A bucket that DMS writes as the role, every object encrypted with the key; `settings` are of DMS's S3Settings."""
    where = {
        "BucketName": bucket.name,
        "ServiceAccessRoleArn": Ref(role, "arn"),
        "EncryptionMode": "sse-kms",  # else DMS asks for S3's own keys, whatever the bucket is told
        "ServerSideEncryptionKmsKeyId": Ref(key, "arn"),
    }
    said = {setting: _word(setting, value) for setting, value in settings.items()}
    return _endpoint(name, "target", "s3", said | where, tags, depends_on=(bucket.address,))


def _endpoint(
    name: str,
    kind: str,
    engine: str,
    settings: Mapping[str, Any],
    tags: Mapping[str, str],
    depends_on: tuple[str, ...] = (),
) -> Resource:
    properties = {"type": kind, "engine": engine, "tls": "none", "settings": dict(settings), "state": AVAILABLE}
    return Resource(kind="dms_endpoint", name=name, tags=tags, depends_on=depends_on, properties=properties)


class DmsEndpointHandler(Handler):
    """All calls for endpoints."""

    kind = "dms_endpoint"
    replaced_for = frozenset({"type", "engine"})

    def observe(self, aws: Aws, resource: Resource) -> Observed | None:
        """The endpoint; of its settings those that are wanted, for DMS answers all others with its defaults."""
        found = dms_described(aws.client("dms").describe_endpoints, "Endpoints", "endpoint-id", resource.name)
        if found is None:
            return None
        engine, state = found["EngineName"].lower(), DELETING if found["Status"] == DELETING else AVAILABLE
        settings = found.get(_SETTINGS.get(engine, ""), {})
        return Observed(
            properties={
                "type": found["EndpointType"].lower(),
                "engine": engine,
                "tls": found.get("SslMode", "none"),
                "settings": {
                    name: _word(name, settings[name]) for name in resource.properties["settings"] if name in settings
                },
                "state": state,
            },
            tags=resource.tags if state == DELETING else tags_of(aws, found["EndpointArn"]),
            attributes={"arn": found["EndpointArn"], "name": resource.name},
        )

    def create(self, aws: Aws, resource: Resource) -> None:
        """The endpoint with its tags; a role that is not known everywhere yet is waited for."""
        once_role_is_known(
            aws,
            resource,
            lambda: aws.client("dms").create_endpoint(
                EndpointIdentifier=resource.name,
                EndpointType=resource.properties["type"],
                Tags=tag_list(resource.tags),
                **_parameters(resource),
            ),
            code="AccessDeniedFault",
            words="role",
        )

    def update(self, aws: Aws, resource: Resource, observed: Observed, changes: tuple[Change, ...]) -> None:
        """Set what differs while the tasks that use it stand still."""
        if made_again(self, aws, resource, observed):
            return
        arn = observed.attributes["arn"]
        if touches(changes, *resource.properties):
            with paused(aws, filter_name="endpoint-arn", value=arn, address=resource.address):
                aws.client("dms").modify_endpoint(EndpointArn=arn, **_parameters(resource))
        if touches(changes, "tags"):
            add_tags(aws, resource, arn)

    def delete(self, aws: Aws, resource: Resource, observed: Observed) -> None:  # noqa: ARG002 - the port's signature
        """Delete it; AWS refuses while a task uses it."""
        if observed.properties["state"] != DELETING:
            aws.client("dms").delete_endpoint(EndpointArn=observed.attributes["arn"])


def _word(name: str, value: Any) -> Any:
    return value.lower().replace("_", "-") if name in _WORDS else value


def _parameters(resource: Resource) -> dict[str, Any]:
    wanted = resource.properties
    return {
        "EngineName": wanted["engine"],
        "SslMode": wanted["tls"],
        _SETTINGS[wanted["engine"]]: dict(wanted["settings"]),
    }


HANDLER = DmsEndpointHandler()
