"""Finds the MySQL or MariaDB server on this machine, and the files it needs to be bootstrapped."""

import shutil
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from shoplake_core.errors import ResourceError

__all__ = ["INSTALL_HINT", "MySqlProgram", "find_mysql_program"]

INSTALL_HINT = (
    "install one: `apt install mariadb-server-core` (Debian, Ubuntu), `brew install mariadb` (macOS); "
    "or start Docker; or name a server with SHOPLAKE_MYSQL_URL=mysql://user:password@host:3306"
)
_NAMES = ("mariadbd", "mysqld")
# Where distributions put the server although it is on nobody's PATH.
_FOLDERS = (
    "/usr/sbin",
    "/usr/local/sbin",
    "/usr/libexec",
    "/usr/local/mysql/bin",
    "/opt/homebrew/opt/mariadb/bin",
    "/opt/homebrew/opt/mysql/bin",
    "/opt/homebrew/opt/mysql@8.4/bin",
    "/usr/local/opt/mariadb/bin",
    "/usr/local/opt/mysql/bin",
    "/usr/local/opt/mysql@8.4/bin",
)
_VERSION_TIMEOUT_SECONDS = 30


@dataclass(frozen=True, slots=True)
class MySqlProgram:
    """A server program.

    Attributes:
        path: The program.
        is_mariadb: Else it is MySQL.
        version: What `--version` prints.
        share_folder: Messages, character sets and (MariaDB) the SQL that makes the system tables.
        plugin_folder: Where plugins lie; None where the program's built-in place is right.

    """

    path: Path
    is_mariadb: bool
    version: str
    share_folder: Path
    plugin_folder: Path | None

    @property
    def root(self) -> Path:
        """The folder that holds `bin` or `sbin`, such as /usr."""
        return self.path.parent.parent


def _candidates() -> Iterable[Path]:
    for name in _NAMES:
        found = shutil.which(name)
        if found:
            yield Path(found)
    for folder in _FOLDERS:
        for name in _NAMES:
            yield Path(folder) / name


def find_mysql_program(path: Path | None = None) -> MySqlProgram | None:
    """The program at `path`, else the first found on PATH or where distributions put it; None where there is none.

    Raises:
        ResourceError: `path` is no such program, or the files beside it are missing.

    """
    if path is not None:
        program = _examined(path)
        if program is None:
            raise ResourceError(
                f"{path} is no MySQL or MariaDB server that runs here", hint=INSTALL_HINT, path=str(path)
            )
        return program
    for candidate in _candidates():
        program = _examined(candidate)
        if program is not None:
            return program
    return None


def _examined(path: Path) -> MySqlProgram | None:
    try:
        path = path.resolve(strict=True)  # mysqld is a link to mariadbd on Debian
        answer = subprocess.run(
            [path, "--no-defaults", "--version"],
            capture_output=True,
            text=True,
            timeout=_VERSION_TIMEOUT_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    version = answer.stdout.strip()
    if answer.returncode != 0 or " Ver " not in version:
        return None
    is_mariadb = "mariadb" in version.lower()
    root = path.parent.parent
    marker = "mysql_system_tables.sql" if is_mariadb else "charsets/Index.xml"
    for name in ("mysql", "mariadb", "mysql-8.4", "mysql-8.0", ""):
        share = root / "share" / name
        if (share / marker).is_file() or (is_mariadb and (share / "mariadb_system_tables.sql").is_file()):
            plugins = [root / "lib" / "mysql" / "plugin", root / "lib64" / "mysql" / "plugin", root / "lib" / "plugin"]
            plugin_folder = next((folder for folder in plugins if folder.is_dir()), None)
            return MySqlProgram(path, is_mariadb, version, share, plugin_folder)
    return None
