"""The secrets that Redshift itself makes for a namespace's administrator, in the front's Secrets Manager."""

from typing import Any

import boto3
from shoplake_core.endpoints import AwsEndpoint

__all__ = ["AdminSecrets"]


class AdminSecrets:
    """Secrets whose name begins with "redshift!", as on AWS.

    Args:
        front: Where Secrets Manager is.

    """

    def __init__(self, front: AwsEndpoint) -> None:
        self._front = front

    def keep(self, name: str, text: str, *, key: str = "") -> str:
        """The ARN of the secret with that text, made or written again."""
        client = self._client()
        encrypted = {"KmsKeyId": key} if key else {}
        try:
            return str(client.create_secret(Name=name, SecretString=text, **encrypted)["ARN"])
        except client.exceptions.ResourceExistsException:
            return str(client.update_secret(SecretId=name, SecretString=text, **encrypted)["ARN"])

    def forget(self, arn: str) -> None:
        """Delete it at once; one that is not there is no error."""
        self._client().delete_secret(SecretId=arn, ForceDeleteWithoutRecovery=True)

    def _client(self) -> Any:
        return boto3.session.Session().client(
            "secretsmanager",
            endpoint_url=self._front.url,
            region_name=self._front.region,
            aws_access_key_id=self._front.access_key_id,
            aws_secret_access_key=self._front.secret_access_key,
        )
