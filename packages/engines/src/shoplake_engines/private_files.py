"""Small files that only their owner may read: passwords, ports, pids. Written whole or not at all."""

import json
import os
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

__all__ = ["exclusive", "private_folder", "random_password", "read_json", "write_private_json", "write_private_text"]

_PASSWORD_BYTES = 24


def private_folder(path: Path) -> Path:
    """The folder, made if absent, open to its owner only."""
    path.mkdir(parents=True, exist_ok=True, mode=0o700)
    return path


def write_private_text(path: Path, text: str) -> None:
    """Replace the file in one step, mode 0600, on disk before this returns."""
    scratch = path.with_name(f"{path.name}.{os.getpid()}.{secrets.token_hex(4)}.new")
    descriptor = os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        scratch.replace(path)
    except OSError:  # a full disk: what was there stays, and what was begun goes
        scratch.unlink(missing_ok=True)
        raise


def write_private_json(path: Path, data: Mapping[str, Any]) -> None:
    """`write_private_text` of the mapping as JSON."""
    write_private_text(path, json.dumps(data, indent=1, sort_keys=True))


def read_json(path: Path) -> dict[str, Any]:
    """What the file holds; {} where it is missing or was never finished."""
    try:
        data = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return data if isinstance(data, dict) else {}


def random_password() -> str:
    """A password of letters, digits, "-" and "_" that needs no quoting anywhere; it never begins with "-"."""
    return f"p{secrets.token_urlsafe(_PASSWORD_BYTES)}"


@contextmanager
def exclusive(path: Path) -> Iterator[None]:
    """Hold a lock file: of several processes that start the same server, one does it and the others find it started."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        if os.name == "nt":
            import msvcrt  # noqa: PLC0415 - there only on Windows

            msvcrt.locking(descriptor, msvcrt.LK_LOCK, 1)  # type: ignore[attr-defined,unused-ignore]
        else:
            import fcntl  # noqa: PLC0415 - there only on POSIX

            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
