"""`python -m shoplake_local serve --config FILE`: the front process, started by `LocalStack`."""

import argparse
import sys
from pathlib import Path

from shoplake_core.errors import ShoplakeError

from shoplake_local.front_config import read_front_config
from shoplake_local.serve import serve


def main(arguments: list[str]) -> int:
    """The exit code."""
    parser = argparse.ArgumentParser(prog="python -m shoplake_local", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    serving = commands.add_parser("serve", help="answer AWS requests on 127.0.0.1 until ended")
    serving.add_argument("--config", type=Path, required=True, help="JSON file with port, keys and endpoints")
    given = parser.parse_args(arguments)
    try:
        serve(read_front_config(given.config))
    except ShoplakeError as error:
        sys.stderr.write(f"{error}\n")
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
