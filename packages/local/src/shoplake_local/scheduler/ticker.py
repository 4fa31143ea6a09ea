"""Looks at every schedule now and then, writes down what is due, and makes the calls that are written down.

What is due is on disk before it is called, together with how far the schedule was looked at: a killed front neither
forgets it nor does it a second time. Of the times that went by while nobody looked (the laptop slept, the front was down)
the latest is made up for, where it is not older than the schedule's MaximumEventAgeInSeconds; AWS would have fired each.
"""

import logging
import threading
import uuid
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

from shoplake_core.clock import Clock

from shoplake_local.scheduler.expressions import Expression, InvalidExpressionError
from shoplake_local.scheduler.schedules import Schedule
from shoplake_local.scheduler.store import Call, ScheduleStore, Seen
from shoplake_local.scheduler.targets_aws import CallFailedError

__all__ = ["Ticker"]

_LONGEST_WAIT_SECONDS = 300
_MOST_WALKED = 2_000
_log = logging.getLogger(__name__)


class Ticker:
    """Fires schedules.

    Args:
        store: What is written down.
        schedules: Every schedule as it is now.
        call: Calls a schedule's target, or raises CallFailedError.
        clock: Time.

    """

    def __init__(
        self,
        store: ScheduleStore,
        *,
        schedules: Callable[[], list[Schedule]],
        call: Callable[[Schedule, Call], None],
        clock: Clock,
    ) -> None:
        self._store = store
        self._schedules = schedules
        self._call = call
        self._clock = clock
        self._closing = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self, *, every_seconds: float) -> None:
        """Tick in a thread until `close`."""

        def run() -> None:
            while not self._closing.wait(every_seconds):
                try:
                    self.tick()
                except Exception:  # noqa: BLE001 - the next tick may do better; the log has the rest
                    _log.exception("schedules could not be looked at")

        self._thread = threading.Thread(target=run, name="scheduler", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """End the thread, when the call under way is made, and close the store."""
        self._closing.set()
        if self._thread is not None:
            self._thread.join()
        self._store.close()

    def tick(self) -> None:
        """Write down what is due now, then make every call that is to be made."""
        now = self._clock.now()
        schedules = {schedule.arn: schedule for schedule in self._schedules()}
        self._store.forget_others(set(schedules))
        for schedule in schedules.values():
            self._look(schedule, now)
        for call in self._store.calls():
            if call.next_at <= now and not self._closing.is_set():
                self._make(schedules.get(call.arn), call, now)

    def _look(self, schedule: Schedule, now: datetime) -> None:
        seen = self._store.seen(schedule.arn)
        if seen is None or seen.version != schedule.version:
            begin = min(schedule.modified_at, now)
            # a rate's first time is the moment of its making itself
            until = begin - timedelta(microseconds=1) if schedule.expression.startswith("rate(") else begin
            seen = Seen(arn=schedule.arn, version=schedule.version, since=begin, until=until)
            self._store.see(seen)
        if not schedule.enabled:
            return
        try:
            due = _latest_due(schedule, schedule.parsed(since=seen.since), seen.until, now)
        except InvalidExpressionError as error:
            _log.warning("%s never fires: %s", schedule.arn, error)
            return
        if due is None:
            return
        call = None
        if (now - due).total_seconds() <= schedule.longest_seconds:
            call = Call(id=str(uuid.uuid4()), arn=schedule.arn, scheduled_at=due, attempts=0, next_at=now)
        else:
            _log.warning("%s was due at %s: too long ago", schedule.arn, due)
        self._store.see(replace(seen, until=due), call)

    def _make(self, schedule: Schedule | None, call: Call, now: datetime) -> None:
        if schedule is None:
            self._store.end_call(call)
            return
        try:
            self._call(schedule, call)
        except CallFailedError as error:
            failed = replace(call, attempts=call.attempts + 1)
            wait = timedelta(seconds=min(2**call.attempts, _LONGEST_WAIT_SECONDS))
            too_late = (now + wait - call.scheduled_at).total_seconds() > schedule.longest_seconds
            if not error.again or failed.attempts > schedule.retries or too_late:
                _log.warning("%s of %s is given up: %s", schedule.arn, call.scheduled_at, error)
                self._store.end_call(call)
            else:
                self._store.put_call(replace(failed, next_at=now + wait))
            return
        self._store.end_call(call)


def _latest_due(schedule: Schedule, expression: Expression, after: datetime, now: datetime) -> datetime | None:
    """The latest time in (after, now] within the schedule's dates; None where there is none."""
    last = min(now, schedule.end) if schedule.end is not None else now
    if schedule.start is not None and after < schedule.start:
        after = schedule.start - timedelta(microseconds=1)
    found = expression.next_after(after)
    if found is None or found > last:
        return None
    # a schedule of every minute that nobody looked at for a year has half a million times: halve instead of walking
    low, high = found, last
    for _ in range(_MOST_WALKED):
        following = expression.next_after(low)
        if following is None or following > last:
            return low
        middle = low + (high - low) / 2
        beyond = expression.next_after(middle)
        if beyond is not None and beyond <= last:
            low = beyond
        else:
            low, high = following, middle
    return low
