"""`python -m shoplake_datagen seed|load`: the edge that reads flags and environment.

Progress goes to stderr, the report to stdout (one JSON document with --json). Exit codes: 0 done, 1 the work failed or
stopped short, 2 usage or configuration, 3 credentials, 4 server, 130 interrupted.
"""

import argparse
import json
import os
import re
import sys
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, TextIO

from shoplake_core.clock import Clock, SystemClock
from shoplake_core.endpoints import MySqlEndpoint, parse_mysql_url
from shoplake_core.errors import ConfigError, ShoplakeError

from shoplake_datagen.ledger import LedgerEntry, ledger_lines
from shoplake_datagen.load import LoadProgress, LoadReport, Profile, run_load
from shoplake_datagen.seeding import SeedProgress, SeedReport, seed

__all__ = ["main"]

_URL_VARIABLE = "SHOPLAKE_MYSQL_URL"
_INTERRUPTED = 130
_DURATION = re.compile(r"^(\d+(?:\.\d+)?)(s|m|h)?$")
_UNIT_SECONDS = {None: 1.0, "s": 1.0, "m": 60.0, "h": 3_600.0}


def _duration_seconds(text: str) -> float:
    match = _DURATION.match(text)
    if match is None:
        raise argparse.ArgumentTypeError(f'"{text}" is no duration: write 30, 30s, 5m or 1h')
    return float(match.group(1)) * _UNIT_SECONDS[match.group(2)]


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f'"{text}" is no time: write 2026-01-31T12:00:00+00:00') from error
    if moment.tzinfo is None:
        raise argparse.ArgumentTypeError(f'"{text}" has no zone: write {text}+00:00')
    return moment


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="shoplake_datagen", description="The simulated shop in a MySQL of yours.")
    commands = parser.add_subparsers(dest="command", required=True)
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--url", help=f"mysql://user:password@host:port (default: ${_URL_VARIABLE})")
    common.add_argument("--schema", default="shop", help="MySQL schema (default: shop)")
    common.add_argument("--seed", type=int, default=7, help="equal seeds give equal data (default: 7)")
    common.add_argument("--no-dirt", action="store_true", help="plant no faults")
    common.add_argument(
        "--ledger", type=Path, help="file for the planted faults, one JSON object a line (load: appended)"
    )
    common.add_argument("--json", action="store_true", help="print the report as one JSON document")

    seeding = commands.add_parser("seed", parents=[common], help="write a history of orders into an empty schema")
    seeding.add_argument("--orders", type=int, default=20_000, help="how many (default: 20000)")
    seeding.add_argument("--reference-time", type=_moment, help='the shop\'s "now", with zone (default: the clock)')
    seeding.add_argument("--history-days", type=int, default=540, help="how far back orders go (default: 540)")
    seeding.add_argument("--time-zone", default="Europe/Berlin", help="the store's zone (default: Europe/Berlin)")
    seeding.add_argument("--replace", action="store_true", help="drop the shop's tables first")

    load = commands.add_parser("load", parents=[common], help="run live transactions on a seeded shop")
    load.add_argument("--profile", choices=[p.value for p in Profile], default="steady", help="how they are spread")
    load.add_argument("--rate", type=float, help="transactions a second, on average")
    load.add_argument("--for", dest="seconds", type=_duration_seconds, metavar="S", help="how long: 30, 30s, 5m, 1h")
    load.add_argument("--transactions", type=int, help="exactly so many, instead of --for")
    load.add_argument("--connections", type=int, help="1 to 32 (default: steady 1, peak 4, burst 8)")
    return parser


def _endpoint(url: str | None, environment: Mapping[str, str]) -> MySqlEndpoint:
    given = url or environment.get(_URL_VARIABLE, "")
    if not given:
        raise ConfigError(
            "no MySQL server was named", hint=f"pass --url, or set {_URL_VARIABLE}=mysql://user:password@host:3306"
        )
    return parse_mysql_url(given)


def _write_ledger(path: Path | None, entries: Sequence[LedgerEntry], *, append: bool) -> None:
    if path is not None:
        with path.open("a" if append else "w", encoding="utf-8") as file:
            file.write(ledger_lines(entries))


def _seed(options: argparse.Namespace, endpoint: MySqlEndpoint, clock: Clock, talk: TextIO) -> SeedReport:
    def show(progress: SeedProgress) -> None:
        talk.write(
            f"{progress.table}: {progress.rows:,} of {progress.of_rows:,} rows, {progress.elapsed_seconds:.1f} s\n"
        )

    talk.write(f"seeding {options.orders:,} orders into {options.schema} at {endpoint.host}:{endpoint.port}\n")
    report = seed(
        endpoint,
        orders=options.orders,
        seed=options.seed,
        reference_time=options.reference_time or clock.now(),
        on_progress=show,
        replace=options.replace,
        dirt=not options.no_dirt,
        history_days=options.history_days,
        time_zone=options.time_zone,
        schema=options.schema,
        clock=clock,
    )
    _write_ledger(options.ledger, report.ledger, append=False)
    return report


def _load(options: argparse.Namespace, endpoint: MySqlEndpoint, clock: Clock, talk: TextIO) -> LoadReport:
    def show(progress: LoadProgress) -> None:
        talk.write(
            f"{progress.transactions:,} of {progress.of_transactions:,} transactions, {progress.retries} retries,"
            f" {progress.elapsed_seconds:.1f} s\n"
        )

    talk.write(f"load on {options.schema} at {endpoint.host}:{endpoint.port}, profile {options.profile}\n")
    report = run_load(
        endpoint,
        profile=Profile(options.profile),
        rate=options.rate,
        seconds=options.seconds,
        transactions=options.transactions,
        seed=options.seed,
        connections=options.connections,
        dirt=not options.no_dirt,
        schema=options.schema,
        on_progress=show,
        clock=clock,
    )
    _write_ledger(options.ledger, report.ledger, append=True)
    return report


def _seed_document(report: SeedReport) -> dict[str, Any]:
    return {
        "schema_version": 1,
        "command": "seed",
        "rows": dict(report.rows),
        "method": report.method,
        "faults": len(report.ledger),
        "drawing_seconds": round(report.drawing_seconds, 3),
        "seconds": round(report.seconds, 3),
    }


def _load_document(report: LoadReport) -> dict[str, Any]:
    return {
        "schema_version": 1,
        "command": "load",
        "profile": report.profile.value,
        "requested": report.requested,
        "completed": report.completed,
        "transactions": dict(report.transactions),
        "rows": {table: dict(changes) for table, changes in report.rows.items()},
        "retries": dict(report.retries),
        "connections": report.connections,
        "faults": len(report.ledger),
        "seconds": round(report.seconds, 3),
    }


def _as_text(document: Mapping[str, Any]) -> str:
    lines = []
    for name, value in document.items():
        if name == "schema_version":
            continue
        if isinstance(value, dict):
            lines += [f"{name}:", *(f"  {key}: {_inline(of_key)}" for key, of_key in value.items())]
        else:
            lines.append(f"{name}: {_inline(value)}")
    return "\n".join(lines)


def _inline(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{key} {_inline(of_key)}" for key, of_key in value.items())
    return f"{value:,}" if isinstance(value, int) else str(value)


def main(
    arguments: Sequence[str] | None = None,
    *,
    environment: Mapping[str, str] | None = None,
    clock: Clock | None = None,
) -> int:
    """Run one command; its exit code."""
    options = _parser().parse_args(arguments)
    talk, time = sys.stderr, clock or SystemClock()
    try:
        endpoint = _endpoint(options.url, os.environ if environment is None else environment)
        if options.command == "seed":
            seeded = _seed(options, endpoint, time, talk)
            document, complete = _seed_document(seeded), True
        else:
            loaded = _load(options, endpoint, time, talk)
            document, complete = _load_document(loaded), loaded.completed == loaded.requested
    except ShoplakeError as error:
        talk.write(f"error[{error.code}]: {error}\n")
        return error.exit_code
    except KeyboardInterrupt:
        talk.write("interrupted: what was committed stays; a seed can be begun anew with --replace\n")
        return _INTERRUPTED
    sys.stdout.write((json.dumps(document) if options.json else _as_text(document)) + "\n")
    if not complete:
        talk.write(
            f"stopped short: {document['completed']:,} of {document['requested']:,} transactions in the time given\n"
            "  next: lower --rate, or raise --connections\n"
        )
        return 1
    return 0
