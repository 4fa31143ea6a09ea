"""Resources as JSON documents in one SQLite file: on disk before the caller hears of them."""

import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from shoplake_local.models import decoded_as, encoded, service_model
from shoplake_local.sqlite_files import opened_database, transaction_of

__all__ = ["Documents"]

_SCHEMA = """
CREATE TABLE IF NOT EXISTS document (
    kind TEXT NOT NULL, key TEXT NOT NULL, text TEXT NOT NULL, PRIMARY KEY (kind, key)
) STRICT, WITHOUT ROWID;
"""


class Documents:
    """Documents by kind and key. A kind is the name of a shape in the service's model, or "tags" or one of our own.

    Args:
        path: The file.
        service_name: Whose shapes say which members are datetimes and bytes.

    """

    def __init__(self, path: Path, service_name: str) -> None:
        self._model = service_model(service_name)
        self._lock = threading.RLock()
        self._connection = opened_database(path, _SCHEMA)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All that the block writes is kept, or none of it; nobody else reads or writes meanwhile."""
        with self._lock, transaction_of(self._connection):
            yield

    def get(self, kind: str, key: str) -> dict[str, Any] | None:
        """The document, None where there is none."""
        with self._lock:
            row = self._connection.execute(
                "SELECT text FROM document WHERE kind = ? AND key = ?", (kind, key)
            ).fetchone()
        return None if row is None else self._decoded(kind, row[0])

    def put(self, kind: str, key: str, document: Mapping[str, Any]) -> None:
        """Keep the document in the place of the one that was there."""
        text = json.dumps(encoded(document), ensure_ascii=False, sort_keys=True)
        with self.transaction():
            self._connection.execute("INSERT OR REPLACE INTO document VALUES (?, ?, ?)", (kind, key, text))

    def delete(self, kind: str, key: str) -> bool:
        """Whether it was there."""
        with self.transaction():
            done = self._connection.execute("DELETE FROM document WHERE kind = ? AND key = ?", (kind, key))
        return done.rowcount > 0

    def all(self, kind: str) -> list[dict[str, Any]]:
        """Every document of the kind, in the order of the keys."""
        with self._lock:
            rows = self._connection.execute("SELECT text FROM document WHERE kind = ? ORDER BY key", (kind,)).fetchall()
        return [self._decoded(kind, row[0]) for row in rows]

    def keys(self, kind: str) -> list[str]:
        """The keys of the kind, in their order."""
        with self._lock:
            rows = self._connection.execute("SELECT key FROM document WHERE kind = ? ORDER BY key", (kind,)).fetchall()
        return [str(row[0]) for row in rows]

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._connection.close()

    def _decoded(self, kind: str, text: str) -> dict[str, Any]:
        value = json.loads(text)
        if kind in self._model.shape_names:
            value = decoded_as(self._model.shape_for(kind), value)
        return dict(value)
