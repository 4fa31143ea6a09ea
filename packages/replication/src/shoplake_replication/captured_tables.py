"""Which tables are captured now, which wait for their load, and which are stopped and why."""

from typing import Any

import pymysql
from shoplake_core.errors import SourceError
from shoplake_mysql.tables import TableShape, list_tables, read_table_shape

from shoplake_replication.change_rows import HeaderNames
from shoplake_replication.collecting import CapturedTable
from shoplake_replication.loading import check_shape
from shoplake_replication.s3_settings import S3Settings
from shoplake_replication.state import ReplicatorState, TableState, TableStatus
from shoplake_replication.table_mappings import HeaderColumn, TableMappings, TableRoute

__all__ = ["CapturedTables"]


class CapturedTables:
    """The tables that the mappings select, with their state.

    Attributes:
        captured: Tables that are loaded and followed, by (schema, table).
        unknown: Tables seen in the stream that are selected and were never loaded.

    """

    def __init__(self, mappings: TableMappings, settings: S3Settings, state: ReplicatorState) -> None:
        self._mappings = mappings
        self._settings = settings
        self._state = state
        self.captured: dict[tuple[str, str], CapturedTable] = {}
        self.unknown: set[tuple[str, str]] = set()

    def wanted(self, schema: str, table: str) -> bool:
        """Whether rows of that table are read."""
        if (schema, table) in self.captured:
            return True
        route = self._mappings.route(schema, table)
        if route is not None and route.source not in self._state.tables:
            self.unknown.add((schema, table))
        return False

    def header_names(self, route: TableRoute) -> HeaderNames:
        """Names of the table's header columns."""
        return HeaderNames(
            self._settings.timestamp_column,
            self._mappings.header_name(route.schema, route.table, HeaderColumn.SEQUENCE),
            self._mappings.header_name(route.schema, route.table, HeaderColumn.STREAM_POSITION),
        )

    def discover(self, connection: "pymysql.connections.Connection[Any]") -> None:
        """Every selected table of the server has a state; loaded ones are captured, new ones wait for their load."""
        for schema, table in list_tables(connection):
            route = self._mappings.route(schema, table)
            if route is not None:
                self._state.tables.setdefault(route.source, TableState())
        self.unknown.clear()
        self.refresh(connection)

    def refresh(self, connection: "pymysql.connections.Connection[Any]") -> None:
        """The loaded tables are captured in the shape that they have now."""
        for schema, table in list_tables(connection):
            route = self._mappings.route(schema, table)
            state = self._state.tables.get(route.source) if route else None
            if route is None or state is None:
                continue
            if state.status is TableStatus.STOPPED:
                continue
            try:
                shape = read_table_shape(connection, schema, table)
                check_shape(shape)
            except SourceError as error:
                self.stop(schema, table, str(error))
                continue
            if state.status is TableStatus.OK:
                self.capture(route, shape)

    def capture(self, route: TableRoute, shape: TableShape) -> None:
        """The loaded table is followed."""
        self.captured[route.schema, route.table] = CapturedTable(
            route, self.header_names(route), frozenset(shape.left_out), self._state.tables[route.source].floor
        )

    def to_load(self, connection: "pymysql.connections.Connection[Any]") -> list[TableRoute]:
        """Routes of the tables that wait for their load."""
        routes = [self._mappings.route(schema, table) for schema, table in list_tables(connection)]
        return [
            route
            for route in routes
            if route is not None
            and route.source in self._state.tables
            and self._state.tables[route.source].status is TableStatus.LOADING
        ]

    def stop(self, schema: str, table: str, reason: str) -> None:
        """The table is no longer followed; the others go on."""
        self.captured.pop((schema, table), None)
        state = self._state.tables.setdefault(f"{schema}.{table}", TableState())
        state.status, state.reason = TableStatus.STOPPED, reason

    def load_again(self, source: str) -> bool:
        """Whether there is such a table; it now waits for a load."""
        state = self._state.tables.get(source)
        if state is None:
            return False
        state.status, state.reason = TableStatus.LOADING, ""
        for key, captured in list(self.captured.items()):
            if captured.route.source == source:
                del self.captured[key]
        return True

    def of_schema(self, schema: str) -> list[tuple[str, str]]:
        """Captured tables of a schema."""
        return [key for key in self.captured if key[0] == schema]
