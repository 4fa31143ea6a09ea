"""Where Lambda enters the shop: an event seeds it, runs a live load on it, or asks how many rows it holds.

`shoplake_datagen.handler.shop`. Lambda ends a function at its timeout; this one ends its work before that and says so.
"""

import os
import zlib
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Protocol

from shoplake_core.clock import SystemClock
from shoplake_core.errors import ConfigError
from shoplake_mysql.connections import connect

from shoplake_datagen.load import Profile, run_load
from shoplake_datagen.schema import TABLE_NAMES, table_row_counts
from shoplake_datagen.seeding import SeedProgress, seed
from shoplake_datagen.shop_place_aws import ShopPlace, read_shop_place

__all__ = ["FunctionContext", "shop"]

Event = dict[str, Any]

_MARGIN_SECONDS = 5.0  # for the chunk or transaction under way, and the answer
_GRACE_SECONDS, _GRACE_SHARE = 1.0, 0.05  # how much longer than asked for a load may run (see `run_load`)
_BASE_MEMORY_MB, _ORDERS_A_MB = 300, 800  # measured: 123 MB before the first order, 0.9 kB for each
_ORDERS, _SEED, _RATE, _HISTORY_DAYS = 20_000, 7, 10.0, 540

_FIELDS: Mapping[str, Mapping[str, type | tuple[type, ...]]] = {
    "seed": {
        "orders": int,
        "seed": int,
        "reference_time": str,
        "history_days": int,
        "time_zone": str,
        "replace": bool,
        "dirt": bool,
    },
    "load": {
        "seconds": (int, float),
        "rate": (int, float),
        "profile": str,
        "seed": (int, str),
        "connections": int,
        "dirt": bool,
    },
    "status": {},
}


class FunctionContext(Protocol):
    """What Lambda hands over beside the event."""

    memory_limit_in_mb: Any

    def get_remaining_time_in_millis(self) -> int:
        """Milliseconds until the function is ended."""
        ...


class _OutOfTimeError(Exception):
    """The function is about to be ended."""


def shop(event: Event, context: FunctionContext) -> Event:
    """Seed, load, or tell the rows.

    Events: `{"action": "seed", "orders": 20000, "seed": 7, "reference_time": "2026-01-31T12:00:00+00:00",
    "history_days": 540, "time_zone": "Europe/Berlin", "replace": false, "dirt": true}`,
    `{"action": "load", "seconds": 60, "rate": 10, "profile": "steady", "seed": 7, "connections": 4, "dirt": true}`,
    `{"action": "status"}`; of a seed everything, of a load all but `seconds` may be left out. A load's seed may be a text, such as the time that a
    schedule called for it: equal texts give equal transactions.

    Raises:
        ConfigError: The event is wrong, more is asked for than the function's memory holds, or the shop is not empty.
        CredentialError: The secret cannot be read, or MySQL refused the login.
        ResourceError: MySQL or S3 failed.

    """
    action = _action(event)
    if action == "seed":
        settings = _seed_settings(event, int(context.memory_limit_in_mb))
        return _seed(settings, read_shop_place(os.environ), context)
    if action == "load":
        profile = _profile(event)
        return _load(event, profile, read_shop_place(os.environ), context)
    return _status(read_shop_place(os.environ))


def _action(event: Event) -> str:
    action = event.get("action")
    if not isinstance(action, str) or action not in _FIELDS:
        raise ConfigError(f"unknown action {action!r}", hint=f"one of: {', '.join(_FIELDS)}")
    kinds = _FIELDS[action]
    for name, value in event.items():
        if name == "action":
            continue
        if name not in kinds:
            raise ConfigError(
                f'"{name}" is no field of the action {action}', hint=f"its fields: {', '.join(kinds) or 'none'}"
            )
        if not isinstance(value, kinds[name]) or (isinstance(value, bool) and kinds[name] is not bool):
            raise ConfigError(f'the event\'s "{name}" is {value!r}', hint="correct the event")
    return action


def _remaining_seconds(context: FunctionContext) -> float:
    return context.get_remaining_time_in_millis() / 1000 - _MARGIN_SECONDS


def _reference_time(event: Event) -> datetime:
    text = event.get("reference_time")
    if text is None:
        return SystemClock().now()
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise ConfigError(f'"{text}" is no time with a zone', hint="write 2026-01-31T12:00:00+00:00")
    return moment


def _seed_settings(event: Event, memory_mb: int) -> dict[str, Any]:
    orders = event.get("orders", _ORDERS)
    most = max(0, memory_mb - _BASE_MEMORY_MB) * _ORDERS_A_MB
    if orders > most:
        raise ConfigError(
            f"{orders:,} orders are more than a function of {memory_mb} MB holds",
            hint=f"ask for at most {most:,}, or give the function more memory",
        )
    return {
        "orders": orders,
        "seed": event.get("seed", _SEED),
        "reference_time": _reference_time(event),
        "history_days": event.get("history_days", _HISTORY_DAYS),
        "time_zone": event.get("time_zone", "Europe/Berlin"),
        "replace": event.get("replace", False),
        "dirt": event.get("dirt", True),
    }


def _seed(settings: Mapping[str, Any], place: ShopPlace, context: FunctionContext) -> Event:
    def look_at_the_clock(_progress: SeedProgress) -> None:
        if _remaining_seconds(context) <= 0:
            raise _OutOfTimeError

    try:
        report = seed(place.endpoint, schema=place.schema, on_progress=look_at_the_clock, **settings)
    except _OutOfTimeError:
        return {
            "action": "seed",
            "complete": False,
            "rows": _status(place)["rows"],
            "next": 'the shop is unfinished: seed again with "replace": true and fewer orders, or a longer timeout',
        }
    return {
        "action": "seed",
        "complete": True,
        "rows": dict(report.rows),
        "reference_time": settings["reference_time"].isoformat(),
        "method": report.method,
        "faults": len(report.ledger),
        "seconds": round(report.seconds, 3),
    }


def _profile(event: Event) -> Profile:
    if "seconds" not in event:
        raise ConfigError("a load needs its time", hint='{"action": "load", "seconds": 60}')
    name = event.get("profile", Profile.STEADY.value)
    profiles = [known.value for known in Profile]
    if name not in profiles:
        raise ConfigError(f'unknown profile "{name}"', hint=f"one of: {', '.join(profiles)}")
    return Profile(name)


def _number_of(seed: int | str) -> int:
    return seed if isinstance(seed, int) else zlib.crc32(seed.encode())


def _load(event: Event, profile: Profile, place: ShopPlace, context: FunctionContext) -> Event:
    remaining = _remaining_seconds(context)
    longest = max(0.0, min(remaining - _GRACE_SECONDS, remaining / (1 + _GRACE_SHARE)))
    seconds = min(float(event["seconds"]), longest)
    report = run_load(
        place.endpoint,
        profile=profile,
        rate=float(event.get("rate", _RATE)),
        seconds=seconds,
        seed=_number_of(event.get("seed", _SEED)),
        connections=event.get("connections"),
        dirt=event.get("dirt", True),
        schema=place.schema,
    )
    return {
        "action": "load",
        "complete": report.completed == report.requested and seconds == event["seconds"],
        "asked_seconds": event["seconds"],
        "seconds": round(report.seconds, 3),
        "profile": report.profile.value,
        "requested": report.requested,
        "completed": report.completed,
        "transactions": dict(report.transactions),
        "rows": {table: dict(changes) for table, changes in report.rows.items()},
        "retries": dict(report.retries),
        "connections": report.connections,
        "faults": len(report.ledger),
    }


def _status(place: ShopPlace) -> Event:
    connection = connect(place.endpoint)
    try:
        counts = table_row_counts(connection, place.schema)
    finally:
        connection.close()
    tables = [name for name in TABLE_NAMES if name not in counts]
    return {"action": "status", "schema": place.schema, "rows": counts, "missing_tables": tables}
