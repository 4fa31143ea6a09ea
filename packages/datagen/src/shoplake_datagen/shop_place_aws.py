"""Which MySQL and schema the shop of an AWS environment lives in: the login from Secrets Manager, the schema from the
project's bundle in S3. No message here holds a secret.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError
from shoplake_core.endpoints import MySqlEndpoint
from shoplake_core.errors import ConfigError, CredentialError, ResourceError
from shoplake_core.names import ResourceNames
from shoplake_core.project import project_from_bundle

__all__ = ["ShopPlace", "read_shop_place"]

_VARIABLES = ("SHOPLAKE_ENVIRONMENT", "SHOPLAKE_ACCOUNT", "SHOPLAKE_REGION", "SHOPLAKE_PROJECT")
_FIELDS = ("host", "port", "username", "password")


@dataclass(frozen=True, slots=True, kw_only=True)
class ShopPlace:
    """A server with one of its users, and the shop's schema there."""

    endpoint: MySqlEndpoint
    schema: str


def read_shop_place(variables: Mapping[str, str]) -> ShopPlace:
    """The shop's place, read anew: a password may have been changed since.

    Args:
        variables: The function's environment: `SHOPLAKE_ENVIRONMENT`, `SHOPLAKE_ACCOUNT`, `SHOPLAKE_REGION` and
            `SHOPLAKE_PROJECT`, the `s3://` URL of the project's bundle. boto3 honours `AWS_ENDPOINT_URL*` beside them.

    Raises:
        ConfigError: A variable is missing.
        CredentialError: The secret cannot be read, or is not of the expected form.
        ResourceError: The project's bundle cannot be read.

    """
    missing = [name for name in _VARIABLES if not variables.get(name)]
    if missing:
        raise ConfigError(f"the function lacks {', '.join(missing)}", hint="provision the environment again")
    environment, account, region, url = (variables[name] for name in _VARIABLES)
    session = boto3.session.Session(region_name=region)
    endpoint = _endpoint(session, ResourceNames(environment, account, region).source_secret)
    return ShopPlace(endpoint=endpoint, schema=_schema(session, url))


def _endpoint(session: Any, secret: str) -> MySqlEndpoint:
    try:
        text = session.client("secretsmanager").get_secret_value(SecretId=secret)["SecretString"]
    except (BotoCoreError, ClientError, KeyError) as error:
        raise CredentialError(
            f'the secret "{secret}" cannot be read: {type(error).__name__}',
            hint="check its name and this role's rights",
        ) from error
    try:
        data = json.loads(text)
        host, port, user, password = (data[field] for field in _FIELDS)
        return MySqlEndpoint(host=str(host), port=int(port), user=str(user), password=str(password))
    except (ValueError, KeyError, TypeError):
        raise CredentialError(
            f'the secret "{secret}" is not of the expected form',
            hint='it is JSON: {"host": ..., "port": ..., "username": ..., "password": ...}',
        ) from None  # its cause would show the value


def _schema(session: Any, url: str) -> str:
    bucket, _, key = url.removeprefix("s3://").partition("/")
    try:
        text = session.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read().decode()
    except (BotoCoreError, ClientError) as error:
        raise ResourceError(
            f"the project's bundle {url} cannot be read: {error}", hint="provision the environment again"
        ) from error
    return project_from_bundle(text).config.source_schema
