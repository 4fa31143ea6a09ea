"""Next times of schedule expressions; facts and examples from EventBridge Scheduler's User Guide."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from shoplake_local.scheduler.expressions import InvalidExpressionError, parsed_expression

ANCHOR = datetime(2026, 1, 1, tzinfo=UTC)


def times(text, after, count=3, zone="UTC", anchor=ANCHOR):
    """The next times, as local text."""
    expression = parsed_expression(text, time_zone=zone, anchor=anchor)
    moment, found = datetime.fromisoformat(after).replace(tzinfo=UTC), []
    while len(found) < count and (following := expression.next_after(moment)) is not None:
        moment = following
        found.append(moment.astimezone(ZoneInfo(zone)).strftime("%Y-%m-%d %H:%M"))
    return found


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("cron(15 12 * * ? *)", ["2026-01-31 12:15", "2026-02-01 12:15", "2026-02-02 12:15"]),
        ("cron(0/20 23 ? * MON-FRI *)", ["2026-02-02 23:00", "2026-02-02 23:20", "2026-02-02 23:40"]),
        ("cron(0 8 1 * ? *)", ["2026-02-01 08:00", "2026-03-01 08:00", "2026-04-01 08:00"]),
        ("cron(0 0 L * ? *)", ["2026-02-28 00:00", "2026-03-31 00:00", "2026-04-30 00:00"]),
        ("cron(0 10 ? * 6L 2026-2027)", ["2026-02-27 10:00", "2026-03-27 10:00", "2026-04-24 10:00"]),
        ("cron(0 10 ? * TUE#2 *)", ["2026-02-10 10:00", "2026-03-10 10:00", "2026-04-14 10:00"]),
        ("cron(0 10 ? * L *)", ["2026-01-31 10:00", "2026-02-07 10:00", "2026-02-14 10:00"]),
        ("cron(0 9 1W * ? *)", ["2026-02-02 09:00", "2026-03-02 09:00", "2026-04-01 09:00"]),
        ("cron(0 9 31W * ? *)", ["2026-03-31 09:00", "2026-05-29 09:00", "2026-07-31 09:00"]),
        ("cron(5,35 14 29 FEB ? *)", ["2028-02-29 14:05", "2028-02-29 14:35", "2032-02-29 14:05"]),
        ("cron(0 0 1 1 ? 2026)", []),
        ("rate(12 hours)", ["2026-01-31 12:00", "2026-02-01 00:00", "2026-02-01 12:00"]),
        ("rate(1 minute)", ["2026-01-31 00:01", "2026-01-31 00:02", "2026-01-31 00:03"]),
        ("at(2026-11-20T13:00:00)", ["2026-11-20 13:00"]),
        ("at(2026-01-30T13:00:00)", []),
    ],
)
def test_next_times(text, found):
    assert times(text, "2026-01-31 00:00") == found


def test_a_rate_begins_with_its_first_time():
    assert times("rate(5 days)", "2025-12-31 23:59", 2) == ["2026-01-01 00:00", "2026-01-06 00:00"]


@pytest.mark.parametrize(
    ("text", "after", "found"),
    [
        # 2026-03-29: 02:00 becomes 03:00; 2026-10-25: 03:00 becomes 02:00
        ("cron(30 2 * * ? *)", "2026-03-27 12:00", ["2026-03-28 02:30", "2026-03-30 02:30"]),
        ("cron(0/30 * * * ? *)", "2026-03-29 00:00", ["2026-03-29 01:30", "2026-03-29 03:00"]),
        ("cron(30 2 * * ? *)", "2026-10-24 12:00", ["2026-10-25 02:30", "2026-10-26 02:30"]),
        ("cron(0/30 * * * ? *)", "2026-10-25 00:00", ["2026-10-25 02:30", "2026-10-25 03:00"]),
        ("rate(1 day)", "2026-10-24 10:00", ["2026-10-25 02:00", "2026-10-26 01:00"]),
    ],
    ids=["skipped", "skipped hour", "once", "once an hour", "24 hours"],
)
def test_daylight_saving_time(text, after, found):
    assert times(text, after, 2, "Europe/Berlin") == found


@pytest.mark.parametrize(
    "text",
    [
        "nonsense",
        "cron(* * * * *)",
        "cron(0 0 * * * *)",
        "cron(0 0 ? * ? *)",
        "cron(60 0 * * ? *)",
        "cron(0 24 * * ? *)",
        "cron(0 0 0 * ? *)",
        "cron(0 0 * 13 ? *)",
        "cron(0 0 ? * 8 *)",
        "cron(0 0 ? * MON#6 *)",
        "cron(0 0 ? * MON#1,TUE#1 *)",
        "cron(0 0 1-5W * ? *)",
        "cron(5-1 0 * * ? *)",
        "cron(0/0 0 * * ? *)",
        "cron(0 0 1 * ? 1969)",
        "cron(0 0 ? * *#1 *)",
        "rate(0 minutes)",
        "rate(5 seconds)",
        "rate(5)",
        "at(2026-02-30T00:00:00)",
        "at(2026-11-20 13:00:00)",
    ],
)
def test_what_aws_would_not_take_is_refused(text):
    with pytest.raises(InvalidExpressionError):
        parsed_expression(text, anchor=ANCHOR)


def test_a_time_and_a_zone_that_do_not_exist_are_refused():
    with pytest.raises(InvalidExpressionError, match="jump"):
        parsed_expression("at(2026-03-29T02:30:00)", time_zone="Europe/Berlin", anchor=ANCHOR)
    with pytest.raises(InvalidExpressionError, match="time zone"):
        parsed_expression("rate(1 day)", time_zone="Europe/Nowhere", anchor=ANCHOR)


MINUTES = st.sampled_from(["0", "*", "0/7", "3,17", "50-59"])
HOURS = st.sampled_from(["*", "2", "1-3", "0/5"])
DAYS = st.sampled_from([("*", "?"), ("?", "SUN"), ("L", "?"), ("?", "2-6"), ("1,29", "?"), ("15W", "?")])
ZONES = st.sampled_from(["UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata"])


@settings(max_examples=60, deadline=None)
@given(
    minutes=MINUTES,
    hours=HOURS,
    days=DAYS,
    zone=ZONES,
    offset=st.timedeltas(min_value=timedelta(0), max_value=timedelta(days=400)),
)
def test_walking_and_asking_in_between_find_the_same_times(minutes, hours, days, zone, offset):
    """Every time is later than the one before, is on a whole minute that the fields allow, and none lies between."""
    expression = parsed_expression(f"cron({minutes} {hours} {days[0]} * {days[1]} *)", time_zone=zone, anchor=ANCHOR)
    moment = ANCHOR + offset
    locals_seen = set()
    for _ in range(6):
        following = expression.next_after(moment)
        assert following > moment
        assert expression.next_after(following - timedelta(seconds=1)) == following
        assert expression.next_after(moment + (following - moment) / 2) == following
        local = following.astimezone(ZoneInfo(zone)).replace(tzinfo=None)
        assert local.second == 0
        assert local not in locals_seen, "a local time that comes twice counts once"
        locals_seen.add(local)
        moment = following
