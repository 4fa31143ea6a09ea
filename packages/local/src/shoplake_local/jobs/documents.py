"""Resources as JSON documents in one SQLite file: on disk before the caller hears of them."""

import json
import sqlite3
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from shoplake_local.models import decoded_as, encoded, service_model

__all__ = ["Documents"]

_SCHEMA = """
CREATE TABLE IF NOT EXISTS document (
    kind TEXT NOT NULL, key TEXT NOT NULL, text TEXT NOT NULL, PRIMARY KEY (kind, key)
) STRICT, WITHOUT ROWID;
"""
_BUSY_TIMEOUT_SECONDS = 30.0


class Documents:
    """Documents by kind and key. A kind is the name of a shape in the service's model, or "tags" or one of our own.

    Args:
        path: The file.
        service_name: Whose shapes say which members are datetimes and bytes.

    """

    def __init__(self, path: Path, service_name: str) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._model = service_model(service_name)
        self._lock = threading.RLock()
        self._depth = 0
        self._connection = sqlite3.connect(
            path, timeout=_BUSY_TIMEOUT_SECONDS, check_same_thread=False, isolation_level=None
        )
        for pragma in ("journal_mode = WAL", "synchronous = FULL"):
            self._connection.execute(f"PRAGMA {pragma}")
        self._connection.executescript(_SCHEMA)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All that the block writes is kept, or none of it; nobody else reads or writes meanwhile."""
        with self._lock:
            if self._depth == 0:
                self._connection.execute("BEGIN IMMEDIATE")
            self._depth += 1
            try:
                yield
                if self._depth == 1:
                    self._connection.execute("COMMIT")
            except BaseException:
                if self._depth == 1 and self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                raise
            finally:
                self._depth -= 1

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

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._connection.close()

    def _decoded(self, kind: str, text: str) -> dict[str, Any]:
        value = json.loads(text)
        if kind in self._model.shape_names:
            value = decoded_as(self._model.shape_for(kind), value)
        return dict(value)
