"""`run_load`: a bounded number of real transactions on a seeded shop, at a rate and in a profile.

What each transaction does is drawn from its own random stream, named by the seed and its number: with one connection a
load on equal shops gives equal shops; with more, only the order of the commits is left to the server.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from threading import Thread

import pymysql
from shoplake_core.clock import Clock, SystemClock
from shoplake_core.endpoints import MySqlEndpoint
from shoplake_core.errors import ConfigError, ResourceError
from shoplake_mysql.connections import connect

from shoplake_datagen.ledger import LedgerEntry
from shoplake_datagen.live.facts import read_facts
from shoplake_datagen.live.profiles import MOST_TRANSACTIONS, Profile, due_seconds, profile_connections
from shoplake_datagen.live.retries import with_retries
from shoplake_datagen.live.running import RunningLoad
from shoplake_datagen.streams import stream

__all__ = ["LoadProgress", "LoadReport", "Profile", "run_load"]

MOST_CONNECTIONS = 32
_WITHOUT_RATE_LIMIT_SECONDS = 600.0  # how long an unpaced load may take before it stops short
_GRACE_SECONDS, _GRACE_SHARE = 1.0, 0.05  # how late the last due transactions of a timed load may still start


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


def _plan(
    profile: Profile, rate: float | None, seconds: float | None, transactions: int | None
) -> tuple[Sequence[float], float]:
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
        return due.tolist(), seconds + _WITHOUT_RATE_LIMIT_SECONDS
    if rate is None or seconds is None:
        raise ConfigError(
            "a load needs a number of transactions, or a rate and a time",
            hint="give --transactions N, or --rate N --for S",
        )
    return due_seconds(profile, rate=rate, seconds=seconds).tolist(), seconds + max(
        _GRACE_SECONDS, seconds * _GRACE_SHARE
    )


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
        seconds: How long; what is due may start up to a second (or a twentieth of it) late, nothing after that.
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
    if seed < 0:
        raise ConfigError(f"the seed {seed} is negative", hint="pass 0 or more", seed=seed)
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
    load = RunningLoad(
        endpoint, schema=schema, seed=seed, clock=time, facts=facts, dirt=dirt, due=due, limit_seconds=limit_seconds
    )
    load.retries += first_retries
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
    load: RunningLoad, threads: list[Thread], on_progress: Callable[[LoadProgress], None], progress_every_seconds: float
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


def _report(load: RunningLoad, profile: Profile, *, seconds: float) -> LoadReport:
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
