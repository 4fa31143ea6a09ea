"""A disk without room, told as one of our errors."""

import errno
import os
from pathlib import Path

from shoplake_core.errors import ResourceError

__all__ = ["full_disk_error"]

# a file may not grow because of the disk, of a quota, or of a limit on its size
_NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


def full_disk_error(error: OSError, folder: Path) -> ResourceError | None:
    """What a person reads when a file under `folder` cannot grow; None for any other error."""
    if error.errno not in _NO_ROOM:
        return None
    file = f" {error.filename}" if error.filename else ""
    return ResourceError(
        f"no room to write{file} under {folder}: {os.strerror(error.errno or 0)}",
        hint="make room on that disk, then do this again: it goes on where it stopped, nothing is lost or doubled",
        folder=str(folder),
    )
