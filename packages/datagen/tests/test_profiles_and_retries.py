"""When transactions are due, and how refusals are tried again: without a server where there is an oracle, else on one."""

from datetime import UTC, datetime
from threading import Barrier, Thread

import numpy as np
import pymysql
import pytest
from hypothesis import given
from hypothesis import strategies as st
from shoplake_core.clock import SkipClock
from shoplake_core.errors import ResourceError
from shoplake_datagen.live.profiles import Profile, due_seconds
from shoplake_datagen.live.retries import MOST_ATTEMPTS, RetriesExhaustedError, error_number, with_retries
from shoplake_datagen.streams import stream
from shoplake_mysql.connections import connect

START = datetime(2026, 1, 1, tzinfo=UTC)


@given(
    profile=st.sampled_from(list(Profile)),
    rate=st.floats(0.1, 500, allow_nan=False),
    seconds=st.floats(0.1, 60, allow_nan=False),
)
def test_every_profile_spreads_the_same_number_over_the_same_time(profile, rate, seconds):
    due = due_seconds(profile, rate=rate, seconds=seconds)
    assert len(due) == max(1, round(rate * seconds))
    assert (np.diff(due) >= 0).all()
    assert due[0] >= 0
    assert due[-1] < seconds


def test_a_peak_is_twice_as_dense_in_the_middle_and_a_burst_five_times_in_its_first_second():
    peak = due_seconds(Profile.PEAK, rate=1_000, seconds=10)
    assert ((peak >= 4.9) & (peak < 5.1)).sum() == pytest.approx(400, rel=0.05)
    burst = due_seconds(Profile.BURST, rate=1_000, seconds=10)
    assert (burst < 1).sum() == 5_000
    assert ((burst >= 1) & (burst < 5)).sum() == 0


class Refusing:
    """Raises an error a number of times, then returns."""

    def __init__(self, times, error):
        self.left, self.error = times, error

    def __call__(self):
        if self.left:
            self.left -= 1
            raise self.error
        return "done"


def retried(action):
    clock, said = SkipClock(START), []
    result = with_retries(action, what="it", clock=clock, rng=stream(1, "waits"), on_retry=said.append)
    return result, said, clock.monotonic_seconds()


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (pymysql.err.OperationalError(1213, "Deadlock found"), "deadlock"),
        (pymysql.err.OperationalError(1205, "Lock wait timeout exceeded"), "lock wait timeout"),
        (pymysql.err.OperationalError(1040, "Too many connections"), "too many connections"),
        (ResourceError("MySQL at h:1: Too many connections (1040)", errno=1040), "too many connections"),
        (pymysql.err.OperationalError(1203, "max_user_connections"), "too many connections"),
    ],
    ids=["deadlock", "lock wait", "connections", "connections, wrapped", "user connections"],
)
def test_what_mysql_asks_to_try_again_is_tried_again(error, reason):
    result, said, waited_seconds = retried(Refusing(4, error))
    assert result == "done"
    assert said == [reason] * 4
    assert 0 < waited_seconds < 0.02 * (1 + 2 + 4 + 8)


def test_the_tenth_refusal_is_an_error_that_names_the_work():
    action = Refusing(MOST_ATTEMPTS, pymysql.err.OperationalError(1213, "Deadlock found"))
    with pytest.raises(RetriesExhaustedError, match="it: deadlock at each of 10 attempts"):
        retried(action)
    assert action.left == 0


def test_any_other_error_is_not_tried_again():
    action = Refusing(2, pymysql.err.IntegrityError(1062, "Duplicate entry"))
    with pytest.raises(pymysql.err.IntegrityError):
        retried(action)
    assert action.left == 1


def test_a_real_deadlock_is_tried_again_and_both_sides_finish(mysql_server, connection):
    with connection.cursor() as cursor:
        cursor.execute("CREATE DATABASE IF NOT EXISTS lock_shop")
        cursor.execute("CREATE TABLE lock_shop.t (id INT PRIMARY KEY, n INT NOT NULL)")
        cursor.execute("INSERT INTO lock_shop.t VALUES (1, 0), (2, 0)")
    both_hold_one, reasons, failures = Barrier(2, timeout=30), [], []

    def cross(first, second):
        own = connect(mysql_server.endpoint, database="lock_shop", autocommit=False)
        attempts = iter(range(MOST_ATTEMPTS))

        def attempt():
            try:
                own.begin()
                with own.cursor() as cursor:
                    cursor.execute("UPDATE t SET n = n + 1 WHERE id = %s", (first,))
                    if next(attempts) == 0:
                        both_hold_one.wait()
                    cursor.execute("UPDATE t SET n = n + 1 WHERE id = %s", (second,))
                own.commit()
            except pymysql.MySQLError:
                own.rollback()
                raise

        try:
            with_retries(
                attempt, what="crossing", clock=SkipClock(START), rng=stream(first, "x"), on_retry=reasons.append
            )
        except (pymysql.MySQLError, ResourceError) as error:
            failures.append(error)
        finally:
            own.close()

    threads = [Thread(target=cross, args=pair) for pair in ((1, 2), (2, 1))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not failures
    assert "deadlock" in reasons
    with connection.cursor() as cursor:
        cursor.execute("SELECT n FROM lock_shop.t ORDER BY id")
        assert cursor.fetchall() == ((2,), (2,))


def test_an_error_without_number_has_none():
    assert error_number(ValueError("x")) == 0
    assert error_number(pymysql.err.OperationalError()) == 0


def test_streams_of_different_workers_differ_and_repeat():
    """GEN-03: equal seed and name give equal draws in any process; another name or number gives others."""
    draws = {
        (name, n): tuple(stream(7, name, n).integers(0, 1 << 60, 4)) for name in ("load", "seed") for n in range(4)
    }
    assert len(set(draws.values())) == 8
    assert draws["load", 3] == tuple(stream(7, "load", 3).integers(0, 1 << 60, 4))
