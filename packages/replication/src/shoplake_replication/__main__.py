"""The command: `python -m shoplake_replication run|reload|status --config FILE`. The only place that reads the environment."""

import argparse
import gc
import json
import os
import signal
import sys
import threading
from pathlib import Path

from shoplake_core.clock import SystemClock
from shoplake_core.errors import ConfigError, ShoplakeError
from shoplake_core.full_disk import full_disk_error

from shoplake_replication.bronze_aws import S3Bronze
from shoplake_replication.config import PASSWORD_VARIABLE, ReplicatorConfig, parse_config
from shoplake_replication.failpoints import FAILPOINT_VARIABLE, failpoint_of
from shoplake_replication.reload_requests import ALL_TABLES, request_reload
from shoplake_replication.replicator import Replicator
from shoplake_replication.status import read_status


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m shoplake_replication", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    run = commands.add_parser("run", help="load what is not loaded, then stream until SIGTERM")
    run.add_argument("--until-marker", default="", help="stop once the marker row with this token is in bronze")
    reload = commands.add_parser("reload", help="load tables anew: a running replicator does it at its next cut")
    reload.add_argument("tables", nargs="*", metavar="TABLE", help="schema.table; none for all, at the next start")
    status = commands.add_parser("status", help="print how the replicator stands, as JSON")
    for command in (run, reload, status):
        command.add_argument("--config", type=Path, required=True)
    return parser


def _config(path: Path) -> ReplicatorConfig:
    try:
        text = path.read_text("utf-8")
    except OSError as error:
        raise ConfigError(f"cannot read {path}: {error.strerror}", hint="pass --config FILE") from error
    return parse_config(text, password=os.environ.get(PASSWORD_VARIABLE, ""), where=path.name)


def _run(config: ReplicatorConfig, until_marker: str) -> None:
    gc.set_threshold(50_000, 20, 50)  # events are made by the hundred thousand and hold no cycles
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    replicator = Replicator(
        config,
        bronze=S3Bronze(config.s3),
        clock=SystemClock(),
        stop_requested=stop.is_set,
        failpoint=failpoint_of(os.environ.get(FAILPOINT_VARIABLE, "")),
    )
    try:
        replicator.run(until_marker=until_marker)
    except OSError as error:
        told = full_disk_error(error, config.state_dir)
        if told is None:
            raise
        raise told from error


def main(arguments: list[str] | None = None) -> int:
    """The exit code: 0, or that of the error."""
    chosen = _parser().parse_args(arguments)
    try:
        config = _config(chosen.config)
        match chosen.command:
            case "run":
                _run(config, chosen.until_marker)
            case "reload":
                for table in chosen.tables or [ALL_TABLES]:
                    request_reload(config.state_dir, table)
            case "status":
                print(json.dumps(read_status(config.state_dir), indent=1))  # noqa: T201 - the command's output
    except ShoplakeError as error:
        print(f"error [{error.code}]: {error}", file=sys.stderr)  # noqa: T201 - the command's output
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
