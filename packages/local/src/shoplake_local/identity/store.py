"""Key pairs of roles and the record of what they called, in SQLite."""

import secrets
import string
import threading
from dataclasses import dataclass, field
from pathlib import Path

from shoplake_local.sqlite_files import private_database

__all__ = ["IdentityStore", "KeyPair", "RecordedAction"]

_SCHEMA = """
CREATE TABLE IF NOT EXISTS key_pair (
    role_arn TEXT PRIMARY KEY,
    access_key_id TEXT NOT NULL UNIQUE,
    secret_access_key TEXT NOT NULL,
    session_token TEXT NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS called (
    role_arn TEXT NOT NULL,
    action TEXT NOT NULL,
    allowed INTEGER NOT NULL,
    calls INTEGER NOT NULL,
    PRIMARY KEY (role_arn, action, allowed)
) STRICT;
CREATE TABLE IF NOT EXISTS statement_owner (statement_id TEXT PRIMARY KEY, user_id TEXT NOT NULL) STRICT;
"""
_KEY_CHARACTERS = string.ascii_uppercase + "234567"


@dataclass(frozen=True, slots=True)
class KeyPair:
    """How a role signs.

    Attributes:
        role_arn: Whose pair it is.
        access_key_id: "ASIA..." as AWS's temporary keys begin.
        secret_access_key: The secret.
        session_token: What AssumeRole answers beside it; a request may carry it or not.

    """

    role_arn: str
    access_key_id: str
    secret_access_key: str = field(repr=False)
    session_token: str = field(repr=False)


@dataclass(frozen=True, slots=True, order=True)
class RecordedAction:
    """One action that a role called."""

    role_arn: str
    action: str
    allowed: bool
    calls: int


class IdentityStore:
    """Any number of threads may use one.

    Args:
        path: The file; only its owner may read it.

    """

    def __init__(self, path: Path) -> None:
        self._lock = threading.Lock()
        self._connection = private_database(path, _SCHEMA)

    def pair_of(self, role_arn: str) -> KeyPair:
        """The role's one pair, made when it is first asked for."""
        with self._lock:
            self._connection.execute(
                "INSERT INTO key_pair VALUES (?, ?, ?, ?) ON CONFLICT (role_arn) DO NOTHING",
                (
                    role_arn,
                    "ASIA" + "".join(secrets.choice(_KEY_CHARACTERS) for _ in range(16)),
                    secrets.token_urlsafe(30),
                    secrets.token_urlsafe(96),
                ),
            )
            row = self._connection.execute("SELECT * FROM key_pair WHERE role_arn = ?", (role_arn,)).fetchone()
        return KeyPair(*row)

    def by_access_key_id(self, access_key_id: str) -> KeyPair | None:
        """The pair with that id."""
        with self._lock:
            query = "SELECT * FROM key_pair WHERE access_key_id = ?"
            row = self._connection.execute(query, (access_key_id,)).fetchone()
        return None if row is None else KeyPair(*row)

    def role_arns(self) -> list[str]:
        """Every role that has a pair."""
        with self._lock:
            return [str(arn) for (arn,) in self._connection.execute("SELECT role_arn FROM key_pair").fetchall()]

    def forget(self, role_arn: str) -> None:
        """End the role's pair; what it called stays recorded."""
        with self._lock:
            self._connection.execute("DELETE FROM key_pair WHERE role_arn = ?", (role_arn,))

    def record(self, role_arn: str, action: str, *, allowed: bool) -> None:
        """Count one call."""
        with self._lock:
            self._connection.execute(
                "INSERT INTO called VALUES (?, ?, ?, 1) "
                "ON CONFLICT (role_arn, action, allowed) DO UPDATE SET calls = calls + 1",
                (role_arn, action, int(allowed)),
            )

    def recorded(self) -> list[RecordedAction]:
        """Every action that a role called, in order of role and action."""
        with self._lock:
            rows = self._connection.execute("SELECT role_arn, action, allowed, calls FROM called").fetchall()
        return sorted(RecordedAction(role, action, bool(allowed), calls) for role, action, allowed, calls in rows)

    def own_statement(self, statement_id: str, user_id: str) -> None:
        """Keep who began the SQL statement; an id that is used again keeps its first owner."""
        with self._lock:
            self._connection.execute(
                "INSERT INTO statement_owner VALUES (?, ?) ON CONFLICT DO NOTHING", (statement_id, user_id)
            )

    def statement_owner(self, statement_id: str) -> str:
        """Who began it; empty where no role did. `id:2` is a part of the batch `id`."""
        with self._lock:
            query = "SELECT user_id FROM statement_owner WHERE statement_id = ?"
            row = self._connection.execute(query, (statement_id.partition(":")[0],)).fetchone()
        return "" if row is None else str(row[0])

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._connection.close()
