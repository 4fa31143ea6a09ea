"""MySQL's endpoint, and the masking key, from Secrets Manager. No message here holds a secret."""

import json
from collections.abc import Mapping
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from shoplake_core.endpoints import MySqlEndpoint
from shoplake_core.errors import CredentialError
from shoplake_core.masking import MaskingKey, masking_key_from_hex

__all__ = [
    "endpoint_of",
    "read_administrator_endpoint",
    "read_masking_key",
    "read_source_endpoint",
    "secret_fields",
]

_FIELDS = ("host", "port", "username", "password")
_LOGIN_FIELDS = ("username", "password")


def _text(secrets: Any, name: str) -> str:
    try:
        return str(secrets.get_secret_value(SecretId=name)["SecretString"])
    except (BotoCoreError, ClientError, KeyError) as error:
        raise CredentialError(
            f'the secret "{name}" cannot be read: {type(error).__name__}', hint="check its name and this role's rights"
        ) from error


def secret_fields(text: str, *, name: str, fields: tuple[str, ...] = _FIELDS) -> dict[str, Any]:
    """The fields of a login secret's JSON text, by default the source secret's.

    Raises:
        CredentialError: It is no JSON object, or lacks a field.

    """
    try:
        data = json.loads(text)
    except ValueError:
        data = None
    missing = [field for field in fields if field not in data] if isinstance(data, dict) else list(fields)
    if missing or not isinstance(data, dict):
        form = ", ".join(f'"{field}": ...' for field in fields)
        raise CredentialError(
            f'the secret "{name}" lacks {", ".join(missing)}',
            hint=f"it is JSON: {{{form}}}",
        )
    return data


def endpoint_of(fields: Mapping[str, Any]) -> MySqlEndpoint:
    """The endpoint of the secret's fields."""
    return MySqlEndpoint(
        host=str(fields["host"]),
        port=int(fields["port"]),
        user=str(fields["username"]),
        password=str(fields["password"]),
    )


def read_source_endpoint(secrets: Any, name: str) -> MySqlEndpoint:
    """MySQL and its user, from the secret of that name.

    Raises:
        CredentialError: It cannot be read, or is not of the expected form.

    """
    return endpoint_of(secret_fields(_text(secrets, name), name=name))


def read_administrator_endpoint(secrets: Any, name: str, *, at: MySqlEndpoint) -> MySqlEndpoint:
    """The server of `at` as its administrator, from the secret that RDS keeps: that holds a user and a password alone.

    Raises:
        CredentialError: It cannot be read, or is not of the expected form.

    """
    fields = secret_fields(_text(secrets, name), name=name, fields=_LOGIN_FIELDS)
    return endpoint_of({**fields, "host": at.host, "port": at.port})


def read_masking_key(secrets: Any, name: str) -> MaskingKey:
    """The masking key, from the secret of that name, which holds hex digits.

    Raises:
        CredentialError: It cannot be read, or is no key.

    """
    return masking_key_from_hex(_text(secrets, name).strip())
