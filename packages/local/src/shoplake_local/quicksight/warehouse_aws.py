"""The warehouse behind a data source, asked as anybody would: its secret, its workgroup, and the Data API."""

import json
import time
from collections.abc import Mapping
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError
from shoplake_core.endpoints import AwsEndpoint

__all__ = ["RowCount", "SourceError", "Warehouse"]

_POLL_SECONDS = 0.05
_LONGEST_SECONDS = 300.0
_ENDED = frozenset({"FINISHED", "FAILED", "ABORTED"})


class SourceError(Exception):
    """A data source could not be read; `kind` is one of QuickSight's types of ingestion errors."""

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind = kind


class RowCount:
    """Rows of a data set, and those of its look-back window."""

    def __init__(self, total: int, recent: int) -> None:
        self.total, self.recent = total, recent


class Warehouse:
    """Reads data sources.

    Args:
        front: Where Secrets Manager, Redshift Serverless and the Data API are.

    """

    def __init__(self, front: AwsEndpoint) -> None:
        self._front = front
        self._clients: dict[str, Any] = {}

    def check(self, source: Mapping[str, Any]) -> None:
        """Pass where the login is there and the host is a workgroup's.

        Raises:
            SourceError: Why not.

        """
        self._workgroup(source)
        try:
            secret = self._client("secretsmanager").get_secret_value(SecretId=source["SecretArn"])
            login = json.loads(secret["SecretString"])
        except (ClientError, ValueError, KeyError) as error:
            raise SourceError("DATA_SOURCE_AUTH_FAILED", f"The secret cannot be read: {error}") from error
        if not isinstance(login, dict) or not {"username", "password"} <= login.keys():
            raise SourceError("DATA_SOURCE_AUTH_FAILED", "The secret holds no username and password.")

    def count(self, source: Mapping[str, Any], sql: str, *, recent: str = "FALSE") -> RowCount:
        """How many rows the SELECT has, and how many of these the condition `recent` holds for.

        Raises:
            SourceError: The table, or the warehouse, is not there.

        """
        self.check(source)
        counting = f"SELECT COUNT(*), SUM(CASE WHEN {recent} THEN 1 ELSE 0 END) FROM ({sql}) AS spice"
        data = self._client("redshift-data")
        database = source["DataSourceParameters"]["RedshiftParameters"]["Database"]
        try:
            asked = data.execute_statement(WorkgroupName=self._workgroup(source), Database=database, Sql=counting)["Id"]
            deadline = time.monotonic() + _LONGEST_SECONDS
            while (found := data.describe_statement(Id=asked))["Status"] not in _ENDED:
                if time.monotonic() > deadline:
                    data.cancel_statement(Id=asked)
                    raise SourceError("QUERY_TIMEOUT", f"The query took longer than {_LONGEST_SECONDS:.0f} s.")
                time.sleep(_POLL_SECONDS)
            if found["Status"] != "FINISHED":
                raise _sql_error(found.get("Error", "the query failed"))
            ((total, recently),) = data.get_statement_result(Id=asked)["Records"]
        except ClientError as error:
            raise SourceError("SQL_EXCEPTION", str(error)) from error
        return RowCount(int(total["longValue"]), int(recently.get("longValue", 0)))

    def _workgroup(self, source: Mapping[str, Any]) -> str:
        """The workgroup at the data source's host and port whose namespace has its database, and its secret if any has."""
        redshift = source["DataSourceParameters"]["RedshiftParameters"]
        serverless = self._client("redshift-serverless")
        namespaces = {one["namespaceName"]: one for one in serverless.list_namespaces()["namespaces"]}
        here = [
            (one["workgroupName"], namespaces[one["namespaceName"]])
            for one in serverless.list_workgroups()["workgroups"]
            if (one["endpoint"]["address"], one["endpoint"]["port"]) == (redshift["Host"], redshift["Port"])
        ]
        if not here:
            where = f"{redshift['Host']}:{redshift['Port']}"
            raise SourceError("UNRESOLVABLE_HOST", f"There is no Redshift at {where}.")
        having = [(name, space) for name, space in here if space["dbName"] == redshift["Database"]]
        if not having:
            raise SourceError("SQL_EXCEPTION", f'database "{redshift["Database"]}" does not exist')
        theirs = [name for name, space in having if space.get("adminPasswordSecretArn") == source["SecretArn"]]
        return str(theirs[0] if theirs else having[0][0])

    def _client(self, service: str) -> Any:
        if service not in self._clients:
            self._clients[service] = boto3.session.Session().client(
                service,  # type: ignore[call-overload]
                endpoint_url=self._front.url,
                region_name=self._front.region,
                aws_access_key_id=self._front.access_key_id,
                aws_secret_access_key=self._front.secret_access_key,
                config=Config(retries={"total_max_attempts": 2}),
            )
        return self._clients[service]


def _sql_error(message: str) -> SourceError:
    if "relation" in message and "does not exist" in message:
        return SourceError("SQL_TABLE_NOT_FOUND", message)
    return SourceError("SQL_EXCEPTION", message)
