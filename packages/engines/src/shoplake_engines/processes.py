"""Detached processes that outlive their starter: started with a log and a pid file, ended by pid and start time.

A pid alone names whatever runs under that number today, so the pid file also holds the process's start time and a
process is ours only if both agree.
"""

import contextlib
import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil
from shoplake_core.clock import Clock, SystemClock
from shoplake_core.errors import ResourceError

from shoplake_engines.private_files import exclusive, private_folder, read_json, write_private_json

__all__ = ["DetachedProcess", "ProcessIdentity", "log_tail", "server_environment"]

_START_TIME_TOLERANCE_SECONDS = 1.0  # psutil rounds to clock ticks and reads the boot time anew in each process
_POLL_SECONDS = 0.05
_LOG_TAIL_BYTES = 4_000

# Started by this process: kept so that an ended one is reaped instead of staying a zombie that looks alive.
_children: dict[int, subprocess.Popen[bytes]] = {}


@dataclass(frozen=True, slots=True)
class ProcessIdentity:
    """One process, for ever: a later process under the same pid has another start time."""

    pid: int
    create_time: float


def server_environment(home: Path, *, extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """A small environment for a server, so that nothing of the user's shell (AWS_*, PG*, MYSQL_*) changes what it does."""
    kept = {"PATH": os.defpath}
    if os.name == "nt":
        kept |= {"SYSTEMROOT": str(Path.home().anchor) + "Windows"}
    return kept | {"HOME": str(home), "TMPDIR": str(home), "LC_ALL": "C", "TZ": "UTC"} | dict(extra or {})


def log_tail(path: Path) -> str:
    """The last lines of a log, for an error message; a sentence where there is none."""
    try:
        with path.open("rb") as file:
            file.seek(max(0, path.stat().st_size - _LOG_TAIL_BYTES))
            text = file.read().decode("utf-8", "replace").strip()
    except OSError:
        return f"(no log at {path})"
    return text or f"(nothing in {path})"


class DetachedProcess:
    """One server process whose pid and log lie in `folder` as `<name>.pid.json` and `<name>.log`."""

    def __init__(self, folder: Path, name: str, *, clock: Clock | None = None) -> None:
        self.name = name
        self.folder = folder
        self.log_path = folder / f"{name}.log"
        self._pid_path = folder / f"{name}.pid.json"
        self._lock_path = folder / f"{name}.start.lock"
        self._clock = clock or SystemClock()

    def running(self) -> psutil.Process | None:
        """The process if it runs, None if it ended or its pid belongs to another process by now."""
        identity = self._identity()
        if identity is None:
            return None
        child = _children.get(identity.pid)
        if child is not None and child.poll() is not None:
            del _children[identity.pid]
            return None
        return process_of(identity)

    @property
    def pid(self) -> int | None:
        """The pid while it runs."""
        process = self.running()
        return None if process is None else process.pid

    @property
    def ran_before(self) -> bool:
        """Whether it was started once; its ports may still be closing, since the system needs a moment after its end."""
        return self.log_path.exists()

    def start(
        self,
        command: Sequence[str],
        *,
        environment: Mapping[str, str] | None = None,
        working_folder: Path | None = None,
        user: int | None = None,
        group: int | None = None,
    ) -> int:
        """The pid of the process: the running one, else a new one in its own session.

        Raises:
            ResourceError: The program cannot be started.

        """
        private_folder(self.folder)
        with exclusive(self._lock_path):
            running = self.running()
            if running is not None:
                return running.pid
            with self.log_path.open("ab") as log:
                try:
                    # lives on after this block: ended by pid, later, perhaps by another process
                    child = subprocess.Popen(
                        list(command),
                        stdin=subprocess.DEVNULL,
                        stdout=log,
                        stderr=subprocess.STDOUT,
                        cwd=working_folder or self.folder,
                        env=dict(environment if environment is not None else server_environment(self.folder)),
                        start_new_session=True,
                        user=user,
                        group=group,
                        extra_groups=[] if user is not None else None,
                    )
                except OSError as error:
                    raise ResourceError(
                        f"{self.name}: {command[0]} cannot be started: {error}",
                        hint="check that the program is there and may be executed",
                        command=command[0],
                    ) from error
            _children[child.pid] = child
            try:
                create_time = psutil.Process(child.pid).create_time()
            except psutil.NoSuchProcess:
                create_time = 0.0  # ended at once: nothing to find later
            write_private_json(
                self._pid_path, {"pid": child.pid, "create_time": create_time, "command": list(command)[:1]}
            )
            return child.pid

    def end(self, *, wait_seconds: float = 20.0, stop_signal: signal.Signals = signal.SIGTERM) -> bool:
        """Whether it ran; afterwards neither it nor any process it started runs.

        Asks with `stop_signal`, waits up to `wait_seconds`, then kills what is left.

        """
        process = self.running()
        if process is None:
            self._pid_path.unlink(missing_ok=True)
            return False
        family = [process]
        with contextlib.suppress(psutil.NoSuchProcess):
            family += process.children(recursive=True)
        with contextlib.suppress(psutil.NoSuchProcess):
            process.send_signal(stop_signal)
        ended_in_order = not self._wait_until_ended([process], wait_seconds)
        # children of a server that ended in order end with it: give them a moment; then kill whatever is left
        left = self._wait_until_ended(family, 2.0 if ended_in_order else 0.0)
        for member in left:
            with contextlib.suppress(psutil.NoSuchProcess):
                member.kill()
        left = self._wait_until_ended(left, 10.0)
        if left:
            raise ResourceError(
                f"{self.name}: process {', '.join(str(member.pid) for member in left)} does not end",
                hint="it may hang in the kernel: look at it with ps",
                pids=[member.pid for member in left],
            )
        self._pid_path.unlink(missing_ok=True)
        return True

    def _wait_until_ended(self, processes: Sequence[psutil.Process], seconds: float) -> list[psutil.Process]:
        until = self._clock.monotonic_seconds() + seconds
        left = list(processes)
        while True:
            for member in left:
                child = _children.get(member.pid)
                if child is not None and child.poll() is not None:
                    del _children[member.pid]
            left = [member for member in left if _is_alive(member)]
            if not left or self._clock.monotonic_seconds() >= until:
                return left
            self._clock.sleep(_POLL_SECONDS)

    def _identity(self) -> ProcessIdentity | None:
        data = read_json(self._pid_path)
        if not isinstance(data.get("pid"), int) or not isinstance(data.get("create_time"), float):
            return None
        return ProcessIdentity(data["pid"], data["create_time"])


def _is_alive(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def process_of(identity: ProcessIdentity) -> psutil.Process | None:
    """The process while it runs; None once it ended, whoever has its pid now."""
    try:
        process = psutil.Process(identity.pid)
        same = abs(process.create_time() - identity.create_time) <= _START_TIME_TOLERANCE_SECONDS
    except psutil.NoSuchProcess:
        return None
    return process if same and _is_alive(process) else None
