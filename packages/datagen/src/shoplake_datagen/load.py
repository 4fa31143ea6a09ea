"""`run_load`: a bounded number of real transactions on a seeded shop, at a rate and in a profile.

What each transaction does is drawn from its own random stream, named by the seed and its number: with one connection a
load on equal shops gives equal shops; with more, only the order of the commits is left to the server.
"""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from threading import Event, Lock, Thread
from typing import Any

import pymysql
from pymysql.connections import Connection
from shoplake_core.clock import Clock, SystemClock
from shoplake_core.endpoints import MySqlEndpoint
from shoplake_core.errors import ConfigError, ResourceError
from shoplake_mysql.connections import connect

from shoplake_datagen.ledger import LedgerEntry
from shoplake_datagen.live.facts import ShopFacts, read_facts
from shoplake_datagen.live.mix import TRANSACTIONS, choose_transaction
from shoplake_datagen.live.profiles import MOST_TRANSACTIONS, Profile, due_seconds, profile_connections
from shoplake_datagen.live.retries import RetriesExhaustedError, with_retries
from shoplake_datagen.live.session import Session
from shoplake_datagen.live.worker import Worker
from shoplake_datagen.streams import stream
from shoplake_datagen.vocabulary import build_vocabulary

__all__ = ["LoadProgress", "LoadReport", "Profile", "run_load"]

MOST_CONNECTIONS = 32
_WITHOUT_RATE_LIMIT_SECONDS = 600.0  # how long an unpaced load may take before it stops short
_POLL_SECONDS = 0.05  # longest nap while waiting for a due time, so that a stop is noticed


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadProgress:
    """How far a load is."""

    transactions: int
    of_transactions: int
    retries: int
    elapsed_seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadReport:
    """What a load did.

    Attributes:
        profile: How it was spread.
        requested: Transactions asked for.
        completed: Transactions that ran to their end, rolled back ones included; less than `requested` only where the
            time ran out.
        transactions: By kind.
        rows: Table -> insert, update or delete -> rows changed by committed transactions.
        retries: Reason -> further attempts.
        connections: Connections that worked; fewer than asked for where the server had no room.
        seconds: From the first connection to the last.
        ledger: Faults planted by this load.

    """

    profile: Profile
    requested: int
    completed: int
    transactions: Mapping[str, int]
    rows: Mapping[str, Mapping[str, int]]
    retries: Mapping[str, int]
    connections: int
    seconds: float
    ledger: tuple[LedgerEntry, ...]


class _Load:
    """One running load: what its connections share."""

    def __init__(
        self, endpoint: MySqlEndpoint, schema: str, seed: int, clock: Clock, *, facts: ShopFacts, dirt: bool
    ) -> None:
        self.endpoint, self.schema, self.seed, self.clock = endpoint, schema, seed, clock
        self.facts, self.dirt = facts, dirt
        self.vocabulary = build_vocabulary()
        self.lock, self.stop = Lock(), Event()
        self.kinds: Counter[str] = Counter()
        self.retries: Counter[str] = Counter()
        self.sessions: list[Session] = []
        self.failure: BaseException | None = None
        self.refusal: RetriesExhaustedError | None = None
        self.next_number = 0
        self.due: Any = None
        self.began = clock.monotonic_seconds()
        self.limit_seconds = 0.0

    def count_retry(self, reason: str) -> None:
        with self.lock:
            self.retries[reason] += 1

    def take(self) -> int | None:
        """The number of the next transaction to run; None where there is none or the time is over."""
        with self.lock:
            if self.stop.is_set() or self.next_number >= len(self.due):
                return None
            self.next_number += 1
            return self.next_number - 1

    def wait_until_due(self, number: int) -> bool:
        """Sleep until the transaction is due; False where the load has to stop instead."""
        while True:
            elapsed = self.clock.monotonic_seconds() - self.began
            if self.stop.is_set() or elapsed > self.limit_seconds:
                self.stop.set()
                return False
            left = float(self.due[number]) - elapsed
            if left <= 0:
                return True
            self.clock.sleep(min(left, _POLL_SECONDS))

    def run_one(self, session: Session, number: int) -> str:
        """Run transaction `number` to its end, trying again as MySQL asks; its kind."""
        rng = stream(self.seed, "load", self.facts.newest_order_id, number)
        kind = choose_transaction(rng)
        state = rng.bit_generator.state
        unique = f"{self.seed:x}x{self.facts.newest_order_id:x}x{number:x}"

        def attempt() -> str:
            rng.bit_generator.state = state  # an attempt draws what the one before drew
            worker = Worker(
                session=session, facts=self.facts, vocabulary=self.vocabulary, rng=rng, unique=unique, dirt=self.dirt
            )
            session.begin()
            try:
                done = kind if TRANSACTIONS[kind][0](worker) else ""
                if not done:
                    done = "new_order"  # nothing to do it on: sell instead
                    session.rollback()
                    session.begin()
                    TRANSACTIONS[done][0](worker)
                session.commit()
            except BaseException:
                session.rollback()
                raise
            return done

        waits = stream(self.seed, "waits", number)
        return with_retries(
            attempt, what=f"transaction {number} ({kind})", clock=self.clock, rng=waits, on_retry=self.count_retry
        )

    def open_session(self, worker: int) -> Session:
        """A new connection, tried again while the server has no room."""

        def attempt() -> "Connection[Any]":
            return connect(self.endpoint, database=self.schema, autocommit=False)

        waits = stream(self.seed, "connection", worker)
        opened = with_retries(
            attempt, what=f"connection {worker}", clock=self.clock, rng=waits, on_retry=self.count_retry
        )
        with opened.cursor() as cursor:
            # Strict, but for the zero dates among the planted faults; short waits, since we try again ourselves.
            cursor.execute("SET SESSION sql_mode = 'STRICT_TRANS_TABLES', innodb_lock_wait_timeout = 5")
        opened.commit()
        return Session(opened)

    def work(self, worker: int) -> None:
        """One connection's life: take transactions until there are none left."""
        session = None
        try:
            session = self.open_session(worker)
            with self.lock:
                self.sessions.append(session)
            while (number := self.take()) is not None and self.wait_until_due(number):
                kind = self.run_one(session, number)
                with self.lock:
                    self.kinds[kind] += 1
        except RetriesExhaustedError as error:
            with self.lock:  # no room for this connection: the others do its share
                if session is None:
                    self.refusal = error
                else:
                    self.failure = self.failure or error
                    self.stop.set()
        except BaseException as error:  # noqa: BLE001 - raised again by the thread that waits for this one
            with self.lock:
                self.failure = self.failure or error
                self.stop.set()
        finally:
            if session is not None:
                session.connection.close()


def _plan(profile: Profile, rate: float | None, seconds: float | None, transactions: int | None) -> tuple[Any, float]:
    """(due times, longest time in seconds) of what was asked for."""
    if transactions is not None:
        if not 1 <= transactions <= MOST_TRANSACTIONS or seconds is not None:
            raise ConfigError(
                f"a load of exactly {transactions} transactions"
                + (" is not possible" if seconds is None else f" for {seconds:g} seconds asks for two things at once"),
                hint=f"give --transactions (1 to {MOST_TRANSACTIONS:,}), or --rate with --for",
            )
        if rate is None:
            return [0.0] * transactions, _WITHOUT_RATE_LIMIT_SECONDS
        seconds = transactions / rate if rate > 0 else 0.0
        due = due_seconds(profile, rate=rate, seconds=seconds)
        return due, seconds + _WITHOUT_RATE_LIMIT_SECONDS
    if rate is None or seconds is None:
        raise ConfigError(
            "a load needs a number of transactions, or a rate and a time",
            hint="give --transactions N, or --rate N --for S",
        )
    return due_seconds(profile, rate=rate, seconds=seconds), seconds


def run_load(  # noqa: PLR0913 - the settings of one load, all by keyword
    endpoint: MySqlEndpoint,
    *,
    profile: Profile = Profile.STEADY,
    rate: float | None = None,
    seconds: float | None = None,
    transactions: int | None = None,
    seed: int = 7,
    connections: int | None = None,
    dirt: bool = True,
    schema: str = "shop",
    on_progress: Callable[[LoadProgress], None] = lambda _progress: None,
    progress_every_seconds: float = 1.0,
    clock: Clock | None = None,
) -> LoadReport:
    """Run transactions on the seeded shop: `rate` a second for `seconds`, or exactly `transactions`.

    Args:
        endpoint: The server; its user may change the schema's rows.
        profile: How the transactions are spread over the time.
        rate: Transactions a second on average; with `transactions`, None is as fast as possible.
        seconds: How long; nothing starts after it.
        transactions: Exactly so many instead.
        seed: What the transactions do.
        connections: 1 to 32; the profile's own number by default (1, 4, 8).
        dirt: Plant faults in new rows with reserved keys.
        schema: Where the shop is.
        on_progress: Told about once a second.
        progress_every_seconds: How often.
        clock: Paces the load; the system's by default.

    Raises:
        ConfigError: The settings contradict each other, or there is no shop.
        RetriesExhaustedError: A transaction was refused ten times, or no connection was to be had.
        ResourceError: The server failed.

    """
    time = clock or SystemClock()
    due, limit_seconds = _plan(profile, rate, seconds, transactions)
    workers = min(connections or profile_connections(profile), len(due))
    if not 1 <= (connections or workers) <= MOST_CONNECTIONS:
        raise ConfigError(f"{connections} connections are not possible", hint=f"ask for 1 to {MOST_CONNECTIONS}")
    began = time.monotonic_seconds()
    first_retries: Counter[str] = Counter()
    reader = with_retries(
        lambda: connect(endpoint),
        what="the first connection",
        clock=time,
        rng=stream(seed, "first connection"),
        on_retry=lambda reason: first_retries.update([reason]),
    )
    try:
        facts = read_facts(reader, schema)
    finally:
        reader.close()
    load = _Load(endpoint, schema, seed, time, facts=facts, dirt=dirt)
    load.retries += first_retries
    load.due, load.limit_seconds, load.began = due, limit_seconds, time.monotonic_seconds()
    threads = [Thread(target=load.work, args=(n,), name=f"load-{n}", daemon=True) for n in range(workers)]
    for thread in threads:
        thread.start()
    try:
        _wait(load, threads, on_progress, progress_every_seconds)
    except BaseException:
        load.stop.set()
        raise
    finally:
        for thread in threads:
            thread.join()
    return _report(load, profile, seconds=time.monotonic_seconds() - began)


def _wait(
    load: _Load, threads: list[Thread], on_progress: Callable[[LoadProgress], None], progress_every_seconds: float
) -> None:
    told_at = load.began
    while alive := [thread for thread in threads if thread.is_alive()]:
        alive[0].join(progress_every_seconds)
        now = load.clock.monotonic_seconds()
        if now - told_at >= progress_every_seconds or not any(thread.is_alive() for thread in alive):
            told_at = now
            with load.lock:
                done, retries = load.kinds.total(), load.retries.total()
            on_progress(
                LoadProgress(
                    transactions=done, of_transactions=len(load.due), retries=retries, elapsed_seconds=now - load.began
                )
            )


def _report(load: _Load, profile: Profile, *, seconds: float) -> LoadReport:
    if isinstance(load.failure, pymysql.MySQLError):
        raise ResourceError(
            f"MySQL failed after {load.kinds.total()} of {len(load.due)} transactions: {load.failure}",
            hint="the transaction it failed in was rolled back; run the load again",
        ) from load.failure
    if load.failure is not None:
        raise load.failure
    if not load.sessions and load.refusal is not None:
        raise load.refusal
    rows: dict[str, dict[str, int]] = {}
    for session in load.sessions:
        for (table, change), count in session.committed_rows.items():
            of_table = rows.setdefault(table, {})
            of_table[change.value] = of_table.get(change.value, 0) + count
    return LoadReport(
        profile=profile,
        requested=len(load.due),
        completed=load.kinds.total(),
        transactions=dict(sorted(load.kinds.items())),
        rows=dict(sorted(rows.items())),
        retries=dict(load.retries),
        connections=len(load.sessions),
        seconds=seconds,
        ledger=tuple(entry for session in load.sessions for entry in session.committed_faults),
    )
