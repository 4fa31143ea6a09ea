"""Errors that no adapter expected, at the command's edge: a full disk and an AWS call that failed get words and a next step.

Everything else stays a traceback: it is a fault of ours, and whoever reports it needs the lines.
"""

import shutil
from pathlib import Path

from botocore.exceptions import BotoCoreError, ClientError
from shoplake_core.errors import ResourceError, ShoplakeError
from shoplake_core.full_disk import full_disk_error

__all__ = ["told_error"]

_LOW_BYTES = 64 * 1024 * 1024
_RERUN = "the data is as it was before this step: mend the cause, then do this again"


def _low_disk(folder: Path) -> str:
    """A half sentence on the disk of the folder where it is nearly full: a server on it can only say that it failed."""
    at = next(path for path in (folder, *folder.parents) if path.exists())
    free = shutil.disk_usage(at).free
    return f"; the disk of {folder} has {free / 1024 / 1024:.1f} MiB left: make room" if free < _LOW_BYTES else ""


def told_error(error: Exception, folder: Path) -> ShoplakeError | None:
    """The error in our words; None where it is nobody's but ours.

    Args:
        error: What reached the command's edge.
        folder: The state folder.

    """
    if isinstance(error, ShoplakeError):
        return error
    if isinstance(error, ClientError):
        code = error.response.get("Error", {}).get("Code", "unknown error")
        wait = " (an object store whose disk was full looks for room once a minute)" if code == "InternalError" else ""
        return ResourceError(
            f"{error.operation_name} was answered with {code}{_low_disk(folder)}", hint=_RERUN + wait, aws_code=code
        )
    if isinstance(error, BotoCoreError):
        return ResourceError(f"an AWS call failed: {error}{_low_disk(folder)}", hint=f"shoplake status; {_RERUN}")
    if isinstance(error, OSError):
        return full_disk_error(error, folder)
    return None
