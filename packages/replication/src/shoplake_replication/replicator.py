"""The replicator's life: start checks, loads, then the stream in cuts until it is told to stop.

Order of every durable step: files on disk, manifest, uploads, state. A restart repeats what is not known to be done.
"""

import secrets
from collections.abc import Callable
from typing import Any

import pymysql
from shoplake_core.clock import Clock
from shoplake_core.errors import CredentialError, ResourceError, ShoplakeError, SourceError
from shoplake_core.names import MARKER_SCHEMA, MARKER_TABLE
from shoplake_core.sequences import BinlogPosition, parse_binlog_position
from shoplake_mysql.connections import connect, fetch_all, quote_name
from shoplake_mysql.lineage import ensure_lineage
from shoplake_mysql.marker import ensure_marker_table
from shoplake_mysql.server_facts import ServerFacts, read_binlog_position, read_server_facts, read_source_clock
from shoplake_mysql.snapshot import open_snapshot

from shoplake_replication.binlog_stream import BinlogStream
from shoplake_replication.bronze_aws import Bronze
from shoplake_replication.captured_tables import CapturedTables
from shoplake_replication.config import ReplicatorConfig
from shoplake_replication.cuts import apply_cut, load_cut, remove_cut, upload_cut
from shoplake_replication.dialects import read_dialect
from shoplake_replication.durable_files import lock_folder
from shoplake_replication.errors import LineageError
from shoplake_replication.failpoints import NO_FAILPOINT, Failpoint, Step
from shoplake_replication.header_columns import place_of
from shoplake_replication.loading import LoadPlan, load_table
from shoplake_replication.open_cut import OpenCut
from shoplake_replication.reload_requests import ALL_TABLES, finish_request, requested_reloads
from shoplake_replication.source_checks import (
    cascade_warnings,
    check_position,
    check_server_id_is_free,
    check_settings,
    retention_warnings,
)
from shoplake_replication.state import ReplicatorState, load_state, save_state
from shoplake_replication.statements import StatementKind
from shoplake_replication.status import RunState, write_status
from shoplake_replication.transactions import Committed, DataDefinition, TransactionReader

__all__ = ["Replicator"]

_POLL_SECONDS = 0.25
_ANSWER_SECONDS = 60.0  # of small statements
_FIRST_RETRY_SECONDS = 0.5
_LONGEST_RETRY_SECONDS = 5.0
_GIVE_UP_SECONDS = 600.0
_LINEAGE_FORMAT = "%Y%m%d%H%M%S"


class Replicator:
    """One replicator over one state folder.

    Args:
        config: What to replicate, from where, to where.
        bronze: The bucket.
        clock: Time.
        stop_requested: Asked often; True ends the run after the cut under way.
        failpoint: Where a test lets it die.

    """

    def __init__(
        self,
        config: ReplicatorConfig,
        *,
        bronze: Bronze,
        clock: Clock,
        stop_requested: Callable[[], bool],
        failpoint: Failpoint = NO_FAILPOINT,
    ) -> None:
        self._config = config
        self._bronze = bronze
        self._clock = clock
        self._stop_requested = stop_requested
        self._failpoint = failpoint
        self._state = ReplicatorState()
        self._warnings: list[str] = []
        self._tables = CapturedTables(config.table_mappings, config.s3_settings, self._state)

    def run(self, *, until_marker: str = "") -> None:
        """Loads what is not loaded, then streams until it is told to stop, or until the marker's row is in bronze.

        Raises:
            ShoplakeError: It cannot go on; `status.json` says the same.

        """
        folder = self._config.state_dir
        with lock_folder(folder):
            self._state = load_state(folder)
            self._tables = CapturedTables(self._config.table_mappings, self._config.s3_settings, self._state)
            self._tell(RunState.LOADING)
            try:
                self._start()
                self._stream(until_marker)
            except ShoplakeError as error:
                self._tell(RunState.FAILED, error)
                raise
            except Exception as error:
                self._tell(RunState.FAILED, ShoplakeError(f"{type(error).__name__}: {error}", hint="report this"))
                raise
            self._tell(RunState.STOPPED)

    def _tell(self, run_state: RunState, error: ShoplakeError | None = None) -> None:
        write_status(
            self._config.state_dir,
            run_state,
            self._state,
            warnings=self._warnings,
            error=error,
            now=self._clock.now(),
        )

    def _save(self) -> None:
        save_state(self._config.state_dir, self._state)

    def _start(self) -> None:
        folder = self._config.state_dir
        self._repeat_cut()
        with connect(self._config.source, read_timeout_seconds=_ANSWER_SECONDS) as connection:
            facts = read_server_facts(connection)
            check_settings(facts)
            self._choose_server_id(connection, facts)
            lineage = ensure_lineage(connection)
            self._warnings = retention_warnings(facts)
            if self._config.table_mappings.route(MARKER_SCHEMA, MARKER_TABLE):
                self._ensure_marker(connection)
            if ALL_TABLES in requested_reloads(folder):
                self._forget_position()
            self._check_lineage(connection, lineage)
            if self._state.position:
                check_position(connection, parse_binlog_position(self._state.position))
            self._save()
            finish_request(folder, ALL_TABLES)
            self._dialect = read_dialect(connection, facts)
            self._tables.discover(connection)
            self._warnings += cascade_warnings(connection, facts, self._selected(connection))
        self._load_waiting()

    def _repeat_cut(self) -> None:
        """A cut that was durable and perhaps not all in bronze is; nothing of it is left on disk."""
        folder = self._config.state_dir
        cut = load_cut(folder)
        if cut is not None and cut.begin == self._state.position:  # else its end was saved, or the state is a new one
            upload_cut(folder, cut, self._bronze, self._failpoint)
            apply_cut(self._state, cut)
            self._save()
        remove_cut(folder)

    def _ensure_marker(self, connection: "pymysql.connections.Connection[Any]") -> None:
        try:
            ensure_marker_table(connection)
        except (ResourceError, CredentialError) as error:
            self._warnings.append(
                f"the marker table is not there and cannot be made, so nothing can wait on it: {error.message}"
            )

    def _selected(self, connection: "pymysql.connections.Connection[Any]") -> list[tuple[str, str]]:
        waiting = [(route.schema, route.table) for route in self._tables.to_load(connection)]
        return [*self._tables.captured, *waiting]

    def _choose_server_id(self, connection: "pymysql.connections.Connection[Any]", facts: ServerFacts) -> None:
        wanted = self._config.server_id or self._state.server_id or 2**31 + secrets.randbelow(2**31 - 1)
        if wanted != self._state.server_id:
            check_server_id_is_free(connection, facts, wanted)
            self._state.server_id = wanted

    def _forget_position(self) -> None:
        """Every table is loaded anew, from whatever server this is."""
        self._state.position, self._state.lineage, self._state.file_created = "", "", 0
        for name in self._state.tables:
            self._tables.load_again(name)

    def _check_lineage(self, connection: "pymysql.connections.Connection[Any]", lineage: str) -> None:
        state = self._state
        if state.lineage and state.lineage != lineage:
            raise LineageError(
                f"the saved position {state.position} is of server {state.lineage}, this one is {lineage}",
                hint="if the server was replaced or restored: `python -m shoplake_replication reload --config FILE`, then `run`",
                expected=state.lineage,
                found=lineage,
            )
        if not state.lineage:
            now = read_source_clock(connection)
            digits = now.strftime(_LINEAGE_FORMAT) + f"{now.microsecond // 10_000:02d}"
            if digits <= state.lineage_digits:
                digits = f"{int(state.lineage_digits) + 1:016d}"
            state.lineage, state.lineage_digits = lineage, digits

    def _load_waiting(self) -> None:
        """Every table that waits for its load is loaded, all from one snapshot."""
        config = self._config
        with connect(config.source, read_timeout_seconds=_ANSWER_SECONDS) as connection:
            routes = self._tables.to_load(connection)
        if not routes:
            return
        self._tell(RunState.LOADING)
        plan = LoadPlan(
            folder=config.state_dir,
            settings=config.s3_settings,
            bronze=self._bronze,
            lineage=self._state.lineage,
            lineage_digits=self._state.lineage_digits,
            file_bytes=config.load_file_bytes,
            failpoint=self._failpoint,
        )
        tables = tuple((route.schema, route.table) for route in routes)
        with open_snapshot(config.source, tables=tables) as snapshot:
            for route in routes:
                state = self._state.tables[route.source]
                try:
                    shape = load_table(snapshot, plan, route, self._tables.header_names(route), state)
                except SourceError as error:
                    self._tables.stop(route.schema, route.table, str(error))
                else:
                    self._tables.capture(route, shape)
                if not self._state.position:
                    self._state.position = str(snapshot.position)
                self._save()
                self._failpoint.reach(Step.AFTER_EPOCH_SAVE)
                self._tell(RunState.LOADING)
            if not self._state.position:
                self._state.position = str(snapshot.position)

    def _stream(self, until_marker: str) -> None:
        retry_seconds = _FIRST_RETRY_SECONDS
        failing_since: float | None = None
        while not self._stop_requested():
            position = self._state.position
            try:
                self._tell(RunState.STREAMING)
                self._stream_once(until_marker)
            except ResourceError as error:
                now = self._clock.monotonic_seconds()
                if self._state.position != position or failing_since is None:
                    failing_since, retry_seconds = now, _FIRST_RETRY_SECONDS
                if not error.retryable and not _is_connection_error(error):
                    raise
                if now - failing_since > _GIVE_UP_SECONDS:
                    raise
                self._tell(RunState.STREAMING, error)
                self._clock.sleep(retry_seconds)
                retry_seconds = min(2 * retry_seconds, _LONGEST_RETRY_SECONDS)
            else:
                return

    def _stream_once(self, until_marker: str) -> None:
        """Streams from the saved position until it is told to stop; what was not saved is read again next time."""
        config, state = self._config, self._state
        self._repeat_cut()
        self._load_waiting()  # what a broken connection left undone
        begin = parse_binlog_position(state.position)
        with connect(config.source, read_timeout_seconds=_ANSWER_SECONDS) as connection:
            check_position(connection, begin)
        reader = TransactionReader(
            self._tables.wanted,
            self._dialect,
            spill_folder=config.state_dir,
            memory_bytes=config.transaction_memory_bytes,
        )
        stream = BinlogStream(
            config.source,
            server_id=state.server_id,
            position=begin,
            clock=self._clock,
            heartbeat_seconds=config.heartbeat_seconds,
        )
        try:
            self._follow(
                stream,
                reader,
                OpenCut(config, state, self._clock, self._tables, self._bronze, self._failpoint),
                until_marker,
            )
        finally:
            stream.close()

    def _follow(self, stream: BinlogStream, reader: TransactionReader, cut: OpenCut, until_marker: str) -> None:
        checked = False
        target = self._position_behind(until_marker)
        while True:
            stopping = self._stop_requested()
            for event in stream.poll(_POLL_SECONDS if not cut.has_changes else min(_POLL_SECONDS, cut.seconds_left())):
                result = reader.read(event)
                if isinstance(result, Committed):
                    cut.add(result)
                    if cut.is_full:
                        self._flush(cut)
                elif isinstance(result, DataDefinition):
                    self._define(result, cut, reader)
            for unreadable in reader.take_unreadable():
                self._stop_table(unreadable.schema, unreadable.table, str(unreadable.error), cut, reader)
            if not checked and stream.first_file_created:
                self._check_file(stream)
                checked = True
            cut.file_created = (stream.position.file, stream.file_created)
            if stopping or cut.seconds_left() <= 0:
                self._flush(cut)
                self._serve(cut, reader)
                if stopping or until_marker in cut.tokens or (target and _reached(self._state.position, target)):
                    return

    def _position_behind(self, until_marker: str) -> BinlogPosition | None:
        """A position behind a marker that is committed already: the load may hold its row, and the stream not."""
        if not until_marker:
            return None
        with connect(self._config.source, read_timeout_seconds=_ANSWER_SECONDS) as connection:
            rows = fetch_all(
                connection,
                f"SELECT 1 FROM {quote_name(MARKER_SCHEMA, MARKER_TABLE)} WHERE token = %s",
                (until_marker,),
            )
            return read_binlog_position(connection) if rows else None

    def _check_file(self, stream: BinlogStream) -> None:
        """The binlog file is the one that the position was saved in, not one of the same name on a restored server."""
        state = self._state
        if state.file_created and state.file_created != stream.first_file_created:
            raise LineageError(
                f"the binlog file of {state.position} was begun at {stream.first_file_created} (seconds since 1970), "
                f"the saved position's at {state.file_created}: this server was reset or restored",
                hint="`python -m shoplake_replication reload --config FILE`, then `run`",
                expected=state.file_created,
                found=stream.first_file_created,
            )

    def _flush(self, cut: OpenCut) -> None:
        cut.flush()
        self._tell(RunState.STREAMING)

    def _serve(self, cut: OpenCut, reader: TransactionReader) -> None:
        """Reloads that were asked for, and tables that are new, now that nothing is under way."""
        folder = self._config.state_dir
        changed = False
        for name in requested_reloads(folder):
            if name == ALL_TABLES:
                continue  # served at the next start: it moves the position
            if not self._tables.load_again(name):
                self._warnings.append(f"reload of {name} was asked for, and the mappings do not select such a table")
            self._save()
            finish_request(folder, name)
            changed = True
        if self._tables.unknown or changed:
            with connect(self._config.source, read_timeout_seconds=_ANSWER_SECONDS) as connection:
                self._tables.discover(connection)
            self._save()
            self._load_waiting()
            reader.forget_tables()
            cut.renew()

    def _define(self, definition: DataDefinition, cut: OpenCut, reader: TransactionReader) -> None:
        statement = definition.statement
        for schema, table in statement.tables:
            keys = [(schema, table)] if table else self._tables.of_schema(schema)
            for key in keys:
                captured = self._tables.captured.get(key)
                if captured is None or _is_before(definition.start, captured.floor):
                    continue
                if statement.kind is StatementKind.EMPTIED:
                    reason = f"{statement.verb} at {definition.start}: reload it"
                    self._stop_table(*key, reason, cut, reader)
                else:
                    self._altered(*key, definition.start)
        if definition.end is not None:
            cut.add(Committed((), 0, definition.end))

    def _altered(self, schema: str, table: str, start: BinlogPosition) -> None:
        self._warnings.append(
            f"{schema}.{table} was altered at {start}: rows that it changed in place are in bronze as they were before; "
            "reload the table if it filled or converted values"
        )
        with connect(self._config.source, read_timeout_seconds=_ANSWER_SECONDS) as connection:
            self._tables.refresh(connection)

    def _stop_table(self, schema: str, table: str, reason: str, cut: OpenCut, reader: TransactionReader) -> None:
        cut.decode_table((schema, table))
        self._tables.stop(schema, table, reason)
        reader.forget_tables()


def _reached(position: str, target: BinlogPosition) -> bool:
    return parse_binlog_position(position) >= target


def _is_before(position: BinlogPosition, floor: int) -> bool:
    return place_of(position.file_number, position.offset) < floor


def _is_connection_error(error: ResourceError) -> bool:
    return getattr(error, "errno", None) in {2003, 2002, 2006, 2013, 1053, 1040, 1158, 1159, 1160, 1161}
