"""The masking key from AWS Secrets Manager."""

import json
from typing import Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError
from shoplake_core.errors import CredentialError
from shoplake_core.masking import MaskingKey, masking_key_from_hex

__all__ = ["masking_key_from_secret"]

_FIELD = "masking_key"


def masking_key_from_secret(name: str, *, client: Any = None) -> MaskingKey:
    """The key that the secret holds: as its whole text, or as `masking_key` of a JSON object.

    Raises:
        CredentialError: The secret cannot be read, or holds no key. The message never holds it.

    """
    try:
        text = str((client or boto3.client("secretsmanager")).get_secret_value(SecretId=name)["SecretString"])
    except (BotoCoreError, ClientError, KeyError) as error:
        raise CredentialError(
            f'the secret "{name}" cannot be read: {type(error).__name__}', hint="check its name and this role's rights"
        ) from None
    if text.lstrip().startswith("{"):
        text = str(json.loads(text).get(_FIELD, ""))
    return masking_key_from_hex(text)
