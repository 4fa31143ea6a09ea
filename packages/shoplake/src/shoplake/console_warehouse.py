"""The warehouse as pages ask it: many queries at a time, each answered soon or refused in words. Data API only."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from shoplake_core.clock import Clock
from shoplake_core.errors import CredentialError, ResourceError, ShoplakeError
from shoplake_dashboards.sql import Query
from shoplake_warehouse.data_api_aws import DataApi, Session
from shoplake_warehouse.errors import WarehouseStatementError

from shoplake.cloud import Cloud

__all__ = ["ConsoleWarehouse", "Rows", "warehouse_of"]

Rows = Sequence[Mapping[str, Any]]

_AT_ONCE = 8
_PATIENCE_SECONDS = 45.0  # a warehouse that sleeps takes some ten seconds to wake up
_UP = "is it up? shoplake status says so, and shoplake up starts it on a laptop; then load this page again"
_NOT_THERE = "does not exist"
_NO_CONNECTION = re.compile(r"connection (?:failed|refused|timed out|is closed)|could not connect", re.IGNORECASE)


class _UnreachableError(ResourceError):
    """The warehouse or the Data API before it does not answer: no other query of the page will be."""


@dataclass(frozen=True)
class _Prompt:
    """A `redshift-data` client whose lost connections are told at once; only a statement is waited for."""

    client: Any

    def __getattr__(self, name: str) -> Callable[..., Any]:
        call = getattr(self.client, name)

        def answered(**request: Any) -> Any:
            try:
                return call(**request)
            except ClientError:
                raise
            except BotoCoreError as error:
                raise _UnreachableError(f"the warehouse cannot be asked: {error}", hint=_UP) from error

        return answered


@dataclass(frozen=True)
class ConsoleWarehouse:
    """One environment's warehouse.

    Attributes:
        client: A boto3 `redshift-data` client.
        workgroup: Redshift Serverless workgroup.
        database: Its database.
        clock: Time.
        patience_seconds: How long a reader waits for one query.

    """

    client: Any
    workgroup: str
    database: str
    clock: Clock
    patience_seconds: float = field(default=_PATIENCE_SECONDS)

    def rows(self, sql: str, parameters: Mapping[str, str] | None = None, *, what: str) -> Rows:
        """The rows of one SELECT, `:name` in it bound.

        Args:
            sql: The SELECT.
            parameters: What is bound.
            what: Whose rows they are, for the error.

        Raises:
            ResourceError: The warehouse does not answer, not in time, or refuses the statement.

        """
        session = Session(workgroup=self.workgroup, database=self.database, timeout_seconds=self.patience_seconds)
        try:
            result = DataApi(_Prompt(self.client), session, self.clock).query(sql, parameters=parameters)
        except WarehouseStatementError as error:
            reason = error.message.partition("\n")[0].removeprefix("the warehouse refused a statement: ")
            if _NO_CONNECTION.search(reason):
                hint = _next_step(reason) if _NOT_THERE in reason else _UP
                raise _UnreachableError(f"the warehouse does not answer: {_short(reason)}", hint=hint) from error
            raise ResourceError(
                f"the warehouse refused the query of {what}: {reason}", hint=_next_step(reason)
            ) from error
        return [dict(zip(result.columns, row, strict=True)) for row in result.rows]

    def asked(self, queries: Iterable[Query]) -> Callable[[Query], Rows]:
        """What answers a query: those are asked here, side by side, any other when it comes.

        Where the warehouse is not reached by one, the others are not tried: a page with forty queries waits once.
        """
        unreachable: list[ShoplakeError] = []
        found: dict[tuple[str, tuple[tuple[str, str], ...]], Rows | ShoplakeError] = {}

        def ask(query: Query) -> Rows | ShoplakeError:
            if unreachable:
                return unreachable[0]
            try:
                return self.rows(query.sql, query.parameters, what=query.tile)
            except (_UnreachableError, CredentialError) as error:
                unreachable.append(error)
                return error
            except ShoplakeError as error:
                return error

        distinct = {_key(query): query for query in queries}
        with ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="tile") as pool:
            found.update(zip(distinct, pool.map(ask, distinct.values()), strict=True))

        def answer(query: Query) -> Rows:
            rows = found.get(_key(query))
            if rows is None:
                rows = found[_key(query)] = ask(query)
            if isinstance(rows, ShoplakeError):
                raise rows
            return rows

        return answer


def warehouse_of(cloud: Cloud) -> ConsoleWarehouse:
    """The warehouse of that environment."""
    names = cloud.names
    return ConsoleWarehouse(cloud.aws.client("redshift-data"), names.workgroup, names.warehouse_database, cloud.clock)


def _key(query: Query) -> tuple[str, tuple[tuple[str, str], ...]]:
    return query.sql, tuple(query.parameters.items())


def _next_step(reason: str) -> str:
    """What a reader does about a refused statement."""
    if _NOT_THERE in reason:
        return "a run makes the warehouse and its tables as the contracts say: shoplake run"
    return "do its tables match the gold contracts? A run brings them up to date: shoplake run"


def _short(reason: str) -> str:
    """The driver's words without what they repeat."""
    return reason.removeprefix("ERROR: ").removeprefix("connection failed: ")
