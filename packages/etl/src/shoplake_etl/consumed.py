"""The consumed record: which bronze files a silver table has taken. Its object is written first, its hash is committed."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import sha256

from shoplake_core.errors import DataError

__all__ = ["Consumed", "consumed_from_json", "listing_start", "with_batch"]

_NAME_SECONDS = "%Y%m%d-%H%M%S"
_NAME_DIGITS = len("yyyymmdd-HHMMSS")
_WINDOW = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Consumed:
    """What was taken so far.

    Attributes:
        watermark: Name of the last change file taken; "" for none.
        files: Names of change files of the day before the watermark -> ETag; earlier ones cannot come any more.
        epochs: The epochs whose load was taken.

    """

    watermark: str = ""
    files: Mapping[str, str] = field(default_factory=dict)
    epochs: tuple[str, ...] = ()

    def to_json(self) -> bytes:
        """The object's content."""
        data = {
            "schema_version": 1,
            "watermark": self.watermark,
            "files": dict(self.files),
            "epochs": list(self.epochs),
        }
        return json.dumps(data, sort_keys=True).encode()


def consumed_from_json(content: bytes, *, expected_sha256: str, url: str) -> Consumed:
    """The record that `Consumed.to_json` wrote.

    Raises:
        DataError: The object is not the one that was committed.

    """
    found = sha256(content).hexdigest()
    if found != expected_sha256:
        raise DataError(
            f"{url} has hash {found}, and the table's snapshot expects {expected_sha256}",
            hint="restore the object: without it nobody knows which files were taken",
            url=url,
        )
    data = json.loads(content)
    return Consumed(data["watermark"], data["files"], tuple(data["epochs"]))


def listing_start(watermark: str) -> str:
    """The name after which a listing must begin to see every change file that may still be new; "" for all.

    Raises:
        DataError: The watermark is not named as a change file.

    """
    if not watermark:
        return ""
    try:
        written = datetime.strptime(watermark[:_NAME_DIGITS], _NAME_SECONDS)  # noqa: DTZ007 - a name, not an instant
    except ValueError as error:
        raise DataError(
            f'change file "{watermark}" is not named yyyymmdd-HHMMSSmmm.parquet',
            hint="DMS's date partitions and other writers are not read; see who wrote it",
            file=watermark,
        ) from error
    return (written - _WINDOW).strftime(_NAME_SECONDS)


def with_batch(consumed: Consumed, *, changes: Mapping[str, str], epochs: Iterable[str]) -> Consumed:
    """The record after a batch.

    Args:
        consumed: The record before it.
        changes: Change files of the batch -> ETag.
        epochs: Epochs whose load the batch holds.

    """
    watermark = max([consumed.watermark, *changes])
    start = listing_start(watermark)
    files = {name: etag for name, etag in {**consumed.files, **changes}.items() if name >= start}
    return Consumed(watermark, files, tuple(sorted({*consumed.epochs, *epochs})))
