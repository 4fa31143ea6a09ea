"""Brings what executions did to the log groups that their machines name, whenever somebody looks at logs.

Histories are on disk and moto's log events are not: they are written again after a restart. AWS delivers within minutes
and promises neither completeness nor time.
"""

import threading
from collections.abc import Mapping
from typing import Any

from shoplake_local.moto_services.backends import MotoBackends
from shoplake_local.stepfunctions.history import MOST_EVENTS
from shoplake_local.stepfunctions.log_events import log_events, log_groups, stream_name
from shoplake_local.stepfunctions.store import ExecutionRecord, Store

__all__ = ["LogDelivery"]


class LogDelivery:
    """Remembers how far it is.

    Args:
        store: Machines, executions and their histories. A machine's settings hold for all of its executions.
        moto: CloudWatch Logs.

    """

    def __init__(self, store: Store, moto: MotoBackends) -> None:
        self._store = store
        self._moto = moto
        self._lock = threading.Lock()
        # (execution, log group as it was made) -> events and redrives that are done with
        self._done: dict[tuple[str, str, str], tuple[int, int]] = {}

    def deliver(self) -> None:
        """Write every event that is new, where the log group is there."""
        with self._lock:
            for machine in self._store.machines():
                configuration = machine.extras.get("loggingConfiguration", {})
                for group in log_groups(configuration):
                    made_at = self._moto.log_group_made_at(group)
                    if made_at is None:
                        continue
                    for record in self._store.executions(machine.arn):
                        self._write(record, configuration, group, made_at)

    def _write(self, record: ExecutionRecord, configuration: Mapping[str, Any], group: str, made_at: str) -> None:
        key = (record.arn, group, made_at)
        done, redrives = self._done.get(key, (0, 0))
        events = self._store.events(record.arn, start=done, count=MOST_EVENTS, newest_first=False)
        if not events:
            return
        lines = log_events(record, events, configuration=configuration, redrive_count=redrives)
        if lines:
            self._moto.write_log_events(group, stream_name(record), lines)
        redrives += sum(event.type == "ExecutionRedriven" for event in events)
        self._done[key] = (done + len(events), redrives)
