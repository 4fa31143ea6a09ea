"""Invocations: a function's process answers one event after another while it is warm, and is ended at a timeout."""

import contextlib
import fcntl
import json
import os
import select
import signal
import subprocess
import sys
import tempfile
import threading
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from shoplake_core.clock import Clock

from shoplake_local.lambda_functions import runtime

__all__ = ["FunctionProcesses", "Invocation"]

_IDLE_SECONDS = 120.0
_CHUNK_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class Invocation:
    """What became of it.

    Attributes:
        payload: The handler's answer, or the error, as JSON.
        failed: Whether it is an error.
        log: What the function printed.

    """

    payload: bytes
    failed: bool
    log: bytes


class _Gone(Exception):  # noqa: N818 - no error: a process that was idle too long
    """The process had ended before it heard of the event."""


class _Process:
    """One warm process; one event at a time."""

    def __init__(self, environment: Mapping[str, str], folder: Path) -> None:
        # a file, not a pipe, takes what is printed: a function that prints much never waits for a reader
        self._log = tempfile.TemporaryFile()  # noqa: SIM115 - closed with the process
        # each event begins with an empty file, so every write must go to its end as it is then
        fcntl.fcntl(self._log, fcntl.F_SETFL, fcntl.fcntl(self._log, fcntl.F_GETFL) | os.O_APPEND)
        self._answers, write_end = os.pipe()
        try:
            self._process = subprocess.Popen(
                [sys.executable, str(Path(runtime.__file__)), str(write_end), str(_IDLE_SECONDS)],
                stdin=subprocess.PIPE,
                stdout=self._log,
                stderr=subprocess.STDOUT,
                cwd=folder,
                env=dict(environment),
                pass_fds=[write_end],
                start_new_session=True,
                bufsize=0,
            )
        finally:
            os.close(write_end)

    @property
    def alive(self) -> bool:
        """Whether it may take another event."""
        return self._process.poll() is None

    def answered(self, told: Mapping[str, Any], *, timeout_seconds: float, clock: Clock) -> tuple[bytes | None, bytes]:
        """The line that it answered, None where it did not in time; and what it printed.

        Raises:
            _Gone: It had ended before.

        """
        self._log.truncate(0)
        assert self._process.stdin is not None
        try:
            line = json.dumps(told).encode() + b"\n"
            while line:
                line = line[self._process.stdin.write(line) or 0 :]
        except BrokenPipeError:
            raise _Gone from None
        until = clock.monotonic_seconds() + timeout_seconds
        text = b""
        while not text.endswith(b"\n"):
            ready, _, _ = select.select([self._answers], [], [], max(0.0, until - clock.monotonic_seconds()))
            if not ready:
                return None, self._printed()
            part = os.read(self._answers, _CHUNK_BYTES)
            if not part:
                break
            text += part
        return text, self._printed()

    def _printed(self) -> bytes:
        self._log.seek(0)
        return self._log.read()

    def ended_how(self) -> str:
        """How it ended, as Lambda words it; waits for the end."""
        code = self._process.wait()
        return f"signal: {-code}" if code < 0 else f"exit status {code}"

    def end(self) -> None:
        """End it and whatever it started."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        if self._process.stdin is not None:
            self._process.stdin.close()
        os.close(self._answers)
        self._log.close()


class FunctionProcesses:
    """The warm processes of all functions: as many of one as events came at once.

    A process serves one handler with one environment and code: a changed function gets new ones.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._idle: dict[str, list[_Process]] = defaultdict(list)
        self._lock = threading.Lock()

    def invoked(
        self, *, handler: str, event: Any, context: Mapping[str, Any], environment: Mapping[str, str], folder: Path
    ) -> Invocation:
        """The invocation, ended: at its timeout its process and whatever that started are gone."""
        told = {"handler": handler, "event": event, "context": context}
        kind = json.dumps([handler, str(folder), sorted(environment.items())])
        while True:
            process = self._warm(kind) or _Process(environment, folder)
            try:
                text, log = process.answered(told, timeout_seconds=context["timeout_seconds"], clock=self._clock)
            except _Gone:
                process.end()
                continue
            except BaseException:
                process.end()
                raise
            break
        request_id = context["aws_request_id"]
        if text is None:
            process.end()
            message = f"RequestId: {request_id} Error: Task timed out after {context['timeout_seconds']:.2f} seconds"
            return _failed({"errorType": "Sandbox.Timedout", "errorMessage": message}, log)
        if not text.endswith(b"\n"):
            message = f"RequestId: {request_id} Error: Runtime exited with error: {process.ended_how()}"
            process.end()
            return _failed({"errorType": "Runtime.ExitError", "errorMessage": message}, log)
        with self._lock:
            self._idle[kind].append(process)
        data = json.loads(text)
        if "error" in data:
            return _failed(data["error"], log)
        return Invocation(data["result"].encode(), failed=False, log=log)

    def close(self) -> None:
        """End every process."""
        with self._lock:
            for processes in self._idle.values():
                for process in processes:
                    process.end()
            self._idle.clear()

    def _warm(self, kind: str) -> _Process | None:
        with self._lock:
            for other in [*self._idle]:  # what idled too long has ended by itself: clear it away
                alive = []
                for process in self._idle[other]:
                    if process.alive:
                        alive.append(process)
                    else:
                        process.end()
                self._idle[other] = alive
            return self._idle[kind].pop() if self._idle[kind] else None


def _failed(error: Mapping[str, Any], log: bytes) -> Invocation:
    return Invocation(json.dumps(error).encode(), failed=True, log=log)
