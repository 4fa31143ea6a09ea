"""Runs one command and writes how it ended into a file, so that a front that was not there then still learns it.

Started by its path with a bare interpreter: only the standard library is there. Arguments: the file, then the command.
"""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from types import FrameType

__all__ = ["main"]


def main(arguments: list[str]) -> int:
    """The exit code of the command; below 0 for the signal that ended it."""
    path, command = Path(arguments[0]), arguments[1:]
    with subprocess.Popen(command, stdin=subprocess.DEVNULL) as child:

        def forward(number: int, _frame: FrameType | None) -> None:
            child.send_signal(number)

        signal.signal(signal.SIGTERM, forward)
        code = child.wait()
    scratch = path.with_name(f"{path.name}.new")
    with scratch.open("w", encoding="utf-8") as file:
        json.dump({"exit_code": code}, file)
        file.flush()
        os.fsync(file.fileno())
    scratch.replace(path)
    return code


if __name__ == "__main__":
    sys.exit(0 if main(sys.argv[1:]) == 0 else 1)
