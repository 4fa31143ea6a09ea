"""The operations of `redshift-data`: ids and states in, rows out. The work is the executor's."""

import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
from shoplake_core.clock import Clock, SystemClock
from shoplake_core.endpoints import AwsEndpoint, WarehouseEndpoint

from shoplake_local.redshift.copy_filesystems import CopyFilesystems
from shoplake_local.redshift.executor import Executor
from shoplake_local.redshift.refusals import RedshiftRefusalError
from shoplake_local.redshift.schema_listing import describe_table, list_schemas, list_tables
from shoplake_local.redshift.statement_store import ENDED, StatementRecord, StatementStore, SubStatement
from shoplake_local.redshift.target import Target
from shoplake_local.service import ServiceError, UnsupportedOperationError

__all__ = ["RedshiftDataService"]

_MAX_STATEMENTS = 40
_LIST_PAGE = 100


class RedshiftDataService:
    """`redshift-data` over PostgreSQL.

    Args:
        warehouse: The PostgreSQL that plays Redshift, with a user that may make schemas.
        object_store: Where COPY reads from; None refuses COPY.
        state_folder: Holds `redshift-data.sqlite`: statements and results.
        target_of_workgroup: A workgroup's name -> its namespace's database and roles; None where there is no namespace.
        keys_of_role: ARN of a role that trusts Redshift -> access key id and secret, for COPY.
        clock: For the times shown and for durations.

    """

    service_name = "redshift-data"

    def __init__(
        self,
        warehouse: WarehouseEndpoint,
        *,
        object_store: AwsEndpoint | None,
        state_folder: Path,
        target_of_workgroup: Callable[[str], Target | None] = lambda _: None,
        keys_of_role: Callable[[str], tuple[str, str]] | None = None,
        clock: Clock | None = None,
    ) -> None:
        self._clock = clock or SystemClock()
        self._warehouse = warehouse
        state_folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._store = StatementStore(state_folder / "redshift-data.sqlite", now=self._clock.now())
        self._target_of_workgroup = target_of_workgroup
        self._executor = Executor(
            self._store,
            warehouse,
            filesystems=CopyFilesystems(object_store, keys_of_role),
            target_of=self._target_of,
            clock=self._clock,
        )
        self._operations: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
            "ExecuteStatement": self._execute_statement,
            "BatchExecuteStatement": self._batch_execute_statement,
            "DescribeStatement": self._describe_statement,
            "GetStatementResult": self._get_statement_result,
            "CancelStatement": self._cancel_statement,
            "ListStatements": self._list_statements,
            "ListDatabases": self._list_databases,
            "ListSchemas": lambda p: self._listed(p, list_schemas),
            "ListTables": lambda p: self._listed(p, list_tables),
            "DescribeTable": lambda p: self._listed(p, describe_table),
        }

    def call(self, operation: str, parameters: dict[str, Any]) -> dict[str, Any]:
        """The members of the answer.

        Raises:
            ServiceError: An error of the operation's model.
            UnsupportedOperationError: The operation, or what the parameters ask for, is not there.

        """
        if operation not in self._operations:
            raise UnsupportedOperationError(f"redshift-data {operation}")
        return self._operations[operation](parameters)

    def close(self) -> None:
        """End the workers and close the store."""
        self._executor.close()
        self._store.close()

    def _check_target(self, parameters: dict[str, Any]) -> None:
        if "SessionId" in parameters or "SessionKeepAliveSeconds" in parameters:
            raise UnsupportedOperationError("redshift-data sessions")
        if parameters.get("ResultFormat", "JSON") != "JSON":
            raise UnsupportedOperationError("redshift-data results as CSV")
        if ("WorkgroupName" in parameters) == ("ClusterIdentifier" in parameters):
            raise ServiceError("ValidationException", "Give one of WorkgroupName and ClusterIdentifier.")
        if not parameters.get("Database"):
            raise ServiceError("ValidationException", "Database is required.")
        self._target_of(parameters)

    def _target_of(self, parameters: dict[str, Any]) -> Target | None:
        workgroup = parameters.get("WorkgroupName")
        # a cluster has no namespace here
        return None if workgroup is None else self._target_of_workgroup(str(workgroup))

    def _list_databases(self, parameters: dict[str, Any]) -> dict[str, Any]:
        target = self._target_of(parameters)
        return {"Databases": [self._warehouse.database if target is None else target.database]}

    def _submit(self, parameters: dict[str, Any], sqls: list[str], *, batch: bool) -> StatementRecord:
        self._check_target(parameters)
        kept = {name: value for name, value in parameters.items() if name != "WaitTimeSeconds"}
        identifier = str(uuid.uuid4())
        record = self._store.add(identifier, sqls, request=kept, batch=batch, now=self._clock.now())
        if record.id == identifier:
            self._executor.submit(identifier)
        elif record.request != kept:
            raise ServiceError("ValidationException", "The ClientToken was used with other parameters.")
        if "WaitTimeSeconds" in parameters:
            self._store.wait_until_ended(record.id, float(parameters["WaitTimeSeconds"]))
        return record

    def _execute_statement(self, parameters: dict[str, Any]) -> dict[str, Any]:
        return _submitted(self._submit(parameters, [parameters["Sql"]], batch=False))

    def _batch_execute_statement(self, parameters: dict[str, Any]) -> dict[str, Any]:
        sqls = parameters["Sqls"]
        if not 1 <= len(sqls) <= _MAX_STATEMENTS:
            raise ServiceError(
                "ValidationException",
                f"Member must have length less than or equal to {_MAX_STATEMENTS}: Sqls has {len(sqls)}.",
            )
        return _submitted(self._submit(parameters, list(sqls), batch=True))

    def _found(self, identifier: str) -> tuple[StatementRecord, SubStatement | None]:
        base, _, number = identifier.partition(":")
        try:
            record = self._store.get(base)
            return record, (record.parts[int(number) - 1] if number else None)
        except (KeyError, IndexError, ValueError) as error:
            raise ServiceError("ResourceNotFoundException", f"Query {identifier} does not exist.") from error

    def _describe_statement(self, parameters: dict[str, Any]) -> dict[str, Any]:
        record, part = self._found(parameters["Id"])
        if "WaitTimeSeconds" in parameters:
            self._store.wait_until_ended(record.id, float(parameters["WaitTimeSeconds"]))
            record, part = self._found(parameters["Id"])
        if part is not None:
            return _part_members(record, part) | _target(record)
        return _whole_members(record) | _target(record)

    def _get_statement_result(self, parameters: dict[str, Any]) -> dict[str, Any]:
        record, part = self._found(parameters["Id"])
        if "WaitTimeSeconds" in parameters:
            self._store.wait_until_ended(record.id, float(parameters["WaitTimeSeconds"]))
            record, part = self._found(parameters["Id"])
        if part is None:
            if record.batch and len(record.parts) > 1:
                raise ServiceError("ValidationException", "Name one statement of the batch, as in <id>:1.")
            part = record.parts[0]
        if part.status != "FINISHED":
            raise ServiceError("ResourceNotFoundException", f"Query is {part.status}: it has no result.")
        if part.columns is None:
            raise ServiceError("ResourceNotFoundException", "Query does not have result. Please check query status.")
        token = parameters.get("NextToken", "0")
        if not token.isdigit():
            raise ServiceError("ValidationException", "The NextToken is none of ours.")
        records, more = self._store.page(record.id, part.number, int(token))
        answer = {"Records": records, "ColumnMetadata": part.columns, "TotalNumRows": part.rows}
        return answer | ({"NextToken": str(int(token) + 1)} if more else {})

    def _cancel_statement(self, parameters: dict[str, Any]) -> dict[str, Any]:
        record, _ = self._found(parameters["Id"])
        if not self._executor.cancel(record.id):
            raise ServiceError(
                "ValidationException", f"Could not cancel a query that is already in {record.status} state."
            )
        return {"Status": True}

    def _list_statements(self, parameters: dict[str, Any]) -> dict[str, Any]:
        wanted, name = parameters.get("Status", "FINISHED"), parameters.get("StatementName", "")
        records = [
            record
            for record in self._store.newest()
            if wanted in {"ALL", record.status} and record.request.get("StatementName", "").startswith(name)
        ]
        start, size = int(parameters.get("NextToken", "0")), parameters.get("MaxResults") or _LIST_PAGE
        answer: dict[str, Any] = {"Statements": [_listed_members(record) for record in records[start : start + size]]}
        return answer | ({"NextToken": str(start + size)} if start + size < len(records) else {})

    def _listed(
        self,
        parameters: dict[str, Any],
        listing: Callable[[psycopg.Connection[Any], dict[str, Any]], dict[str, Any]],
    ) -> dict[str, Any]:
        self._check_target(parameters)
        try:
            with self._executor.connected(parameters) as connection:
                return listing(connection, parameters)
        except RedshiftRefusalError as error:
            raise ServiceError("DatabaseConnectionException", str(error), 500) from error
        except psycopg.Error as error:
            raise ServiceError("DatabaseConnectionException", str(error).strip(), 500) from error


def _target(record: StatementRecord) -> dict[str, Any]:
    names = ("Database", "WorkgroupName", "ClusterIdentifier", "SecretArn", "DbUser")
    return {name: record.request[name] for name in names if name in record.request}


def _submitted(record: StatementRecord) -> dict[str, Any]:
    return {"Id": record.id, "CreatedAt": record.created} | _target(record)


def _part_members(record: StatementRecord, part: SubStatement) -> dict[str, Any]:
    members = {
        "Id": f"{record.id}:{part.number}",
        "Status": part.status,
        "CreatedAt": part.created,
        "UpdatedAt": part.updated,
        "QueryString": part.sql,
        "HasResultSet": part.columns is not None,
        "ResultRows": part.rows,
        "ResultSize": part.size_bytes,
        "Duration": part.duration_ns,
        "RedshiftQueryId": -1,
    }
    return members | ({"Error": part.error} if part.error else {})


def _whole_members(record: StatementRecord) -> dict[str, Any]:
    first = record.parts[0]
    members: dict[str, Any] = {
        "Id": record.id,
        "Status": record.status,
        "CreatedAt": record.created,
        "UpdatedAt": max(part.updated for part in record.parts),
        "HasResultSet": any(part.columns is not None for part in record.parts),
        "ResultRows": -1 if record.batch else first.rows,
        "ResultSize": sum(part.size_bytes for part in record.parts),
        "Duration": sum(part.duration_ns for part in record.parts),
        "RedshiftPid": 0,
        "RedshiftQueryId": -1,
    }
    if record.request.get("Parameters"):
        members["QueryParameters"] = record.request["Parameters"]
    if record.batch:
        members["SubStatements"] = [_part_members(record, part) for part in record.parts]
    else:
        members["QueryString"] = first.sql
    if record.status in ENDED:
        failed = [part for part in record.parts if part.status == "FAILED"] or [p for p in record.parts if p.error]
        if failed:
            members["Error"] = (
                f"Query #{failed[0].number} failed with {failed[0].error}" if record.batch else failed[0].error
            )
    return members


def _listed_members(record: StatementRecord) -> dict[str, Any]:
    members: dict[str, Any] = {
        "Id": record.id,
        "Status": record.status,
        "CreatedAt": record.created,
        "UpdatedAt": max(part.updated for part in record.parts),
        "IsBatchStatement": record.batch,
        "QueryString": record.parts[0].sql,
    }
    if record.batch:
        members["QueryStrings"] = [part.sql for part in record.parts]
    if record.request.get("StatementName"):
        members["StatementName"] = record.request["StatementName"]
    return members
