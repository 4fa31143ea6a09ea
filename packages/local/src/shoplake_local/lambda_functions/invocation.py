"""One invocation: a process that starts with the event and ends with the answer, or at its timeout."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from shoplake_local.lambda_functions import runtime

__all__ = ["Invocation", "invoked"]


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


def invoked(
    *, handler: str, event: Any, context: Mapping[str, Any], environment: Mapping[str, str], folder: Path
) -> Invocation:
    """The invocation, ended: its process and whatever that started are gone."""
    timeout_seconds = context["timeout_seconds"]
    told = json.dumps({"handler": handler, "event": event, "context": context}).encode()
    # files, not pipes, take what is written: a function that prints or answers much never waits for a reader
    with tempfile.TemporaryFile() as log, tempfile.TemporaryFile() as answer:
        process = subprocess.Popen(
            [sys.executable, str(Path(runtime.__file__)), str(answer.fileno())],
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=subprocess.STDOUT,
            cwd=folder,
            env=dict(environment),
            pass_fds=[answer.fileno()],
            start_new_session=True,
        )
        timed_out = False
        try:
            process.communicate(told, timeout=timeout_seconds)
        except subprocess.TimeoutExpired:
            timed_out = True
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        log.seek(0)
        answer.seek(0)
        printed, text = log.read(), answer.read()
    request_id = context["aws_request_id"]
    if timed_out:
        message = f"RequestId: {request_id} Error: Task timed out after {timeout_seconds:.2f} seconds"
        return _failed({"errorType": "Sandbox.Timedout", "errorMessage": message}, printed)
    if not text:
        how = f"signal: {-process.returncode}" if process.returncode < 0 else f"exit status {process.returncode}"
        message = f"RequestId: {request_id} Error: Runtime exited with error: {how}"
        return _failed({"errorType": "Runtime.ExitError", "errorMessage": message}, printed)
    data = json.loads(text)
    if "error" in data:
        return _failed(data["error"], printed)
    return Invocation(data["result"].encode(), failed=False, log=printed)


def _failed(error: Mapping[str, Any], log: bytes) -> Invocation:
    return Invocation(json.dumps(error).encode(), failed=True, log=log)
