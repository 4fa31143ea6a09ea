"""How an endpoint is reached: the source's login from its secret, the target's bucket, each as the endpoint's own role."""

import contextlib
import json
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import boto3
import pymysql
from botocore.client import Config
from botocore.exceptions import BotoCoreError, ClientError, EndpointConnectionError
from shoplake_core.clock import Clock
from shoplake_core.endpoints import AwsEndpoint, MySqlEndpoint
from shoplake_engines.object_store_aws import S3_ERRORS, s3_client

from shoplake_local.dms.instances import Subnet
from shoplake_local.service import ServiceError

__all__ = ["EndpointAccess", "NotReachedError"]

_SERVICE = "dms.amazonaws.com"
_TIMEOUT_SECONDS = 10
_FRONT_STARTS_WITHIN_SECONDS = 30.0
_POLL_SECONDS = 0.2


class NotReachedError(Exception):
    """An endpoint cannot be reached, and why."""


@dataclass(frozen=True, slots=True)
class EndpointAccess:
    """The laptop's MySQL and S3 as DMS reaches them.

    Attributes:
        front: The local AWS, with the operator's keys.
        object_store: S3.
        keys_of: Role's ARN and who runs code as that role -> its key pair.
        clock: For waiting.

    """

    front: AwsEndpoint
    object_store: AwsEndpoint
    keys_of: Callable[[str, str], tuple[str, str]]
    clock: Clock

    def source_login(self, endpoint: Mapping[str, Any]) -> MySqlEndpoint:
        """Where the source is and who logs in, read from the secret now, as the secret's role.

        Raises:
            NotReachedError: The secret cannot be read, or is no login.

        """
        settings = endpoint["MySQLSettings"]
        secret_id = settings["SecretsManagerSecretId"]
        try:
            text = self._secret_text(secret_id, self._secret_keys(settings))
        except (NotReachedError, BotoCoreError, ClientError) as error:
            raise NotReachedError(f"The secret {secret_id} cannot be read: {error}") from error
        try:
            value = json.loads(text)
            return MySqlEndpoint(
                host=value["host"], port=int(value["port"]), user=value["username"], password=value["password"]
            )
        except (ValueError, KeyError, TypeError) as error:  # without the text: it holds the password
            message = f"The secret {secret_id} has not the keys username, password, host and port ({error!r})"
            raise NotReachedError(message) from None

    def target_keys(self, endpoint: Mapping[str, Any]) -> tuple[str, str]:
        """The key pair of the target's role.

        Raises:
            NotReachedError: There is no such role, or it does not trust DMS.

        """
        return self._keys(endpoint["S3Settings"]["ServiceAccessRoleArn"], _SERVICE)

    def test(self, endpoint: Mapping[str, Any]) -> None:
        """Pass where the endpoint can be used: a login to the source, an object written to the target and deleted.

        Raises:
            NotReachedError: It cannot, and why.

        """
        if endpoint["EndpointType"] == "source":
            self._test_source(self.source_login(endpoint))
        else:
            self._test_target(endpoint)

    def check_role(self, endpoint: Mapping[str, Any]) -> None:
        """Pass where DMS may take the endpoint's role.

        Raises:
            NotReachedError: There is none, or it does not trust DMS.

        """
        if endpoint["EndpointType"] == "target":
            self.target_keys(endpoint)
        else:
            self._secret_keys(endpoint["MySQLSettings"])

    def subnets(self, subnet_ids: list[str]) -> list[Subnet]:
        """Those of the subnets that there are."""
        ec2 = self._client("ec2", (self.front.access_key_id, self.front.secret_access_key))
        found = ec2.describe_subnets(Filters=[{"Name": "subnet-id", "Values": list(subnet_ids)}])["Subnets"]
        return [Subnet(one["SubnetId"], one["VpcId"], one["AvailabilityZone"]) for one in found]

    def trusts_dms(self, role_name: str, account: str) -> bool:
        """Whether there is a role of that name which trusts DMS."""
        try:
            self._keys(f"arn:aws:iam::{account}:role/{role_name}", _SERVICE)
        except NotReachedError:
            return False
        return True

    def _secret_keys(self, settings: Mapping[str, Any]) -> tuple[str, str]:
        # DMS's guide: a secret's role trusts the service of its region, no other
        return self._keys(settings["SecretsManagerAccessRoleArn"], f"dms.{self.front.region}.amazonaws.com")

    def _keys(self, role_arn: str, service: str) -> tuple[str, str]:
        try:
            return self.keys_of(role_arn, service)
        except ServiceError as error:
            raise NotReachedError(error.message) from error

    def _test_source(self, login: MySqlEndpoint) -> None:
        try:
            connection = pymysql.connect(
                host=login.host,
                port=login.port,
                user=login.user,
                password=login.password,
                connect_timeout=_TIMEOUT_SECONDS,
                read_timeout=_TIMEOUT_SECONDS,
            )
            with contextlib.closing(connection), connection.cursor() as cursor:
                cursor.execute("SELECT 1")
        except (pymysql.MySQLError, OSError) as error:
            where = f"{login.host}:{login.port} as {login.user}"
            raise NotReachedError(f"Cannot connect to MySQL at {where}: {error.args[-1]}") from error

    def _test_target(self, endpoint: Mapping[str, Any]) -> None:
        key_id, secret = self.target_keys(endpoint)
        client = s3_client(
            replace(self.object_store, access_key_id=key_id, secret_access_key=secret),
            timeout_seconds=_TIMEOUT_SECONDS,
            attempts=1,
        )
        settings = endpoint["S3Settings"]
        bucket, folder = settings["BucketName"], settings.get("BucketFolder", "").strip("/")
        key = f"{folder}/" if folder else ""
        key += f"dms-connection-test-{secrets.token_hex(8)}"
        try:
            client.put_object(Bucket=bucket, Key=key, Body=b"")
            client.delete_object(Bucket=bucket, Key=key)
        except S3_ERRORS as error:
            raise NotReachedError(f"Cannot write and delete in s3://{bucket}: {error}") from error

    def _secret_text(self, secret_id: str, keys: tuple[str, str]) -> str:
        # a task that goes on by itself after `up` may be there before the front listens
        until = self.clock.monotonic_seconds() + _FRONT_STARTS_WITHIN_SECONDS
        client = self._client("secretsmanager", keys)
        while True:
            try:
                return str(client.get_secret_value(SecretId=secret_id)["SecretString"])
            except EndpointConnectionError:
                if self.clock.monotonic_seconds() > until:
                    raise
                self.clock.sleep(_POLL_SECONDS)

    def _client(self, service: str, keys: tuple[str, str]) -> Any:
        return boto3.session.Session().client(
            service,  # type: ignore[call-overload]
            endpoint_url=self.front.url,
            region_name=self.front.region,
            aws_access_key_id=keys[0],
            aws_secret_access_key=keys[1],
            config=Config(retries={"total_max_attempts": 1}),
        )
