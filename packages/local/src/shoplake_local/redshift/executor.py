"""Runs submitted statements on PostgreSQL: a few worker threads, a connection a request, real states.

A batch is one transaction at Redshift's isolation (a snapshot), so that two loads which meet fail here as they do there,
with error 1023.
"""

import queue
import threading
from collections.abc import Callable
from contextlib import closing, suppress
from typing import Any

import psycopg
import pyarrow as pa
from psycopg import errors as pgerrors
from shoplake_core.clock import Clock
from shoplake_core.endpoints import WarehouseEndpoint

from shoplake_local.redshift.copy_command import CopyCommand
from shoplake_local.redshift.copy_filesystems import CopyFilesystems
from shoplake_local.redshift.copy_parquet import copy_parquet
from shoplake_local.redshift.refusals import RedshiftRefusalError, StatementError
from shoplake_local.redshift.results import StatementResult, statement_result
from shoplake_local.redshift.shims import SEARCH_PATH, install_shims
from shoplake_local.redshift.statement_store import ENDED, StatementStore
from shoplake_local.redshift.statements import CopyStatement, NoOperation, PreparedStatement, prepare_statement
from shoplake_local.redshift.table_ddl import BYTES_CONSTRAINT_PREFIX
from shoplake_local.redshift.target import Target

__all__ = ["Executor"]

_WORKERS = 4
_CONNECT_TIMEOUT_SECONDS = 10


class Executor:
    """Runs what `submit` names, in order of submission, up to four at a time.

    Args:
        store: The statements.
        endpoint: PostgreSQL.
        filesystems: What COPY reads.
        target_of: A request's workgroup as the namespace it runs on; None where there is none.
        clock: Times and durations.

    """

    def __init__(
        self,
        store: StatementStore,
        endpoint: WarehouseEndpoint,
        *,
        filesystems: CopyFilesystems,
        target_of: Callable[[dict[str, Any]], Target | None],
        clock: Clock,
    ) -> None:
        self._store, self._endpoint, self._clock = store, endpoint, clock
        self._filesystems, self._target_of = filesystems, target_of
        self._queue: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        self._running: dict[str, psycopg.Connection[Any]] = {}
        self._prepared_databases: set[str] = set()
        self._lock = threading.Lock()
        self._threads = [
            threading.Thread(target=self._work, name=f"redshift-{number}", daemon=True) for number in range(_WORKERS)
        ]
        for thread in self._threads:
            thread.start()

    def submit(self, identifier: str) -> None:
        """Run that statement of the store soon."""
        self._queue.put(identifier)

    def cancel(self, identifier: str) -> bool:
        """Whether the statement was still to end, and now ends as ABORTED."""
        record = self._store.get(identifier)
        if record.status in ENDED:
            return False
        open_parts = [part.number for part in record.parts if part.status not in ENDED]
        self._store.move(
            identifier, open_parts, "ABORTED", now=self._clock.now(), error="Query was cancelled by the user"
        )
        with self._lock:
            connection = self._running.get(identifier)
        if connection is not None:
            with suppress(psycopg.Error):
                connection.cancel_safe()
        return True

    def close(self) -> None:
        """End the workers; what runs is cancelled."""
        for _ in self._threads:
            self._queue.put(None)
        with self._lock:
            running = list(self._running.values())
        for connection in running:
            with suppress(psycopg.Error):
                connection.cancel_safe()
        for thread in self._threads:
            thread.join(timeout=5)

    def connected(self, request: dict[str, Any]) -> psycopg.Connection[Any]:
        """A connection to the database of a request, which must be one of its workgroup's.

        Raises:
            psycopg.Error: PostgreSQL is not there or has no such database.
            RedshiftRefusalError: The database is not of that workgroup.

        """
        target, database = self._target_of(request), str(request.get("Database") or self._endpoint.database)
        if target is None:
            return self.connect(database)
        if database != target.database:
            raise RedshiftRefusalError(f'database "{database}" does not exist', f"the namespace has {target.database}")
        return self.connect(target.kept_as)

    def connect(self, database: str) -> psycopg.Connection[Any]:
        """A connection that sees Redshift's functions and thinks in UTC.

        Raises:
            psycopg.Error: PostgreSQL is not there or has no such database.

        """
        connection: psycopg.Connection[Any] = psycopg.connect(
            host=self._endpoint.host,
            port=self._endpoint.port,
            user=self._endpoint.user,
            password=self._endpoint.password,
            dbname=database,
            autocommit=True,
            connect_timeout=_CONNECT_TIMEOUT_SECONDS,
        )
        with self._lock:
            if database not in self._prepared_databases:
                install_shims(connection)
                self._prepared_databases.add(database)
        connection.execute("SET search_path = " + SEARCH_PATH)
        # A killed service leaves no statement running for long; results are exact texts in UTC.
        connection.execute("SET client_connection_check_interval = '1s'")
        connection.execute("SET timezone = 'UTC'")
        connection.execute("SET work_mem = '64MB'")  # a warehouse groups in memory, not on disk
        return connection

    def _work(self) -> None:
        while (identifier := self._queue.get()) is not None:
            try:
                self._run(identifier)
            except Exception as error:  # noqa: BLE001 - a worker must outlive any one statement
                self._fail(identifier, f"ERROR: internal error of the local warehouse: {error!r}")

    def _fail(self, identifier: str, error: str) -> None:
        open_parts = [part.number for part in self._store.get(identifier).parts if part.status not in ENDED]
        self._store.move(identifier, open_parts, "FAILED", now=self._clock.now(), error=error)

    def _run(self, identifier: str) -> None:
        record = self._store.get(identifier)
        if record.status != "SUBMITTED":
            return  # cancelled while it waited
        try:
            connection = self.connected(record.request)
        except (StatementError, psycopg.Error) as error:
            self._fail(identifier, _error_text(error))
            return
        # closing, not `with connection`: that would commit what an aborted batch has done so far
        with closing(connection):
            with self._lock:
                self._running[identifier] = connection
            try:
                self._run_parts(identifier, connection)
            finally:
                with self._lock:
                    self._running.pop(identifier, None)

    def _run_parts(self, identifier: str, connection: psycopg.Connection[Any]) -> None:
        record = self._store.get(identifier)
        parameters = {p["name"]: p["value"] for p in record.request.get("Parameters", ())}
        together = record.batch and record.request.get("ExecutionMode", "TRANSACTION") == "TRANSACTION"
        results: dict[int, tuple[StatementResult, int]] = {}
        if together:
            connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ")
        for part in record.parts:
            if not self._store.move(identifier, [part.number], "STARTED", now=self._clock.now()):
                return  # aborted; closing the connection rolls back
            started_seconds = self._clock.monotonic_seconds()
            try:
                prepared = prepare_statement(part.sql, in_transaction=together)
                result = self._execute(connection, prepared, parameters, request=record.request)
                if together and part.number == len(record.parts):
                    connection.execute("COMMIT")
            except (StatementError, psycopg.Error, pa.ArrowException, OSError, ValueError) as error:
                duration_ns = int((self._clock.monotonic_seconds() - started_seconds) * 1e9)
                self._part_failed(
                    identifier, part.number, _error_text(error), together=together, duration_ns=duration_ns
                )
                if together:
                    return
                continue
            duration_ns = int((self._clock.monotonic_seconds() - started_seconds) * 1e9)
            results[part.number] = (result, duration_ns)
            if not together:
                self._store.finish(identifier, {part.number: results[part.number]}, now=self._clock.now())
        if together:
            self._store.finish(identifier, results, now=self._clock.now())

    def _part_failed(self, identifier: str, number: int, error: str, *, together: bool, duration_ns: int) -> None:
        now = self._clock.now()
        self._store.move(identifier, [number], "FAILED", now=now, error=error, duration_ns=duration_ns)
        if together:  # none of the others happened either
            others = [part.number for part in self._store.get(identifier).parts if part.status not in ENDED]
            message = f"the transaction was rolled back: statement {number} failed"
            self._store.move(identifier, others, "ABORTED", now=now, error=message)

    def _execute(
        self,
        connection: psycopg.Connection[Any],
        prepared: PreparedStatement,
        parameters: dict[str, str],
        *,
        request: dict[str, Any],
    ) -> StatementResult:
        if isinstance(prepared, NoOperation):
            return StatementResult(None, [], -1, 0)
        if isinstance(prepared, CopyStatement):
            return StatementResult(None, [], self._copied_rows(connection, prepared.command, request), 0)
        missing = [name for name in prepared.parameters if name not in parameters]
        if missing:
            raise RedshiftRefusalError(f"Parameters {', '.join(missing)} have no value", "give each :name a parameter")
        with psycopg.RawCursor(connection) as cursor:
            cursor.execute(prepared.sql.encode(), [parameters[name] for name in prepared.parameters] or None)
            return statement_result(cursor)

    def _copied_rows(self, connection: psycopg.Connection[Any], command: CopyCommand, request: dict[str, Any]) -> int:
        filesystem = self._filesystems.of(self._target_of(request), command.role)
        if connection.info.transaction_status is psycopg.pq.TransactionStatus.IDLE:
            with connection.transaction():
                return copy_parquet(connection, filesystem, command)
        return copy_parquet(connection, filesystem, command)


def _error_text(error: BaseException) -> str:
    if isinstance(error, StatementError):
        return str(error)
    if isinstance(error, pgerrors.CheckViolation) and (error.diag.constraint_name or "").startswith(
        BYTES_CONSTRAINT_PREFIX
    ):
        column = (error.diag.constraint_name or "").removeprefix(BYTES_CONSTRAINT_PREFIX)
        return (
            f"ERROR: Value too long for character type\n  Detail: column {column} of {error.diag.table_name}, in bytes"
        )
    if isinstance(error, pgerrors.SerializationFailure):
        return (
            "ERROR: 1023\n  Detail: Serializable isolation violation on table - "
            f"{error.diag.table_name or 'unknown'}, {error.diag.message_primary}"
        )
    if isinstance(error, psycopg.Error) and error.diag.message_primary:
        detail = f"\n  Detail: {error.diag.message_detail}" if error.diag.message_detail else ""
        return f"ERROR: {error.diag.message_primary}{detail}"
    return f"ERROR: {str(error).strip()}"
