"""An empty data directory for MariaDB or MySQL, and the statements that give it its one administrator."""

import shutil
import subprocess
from pathlib import Path

from shoplake_core.errors import ResourceError

from shoplake_engines.mysql_programs import MySqlProgram
from shoplake_engines.processes import log_tail, server_environment

__all__ = ["bootstrap", "common_arguments", "first_statements"]

_TIMEOUT_SECONDS = 120
_DONE = "shoplake-bootstrapped"


def common_arguments(program: MySqlProgram, data_folder: Path) -> list[str]:
    """What bootstrap and server share: read no option file, find the program's own files."""
    arguments = [str(program.path), "--no-defaults", f"--datadir={data_folder}"]
    if program.is_mariadb:
        arguments += [
            f"--lc-messages-dir={program.share_folder}",
            f"--character-sets-dir={program.share_folder}/charsets",
        ]
    else:
        arguments.append(f"--basedir={program.root}")
    if program.plugin_folder is not None:
        arguments.append(f"--plugin-dir={program.plugin_folder}")
    return arguments


def bootstrap(program: MySqlProgram, data_folder: Path, *, as_root: bool) -> None:
    """Make the data directory, once: a half made one (killed meanwhile) is made anew.

    Raises:
        ResourceError: The server refused (the message ends with what it printed), or the data are another server's.

    """
    kind = "MariaDB" if program.is_mariadb else "MySQL"
    done = data_folder / _DONE
    if done.exists():
        made_by = done.read_text("utf-8") or kind
        if made_by != kind:
            raise ResourceError(
                f"the data in {data_folder} were made by {made_by}; {program.path} is {kind}",
                hint=f"install {made_by} again, or begin anew: remove {data_folder.parent}",
                folder=str(data_folder),
            )
        return
    shutil.rmtree(data_folder, ignore_errors=True)
    log = data_folder.parent / "bootstrap.log"
    arguments = common_arguments(program, data_folder)
    if as_root:
        arguments.append("--user=root")
    statements = ""
    if program.is_mariadb:
        data_folder.mkdir(mode=0o700)
        arguments += [
            "--bootstrap",
            "--skip-log-bin",
            "--innodb-log-file-size=32M",
            "--innodb-flush-log-at-trx-commit=0",
        ]
        statements = _system_tables(program.share_folder)
    else:
        arguments.append("--initialize-insecure")
    with log.open("wb") as output:
        try:
            result = subprocess.run(
                arguments,
                input=statements.encode(),
                stdout=output,
                stderr=subprocess.STDOUT,
                cwd=data_folder.parent,
                env=server_environment(data_folder.parent),
                timeout=_TIMEOUT_SECONDS,
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise ResourceError(f"{program.path} cannot make a data directory: {error}", hint=f"read {log}") from error
    if result.returncode != 0:
        raise ResourceError(
            f"{program.path} cannot make a data directory in {data_folder} (exit {result.returncode})\n{log_tail(log)}",
            hint=f"read {log}; is there room on the disk?",
        )
    done.write_text(kind, encoding="utf-8")


def _system_tables(share: Path) -> str:
    lines = ["create database mysql;", "use mysql;"]
    for name in ("system_tables", "system_tables_data"):
        path = next(path for path in (share / f"mysql_{name}.sql", share / f"mariadb_{name}.sql") if path.is_file())
        # as MariaDB's own installer does for a directory that belongs to no host
        lines += [line for line in path.read_text("utf-8").splitlines() if "@current_hostname" not in line]
    return "\n".join(lines) + "\n"


def first_statements(user: str, password: str) -> str:
    """The statements of the init file, one a line, run at every start and never written to the binlog.

    They leave one administrator, with a password, and none of the accounts without one.

    """
    account = f"'{user}'@'127.0.0.1'"
    nobodies = ", ".join(f"'{name}'@'{host}'" for name in ("root", "") for host in ("localhost", "127.0.0.1", "::1"))
    return "\n".join(
        [
            "SET SESSION sql_log_bin=0;",
            f"CREATE USER IF NOT EXISTS {account} IDENTIFIED BY '{password}';",
            f"ALTER USER {account} IDENTIFIED BY '{password}';",
            f"GRANT ALL PRIVILEGES ON *.* TO {account} WITH GRANT OPTION;",
            f"DROP USER IF EXISTS {nobodies};",
            "",
        ]
    )
