"""A load while it runs: connections that share one list of transactions, each taken by whoever is free."""

from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from threading import Event, Lock
from typing import Any

import pymysql
from pymysql.connections import Connection
from shoplake_core.clock import Clock
from shoplake_core.endpoints import MySqlEndpoint
from shoplake_mysql.connections import connect

from shoplake_datagen.live.facts import ShopFacts
from shoplake_datagen.live.mix import TRANSACTIONS, choose_transaction
from shoplake_datagen.live.retries import RetriesExhaustedError, with_retries
from shoplake_datagen.live.session import Session
from shoplake_datagen.live.worker import Worker
from shoplake_datagen.streams import stream
from shoplake_datagen.vocabulary import build_vocabulary

__all__ = ["RunningLoad"]

_POLL_SECONDS = 0.05  # longest nap while waiting for a due time, so that a stop is noticed


class RunningLoad:
    """One running load: what its connections share.

    Attributes:
        kinds: Transactions done, by kind.
        retries: Further attempts, by reason.
        sessions: Connections that were had.
        failure: What ended the load before its time.
        refusal: Why a connection was not to be had.

    """

    def __init__(  # noqa: PLR0913 - one place builds it
        self,
        endpoint: MySqlEndpoint,
        *,
        schema: str,
        seed: int,
        clock: Clock,
        facts: ShopFacts,
        dirt: bool,
        due: Sequence[float],
        limit_seconds: float,
    ) -> None:
        self.endpoint, self.schema, self.seed, self.clock = endpoint, schema, seed, clock
        self.facts, self.dirt, self.due, self.limit_seconds = facts, dirt, due, limit_seconds
        self.vocabulary = build_vocabulary()
        self.lock, self.stop = Lock(), Event()
        self.kinds: Counter[str] = Counter()
        self.retries: Counter[str] = Counter()
        self.sessions: list[Session] = []
        self.failure: BaseException | None = None
        self.refusal: RetriesExhaustedError | None = None
        self.next_number = 0
        self.began = clock.monotonic_seconds()

    def count_retry(self, reason: str) -> None:
        """Count a further attempt."""
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
                with suppress(
                    pymysql.MySQLError
                ):  # a lost connection has rolled back: its own error is the one to report
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
