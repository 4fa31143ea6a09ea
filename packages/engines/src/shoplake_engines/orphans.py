"""Ends the servers of a temporary folder when the test run that made it is gone, however it went.

`python -m shoplake_engines.orphans FOLDER` waits until its standard input closes: also a run that is killed closes it.
"""

import shutil
import subprocess
import sys
from pathlib import Path

from shoplake_core.errors import ResourceError

from shoplake_engines.processes import DetachedProcess

__all__ = ["end_servers_below", "guard"]

_PID_SUFFIX = ".pid.json"


def guard(folder: Path) -> "subprocess.Popen[bytes]":
    """A process that cleans `folder` when this process ends; keep it, and it needs no other care."""
    return subprocess.Popen(
        [sys.executable, "-m", "shoplake_engines.orphans", str(folder)],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )


def end_servers_below(folder: Path) -> int:
    """How many servers with a pid file below the folder ran; none does afterwards."""
    ended = 0
    for pid_file in sorted(folder.rglob(f"*{_PID_SUFFIX}")):
        name = pid_file.name.removesuffix(_PID_SUFFIX)
        try:
            ended += DetachedProcess(pid_file.parent, name).end(wait_seconds=5.0)
        except ResourceError:
            continue  # the others still can be ended
    return ended


if __name__ == "__main__":
    given = Path(sys.argv[1])
    sys.stdin.buffer.read()
    if given.is_dir():
        end_servers_below(given)
        shutil.rmtree(given, ignore_errors=True)
