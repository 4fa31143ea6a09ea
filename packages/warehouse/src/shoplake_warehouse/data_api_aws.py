"""The Redshift Data API as three calls: run statements, run them as one transaction, ask a query.

A statement is submitted exactly once: retries of a lost or throttled submit carry the same ClientToken. While polling,
throttling and a lost connection say nothing about the statement. Error 1023 (two transactions met) repeats the whole
transaction, a few times, with a delay; every other error is final.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError, HTTPClientError
from botocore.exceptions import ConnectionError as BotoConnectionError
from shoplake_core.errors import CredentialError, ResourceError

from shoplake_warehouse.errors import WarehouseStatementError

if TYPE_CHECKING:
    from shoplake_core.clock import Clock

__all__ = ["DataApi", "QueryResult", "Session", "query"]

_SERIALIZATION = re.compile(r"\berror:?\s*1023\b|serializable isolation violation", re.IGNORECASE)
_BUSY_CODES = frozenset(
    {"ThrottlingException", "TooManyRequestsException", "ActiveStatementsExceededException", "InternalServerException"}
)
_DENIED_CODES = frozenset({"AccessDeniedException", "UnrecognizedClientException", "ExpiredTokenException"})
_FIRST_POLL_SECONDS = 0.05
_LAST_POLL_SECONDS = 2.0
_BUSY_SECONDS = 1.0
_MAX_BUSY_ANSWERS = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """Which warehouse, and how patient to be.

    Attributes:
        workgroup: Redshift Serverless workgroup.
        database: Database name.
        secret_arn: Secret that holds the database user; "" for the caller's IAM identity.
        timeout_seconds: Longest time one transaction may take; the Data API's own limit is a day.
        attempts: How often a transaction that met another one (error 1023) is tried in all.
        retry_seconds: Delay before the second attempt; doubles each time.

    """

    workgroup: str
    database: str
    secret_arn: str = ""
    timeout_seconds: float = 6 * 3600.0
    attempts: int = 5
    retry_seconds: float = 2.0

    @property
    def target(self) -> dict[str, Any]:
        """The members that name the warehouse in every request."""
        named = {"WorkgroupName": self.workgroup, "Database": self.database}
        return named | ({"SecretArn": self.secret_arn} if self.secret_arn else {})


@dataclass(frozen=True, slots=True)
class QueryResult:
    """The rows of a query, in Python's own types (numbers exact, times as `datetime`)."""

    columns: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]


def _new_token() -> str:
    return str(uuid.uuid4())


@dataclass(slots=True)
class DataApi:
    """Runs statements through a boto3 `redshift-data` client."""

    client: Any
    session: Session
    clock: Clock
    new_token: Callable[[], str] = field(default=_new_token)

    def run(self, sql: str, *, parameters: Mapping[str, str] | None = None) -> str:
        """The id of the one statement, finished.

        Raises:
            WarehouseStatementError: It failed, was aborted or took too long.

        """
        request: dict[str, Any] = {"Sql": sql}
        if parameters:
            request["Parameters"] = [{"name": name, "value": value} for name, value in parameters.items()]
        return self._finished(self.client.execute_statement, request, sql)

    def run_together(self, statements: Sequence[str]) -> str:
        """The id of the statements, finished as ONE transaction: all of them happened.

        Raises:
            WarehouseStatementError: None of them happened: one failed, was aborted, or all took too long.

        """
        return self._finished(self.client.batch_execute_statement, {"Sqls": list(statements)}, statements[-1])

    def query(self, sql: str, *, parameters: Mapping[str, str] | None = None) -> QueryResult:
        """The whole result of one SELECT, over as many pages as it has.

        Raises:
            WarehouseStatementError: It failed, was aborted or took too long.

        """
        request: dict[str, Any] = {"Id": self.run(sql, parameters=parameters)}
        columns: tuple[str, ...] = ()
        rows: list[tuple[Any, ...]] = []
        while True:
            page = self._patiently(self.client.get_statement_result, request)
            kinds = [column["typeName"] for column in page["ColumnMetadata"]]
            columns = tuple(column["label"] for column in page["ColumnMetadata"])
            rows += [tuple(map(_value, record, kinds)) for record in page["Records"]]
            if not page.get("NextToken"):
                return QueryResult(columns, tuple(rows))
            request["NextToken"] = page["NextToken"]

    def _finished(self, submit: Callable[..., Any], request: dict[str, Any], shown: str) -> str:
        delay_seconds = self.session.retry_seconds
        for attempt in range(1, self.session.attempts + 1):
            answer = self._patiently(submit, request | self.session.target | {"ClientToken": self.new_token()})
            error = self._outcome(answer["Id"])
            if error is None:
                return str(answer["Id"])
            if attempt == self.session.attempts or not _SERIALIZATION.search(error):
                break
            self.clock.sleep(delay_seconds)
            delay_seconds *= 2
        raise WarehouseStatementError(
            f"the warehouse refused a statement{f' after {attempt} attempts' if attempt > 1 else ''}: {error}\n"
            f"  statement: {' '.join(shown.split())[:200]}",
            hint="correct the statement, or the contract or model that it was made from",
            statement_id=answer["Id"],
            attempts=attempt,
        )

    def _outcome(self, statement_id: str) -> str | None:
        """None once it has finished; else why it failed."""
        deadline_seconds = self.clock.monotonic_seconds() + self.session.timeout_seconds
        poll_seconds = _FIRST_POLL_SECONDS
        while True:
            answer = self._patiently(self.client.describe_statement, {"Id": statement_id})
            status = answer["Status"]
            if status == "FINISHED":
                return None
            if status in {"FAILED", "ABORTED"}:
                return _reason(answer)
            if self.clock.monotonic_seconds() >= deadline_seconds:
                with suppress(WarehouseStatementError):  # it may have ended this very moment
                    self._patiently(self.client.cancel_statement, {"Id": statement_id})
                if self._patiently(self.client.describe_statement, {"Id": statement_id})["Status"] == "FINISHED":
                    return None
                return f"still {status} after {self.session.timeout_seconds:.0f} s, so it was cancelled"
            self.clock.sleep(poll_seconds)
            poll_seconds = min(poll_seconds * 1.5, _LAST_POLL_SECONDS)

    def _patiently(self, call: Callable[..., Any], request: dict[str, Any]) -> Any:
        """The call's answer. Busy answers and lost connections are waited out: the request is safe to repeat as it is."""
        for attempt in range(1, _MAX_BUSY_ANSWERS + 1):
            try:
                return call(**request)
            except ClientError as error:
                code = error.response.get("Error", {}).get("Code", "")
                if code in _DENIED_CODES:
                    raise CredentialError(
                        f"the Redshift Data API refused the caller: {error}", hint="check role, workgroup and secret"
                    ) from error
                if code not in _BUSY_CODES or attempt == _MAX_BUSY_ANSWERS:
                    raise WarehouseStatementError(
                        f"the Redshift Data API answered {code}: {error}",
                        hint=f"workgroup {self.session.workgroup}, database {self.session.database}",
                        api_code=code,
                    ) from error
            except (BotoConnectionError, HTTPClientError) as error:
                if attempt == _MAX_BUSY_ANSWERS:
                    raise ResourceError(
                        f"the Redshift Data API cannot be reached: {error}", hint="is the endpoint right, is it up?"
                    ) from error
            self.clock.sleep(_BUSY_SECONDS)
        raise AssertionError  # the last attempt answers or raises


def _reason(answer: Mapping[str, Any]) -> str:
    parts = [f"statement {s['Id']}: {s['Error']}" for s in answer.get("SubStatements", ()) if s.get("Error")]
    return str(answer.get("Error") or "; ".join(parts) or answer["Status"])


def _value(cell: Mapping[str, Any], kind: str) -> Any:
    if cell.get("isNull"):
        return None
    ((_, value),) = cell.items()
    if not isinstance(value, str):
        return value
    if kind in {"numeric", "decimal"}:
        return Decimal(value)
    if kind == "date":
        return date.fromisoformat(value)
    if kind in {"timestamp", "timestamptz"}:
        return datetime.fromisoformat(value)
    return value


def query(
    client: Any,
    sql: str,
    *,
    session: Session,
    clock: Clock,
    parameters: Mapping[str, str] | None = None,
) -> QueryResult:
    """Columns and rows of one SELECT; `:name` in the SQL is bound to `parameters["name"]`.

    Raises:
        WarehouseStatementError: It failed, was aborted or took too long.

    """
    return DataApi(client, session, clock).query(sql, parameters=parameters)
