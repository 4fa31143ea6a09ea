"""The inside of a function's process: answers one event after another, as Lambda's own environments do while they are warm.

Started by its path with the function's folder on PYTHONPATH; only the standard library is there. Arguments: the number
of the pipe that answers go to, and after how many seconds without an event it ends. Standard input: one line of JSON an
event, with `handler`, `event` and `context`; each answer is one line. It ends with its input, too: with who started it.
"""

import importlib
import json
import os
import select
import sys
import time
import traceback
from typing import Any

__all__ = ["Context", "answer_of", "serve"]


class Context:
    """What Lambda hands to a handler beside its event."""

    def __init__(self, told: dict[str, Any]) -> None:
        self.function_name: str = told["function_name"]
        self.function_version: str = told["function_version"]
        self.invoked_function_arn: str = told["invoked_function_arn"]
        self.memory_limit_in_mb: int = told["memory_limit_in_mb"]
        self.aws_request_id: str = told["aws_request_id"]
        self.log_group_name: str = told["log_group_name"]
        self.log_stream_name: str = told["log_stream_name"]
        self._until = time.monotonic() + told["timeout_seconds"]

    def get_remaining_time_in_millis(self) -> int:
        """Milliseconds until the function is ended."""
        return max(0, int((self._until - time.monotonic()) * 1000))


def answer_of(told: dict[str, Any]) -> dict[str, Any]:
    """`{"result": ...}`, or `{"error": ...}` as Lambda's Python runtime words it."""
    try:
        module, _, name = told["handler"].rpartition(".")
        handler = getattr(importlib.import_module(module.replace("/", ".")), name)
        return {"result": json.dumps(handler(told["event"], Context(told["context"])))}
    except Exception as error:  # noqa: BLE001 - whatever a handler raises is its answer
        traceback.print_exc()
        frames = traceback.format_list(traceback.extract_tb(error.__traceback__)[1:])
        return {"error": {"errorMessage": str(error), "errorType": type(error).__name__, "stackTrace": frames}}


def serve(events: int, answers: int, *, idle_seconds: float) -> None:
    """Answer events until there are no more, or none came for a while.

    Args:
        events: Descriptor that events are read from.
        answers: Descriptor that answers are written to.
        idle_seconds: How long to wait for the next one.

    """
    waiting = b""
    while True:
        while b"\n" not in waiting:
            ready, _, _ = select.select([events], [], [], idle_seconds)
            part = os.read(events, 1 << 20) if ready else b""
            if not part:
                return
            waiting += part
        line, _, waiting = waiting.partition(b"\n")
        answer = json.dumps(answer_of(json.loads(line))).encode() + b"\n"
        sys.stdout.flush()
        sys.stderr.flush()
        while answer:
            answer = answer[os.write(answers, answer) :]


if __name__ == "__main__":
    serve(sys.stdin.fileno(), int(sys.argv[1]), idle_seconds=float(sys.argv[2]))
