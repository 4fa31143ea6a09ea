"""The inside of a function's process: loads the handler, calls it once, writes its answer to a pipe of its own.

Started by its path with the function's folder on PYTHONPATH; only the standard library is there. Arguments: the pipe's
number. Standard input: JSON with `handler`, `event` and `context`.
"""

import importlib
import json
import os
import sys
import time
import traceback
from typing import Any

__all__ = ["Context", "answer_of"]


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


if __name__ == "__main__":
    _answer = json.dumps(answer_of(json.load(sys.stdin)))
    with os.fdopen(int(sys.argv[1]), "w", encoding="utf-8") as _pipe:
        _pipe.write(_answer)
