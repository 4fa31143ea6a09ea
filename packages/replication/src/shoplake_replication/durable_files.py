"""Small files that survive a crash whole: written beside, synced, renamed."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from shoplake_replication.errors import TakenOverError

__all__ = ["lock_folder", "sync_folder", "write_durably"]

_LOCK_NAME = "lock"


def sync_folder(folder: Path) -> None:
    """The folder's entries are on disk."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_durably(path: Path, text: str) -> None:
    """`path` holds `text`, on disk; a crash leaves the old content or the new, never a part."""
    beside = path.with_name(f".{path.name}.new")
    with beside.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    beside.replace(path)
    sync_folder(path.parent)


@contextmanager
def lock_folder(folder: Path) -> Iterator[None]:
    """The folder is this process's alone while the context lasts; the lock goes with the process, however it ends.

    Raises:
        TakenOverError: Another process holds it.

    """
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / _LOCK_NAME).open("a+", encoding="utf-8") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            file.seek(0)
            raise TakenOverError(
                f"another replicator (process {file.read().strip() or 'unknown'}) uses the state folder {folder}",
                hint="stop it, or give this one a state_dir of its own",
                folder=str(folder),
            ) from error
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        yield
