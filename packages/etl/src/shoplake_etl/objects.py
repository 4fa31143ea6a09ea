"""The port through which the driver lists, reads and writes small objects. Data itself goes through Spark."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

__all__ = ["ObjectInfo", "ObjectStore"]


@dataclass(frozen=True, slots=True)
class ObjectInfo:
    """One object of a listing.

    Attributes:
        url: Where it is.
        name: The rest of its key after the listed prefix.
        etag: Its ETag without quotes.
        size_bytes: Its size.
        modified_at: When it was written, by the store's clock.

    """

    url: str
    name: str
    etag: str
    size_bytes: int
    modified_at: datetime


class ObjectStore(Protocol):
    """Objects by URL. Used from several threads at once."""

    def objects(self, prefix: str, *, start_after: str = "") -> Iterator[ObjectInfo]:
        """Every object under URL `prefix` (with its closing slash) whose name is after `start_after`, by name.

        Pages are fetched as they are needed: a caller that stops early pays no more.
        """
        ...

    def read(self, url: str) -> bytes:
        """The whole object."""
        ...

    def read_tail(self, url: str, length_bytes: int) -> bytes:
        """The object's last bytes, or all of it where it is shorter."""
        ...

    def write(self, url: str, content: bytes) -> None:
        """Put the object."""
        ...
