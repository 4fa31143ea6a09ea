"""Spark's Java process: whether it still lives, and how it ended where it does not."""

import signal
import subprocess
from contextlib import suppress

from pyspark import SparkContext

__all__ = ["end_of_jvm"]

_OUT_OF_MEMORY = 3  # what -XX:+ExitOnOutOfMemoryError ends with
_WAIT_SECONDS = 1.0


def end_of_jvm(*, wait_seconds: float = _WAIT_SECONDS) -> str | None:
    """How Spark's Java process ended, as half a sentence; None while it lives or where none was started.

    Its connections are closed a moment before it is gone, so an end is waited for.

    """
    gateway = SparkContext._gateway  # noqa: SLF001 - pyspark tells nobody else of the process that it started
    process = getattr(gateway, "proc", None)
    if process is None:
        return None
    with suppress(subprocess.TimeoutExpired):
        process.wait(timeout=wait_seconds)
    if process.returncode is None:
        return None
    if process.returncode < 0:
        return f"was ended by {signal.Signals(-process.returncode).name}"
    if process.returncode == _OUT_OF_MEMORY:
        return "ran out of memory: give it more by --spark_memory"
    return f"ended with code {process.returncode}"
