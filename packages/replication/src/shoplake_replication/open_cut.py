"""The cut that is being filled from the stream: when it is due, and how it becomes durable."""

from shoplake_core.clock import Clock
from shoplake_core.errors import SourceError
from shoplake_core.names import MARKER_SCHEMA, MARKER_TABLE
from shoplake_core.sequences import BinlogPosition

from shoplake_replication.bronze_aws import Bronze
from shoplake_replication.captured_tables import CapturedTables
from shoplake_replication.collecting import ChangeCollector
from shoplake_replication.config import ReplicatorConfig
from shoplake_replication.cuts import CutBuilder, apply_cut, remove_cut, upload_cut
from shoplake_replication.failpoints import Failpoint, Step
from shoplake_replication.state import ReplicatorState, save_state
from shoplake_replication.transactions import Committed

__all__ = ["OpenCut"]


class OpenCut:
    """Collects committed transactions; `flush` puts them into bronze and saves the position behind them.

    Attributes:
        file_created: (binlog file, when the server began it) of the newest event.
        tokens: Of the markers that came to bronze.

    """

    def __init__(
        self,
        config: ReplicatorConfig,
        state: ReplicatorState,
        clock: Clock,
        tables: CapturedTables,
        bronze: Bronze,
        failpoint: Failpoint,
    ) -> None:
        self._config = config
        self._state = state
        self._clock = clock
        self._tables = tables
        self._bronze = bronze
        self._failpoint = failpoint
        self.file_created = ("", 0)
        self.tokens: set[str] = set()
        self.renew()

    def renew(self) -> None:
        """A new, empty cut begins."""
        config = self._config
        self._end: BinlogPosition | None = None
        self._builder = CutBuilder(
            config.state_dir,
            config.s3_settings,
            self._clock,
            lambda name: self._state.tables[name].last_change_name,
        )
        self._collector = ChangeCollector(
            self._builder, self._state.lineage_digits, self._tables.captured, self._stop_table
        )
        self._begun_at = self._clock.monotonic_seconds()

    def _stop_table(self, schema: str, table: str, error: SourceError) -> None:
        self._tables.stop(schema, table, str(error))

    def add(self, committed: Committed) -> None:
        """Add a transaction."""
        if committed.rows:
            if not self.has_changes:
                self._begun_at = self._clock.monotonic_seconds()
            self._collector.add(committed)
        self._end = committed.end

    def decode_table(self, key: tuple[str, str]) -> None:
        """The table's changes so far are in the cut, before it stops."""
        if key in self._tables.captured:
            self._collector.decode_all()

    @property
    def has_changes(self) -> bool:
        """Whether rows of captured tables wait."""
        return self._collector.total_bytes > 0

    @property
    def is_full(self) -> bool:
        """Whether it holds as much as one cut may."""
        return self._collector.total_bytes >= self._config.s3_settings.minimum_file_bytes

    def seconds_left(self) -> float:
        """Seconds until it is due."""
        elapsed = self._clock.monotonic_seconds() - self._begun_at
        return max(0.0, self._config.s3_settings.batch_interval_seconds - elapsed)

    def flush(self) -> None:
        """Everything added is in bronze, and the position behind it is saved."""
        folder, state = self._config.state_dir, self._state
        self._collector.decode_all()
        end = self._end
        if end is None:
            self._begun_at = self._clock.monotonic_seconds()
            return
        created = self.file_created[1] if self.file_created[0] == end.file else 0
        tokens = self._builder.texts_of(f"{MARKER_SCHEMA}.{MARKER_TABLE}", "token")
        if self._builder.is_empty:
            state.position, state.file_created = str(end), created
            save_state(folder, state)
        else:
            cut = self._builder.finish(
                begin=state.position, end=str(end), file_created=created, failpoint=self._failpoint
            )
            upload_cut(folder, cut, self._bronze, self._failpoint)
            apply_cut(state, cut)
            self._failpoint.reach(Step.BEFORE_POSITION_SAVE)
            save_state(folder, state)
            self._failpoint.reach(Step.AFTER_POSITION_SAVE)
            remove_cut(folder)
            self._failpoint.reach(Step.AFTER_CUT_REMOVED)
        self.tokens |= tokens
        self.renew()
