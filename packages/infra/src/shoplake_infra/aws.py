"""One session for all calls of infra: strict on parameters, with the clock that every wait takes."""

from collections.abc import Callable, Collection
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError
from shoplake_core.clock import Clock
from shoplake_core.endpoints import AwsEndpoint

from shoplake_infra.strict_calls import refuse_wrong_parameters

__all__ = ["Aws", "error_code", "or_none"]


class Aws:
    """Clients of one account and region, made once a service.

    Args:
        endpoint: Where calls go; None for the credentials, region and URL that boto3 finds by itself.
        clock: What waits take.
        region: Where an endpoint does not say it; None for the region that boto3 finds by itself.

    """

    def __init__(self, endpoint: AwsEndpoint | None, *, clock: Clock, region: str | None = None) -> None:
        self.clock = clock
        self.session = boto3.Session(
            aws_access_key_id=endpoint.access_key_id if endpoint else None,
            aws_secret_access_key=endpoint.secret_access_key if endpoint else None,
            region_name=endpoint.region if endpoint else region,
        )
        self._url = endpoint.url if endpoint else None
        self._clients: dict[str, Any] = {}
        self._account: str | None = None
        self.session.events.register("before-parameter-build.*.*", refuse_wrong_parameters)

    def client(self, service: str) -> Any:
        """The service's client."""
        if service not in self._clients:
            config = Config(s3={"addressing_style": "path"}, inject_host_prefix=False) if self._url else Config()
            make: Any = self.session.client
            self._clients[service] = make(service, endpoint_url=self._url, config=config)
        return self._clients[service]

    @property
    def region(self) -> str:
        """Region of every call."""
        return str(self.session.region_name)

    @property
    def account(self) -> str:
        """Account of every call, asked once."""
        if self._account is None:
            self._account = str(self.client("sts").get_caller_identity()["Account"])
        return self._account


def error_code(error: ClientError) -> str:
    """The error's code, such as "NoSuchBucket"."""
    return str(error.response.get("Error", {}).get("Code", ""))


def or_none(call: Callable[..., Any], absent: Collection[str], **parameters: Any) -> Any:
    """The call's answer, or None where it fails with one of the codes that mean "there is none"."""
    try:
        return call(**parameters)
    except ClientError as error:
        if error_code(error) in absent:
            return None
        raise
