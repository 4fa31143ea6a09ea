"""Spark's and Iceberg's exceptions as ours, without a value of any row: their messages may hold one."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from py4j.protocol import Py4JError, Py4JJavaError  # type: ignore[import-untyped]
from pyspark.errors import AnalysisException, PySparkException
from shoplake_core.errors import ConflictError, ContractError, DataError, ResourceError, ShoplakeError

__all__ = ["spark_errors_as_ours"]

# Messages of these speak of files, requests and table metadata; Spark's own may print a row's value.
_QUOTABLE = ("software.amazon.", "org.apache.iceberg.", "org.apache.hadoop.", "java.io.", "java.net.", "java.nio.")
_CONFLICTS = ("CommitFailedException", "ConcurrentModificationException", "ValidationException")
_MAX_CHARACTERS = 400
_MAX_CAUSES = 12
_DATA_CONDITIONS = (
    "CAST_",
    "ARITHMETIC_OVERFLOW",
    "NUMERIC_VALUE_OUT_OF_RANGE",
    "DIVIDE_BY_ZERO",
    "INVALID_",
    "DATETIME_",
)


def _causes(throwable: Any) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    while throwable is not None and len(found) < _MAX_CAUSES:
        name = str(throwable.getClass().getName())
        found.append((name, str(throwable.getMessage() or "") if name.startswith(_QUOTABLE) else ""))
        throwable = throwable.getCause()
    return found


def _java_causes(error: BaseException) -> list[tuple[str, str]]:
    throwable = error.java_exception if isinstance(error, Py4JJavaError) else getattr(error, "_origin", None)
    try:
        return _causes(throwable)
    except Py4JError:  # the JVM itself is gone
        return []


def _ours(error: BaseException, table: str) -> ShoplakeError:
    causes = _java_causes(error)
    condition = (error.getCondition() or "") if isinstance(error, PySparkException) else ""
    said = next((f"{name}: {message}" for name, message in reversed(causes) if message), "")
    names = " <- ".join(dict.fromkeys(name.rpartition(".")[2] for name, _ in causes)) or type(error).__name__
    what = f"{condition or names} {said}".strip()[:_MAX_CHARACTERS]
    if any(name.endswith(_CONFLICTS) for name, _ in causes):
        return ConflictError(f"{table}: another writer changed the table: {what}", hint="run again", table=table)
    if condition.startswith(_DATA_CONDITIONS):
        return DataError(
            f"{table}: a value cannot be computed ({condition}); it is not shown here",
            hint="run the query by hand with try_ functions to find the row",
            table=table,
        )
    if isinstance(error, AnalysisException):
        # Analysis sees names and types, never rows
        text = str(error.getMessage() or what).partition("\n")[0][:_MAX_CHARACTERS]
        return ContractError(f"{table}: {text}", hint="compare the SQL with the contract's columns", table=table)
    return ResourceError(
        f"{table}: Spark failed: {what}",
        hint="the run changed nothing of this table; see the cause, then run again",
        table=table,
    )


@contextmanager
def spark_errors_as_ours(table: str) -> Iterator[None]:
    """What Spark, Iceberg or the JVM raises inside becomes a `ShoplakeError` that names `table`."""
    try:
        yield
    except (PySparkException, Py4JError, ConnectionError) as error:  # refused connections: the JVM itself is gone
        # `from None`: a traceback that showed the cause would print its message
        raise _ours(error, table) from None
