"""`doctor`: everything that must be true before a run, each with its fix."""

import os
import shutil
import subprocess
from typing import Any

import typer
from rich.markup import escape
from shoplake_core.endpoints import parse_mysql_url
from shoplake_core.errors import ShoplakeError, SourceError
from shoplake_engines.mysql_programs import INSTALL_HINT, find_mysql_program
from shoplake_mysql.connections import connect, fetch_all
from shoplake_mysql.server_facts import read_server_facts
from shoplake_mysql.tables import read_table_shape

from shoplake.cli import Json, app, session
from shoplake.exit_codes import ExitCode
from shoplake.laptop import running_mysql
from shoplake.source_checks import CheckOutcome, CheckResult, checks_of_server, checks_of_table
from shoplake.views.documents import print_document
from shoplake.views.tables import calm_table, data_console
from shoplake.workspace import Workspace

_MIN_JAVA = 17
_MIN_FREE_BYTES = 2 * 1024**3
_CASCADES = """
    SELECT CONSTRAINT_NAME FROM information_schema.REFERENTIAL_CONSTRAINTS
    WHERE CONSTRAINT_SCHEMA = %s AND TABLE_NAME = %s
      AND (DELETE_RULE IN ('CASCADE', 'SET NULL') OR UPDATE_RULE IN ('CASCADE', 'SET NULL'))
"""


def _java() -> CheckResult:
    home = os.environ.get("JAVA_HOME", "")
    program = f"{home}/bin/java" if home else shutil.which("java") or ""
    fix = "Debian/Ubuntu: apt install openjdk-17-jre-headless; macOS: brew install openjdk@17"
    if not program:
        return CheckResult("java", CheckOutcome.FAILED, "not found", fix)
    answer = subprocess.run([program, "-version"], capture_output=True, text=True, check=False).stderr
    version = answer.split('"')[1] if '"' in answer else ""
    major = int(version.split(".")[0]) if version.split(".")[0].isdigit() else 0
    outcome = CheckOutcome.OK if major >= _MIN_JAVA else CheckOutcome.FAILED
    return CheckResult("java", outcome, version or "unreadable version", "" if outcome is CheckOutcome.OK else fix)


def _disk(workspace: Workspace) -> CheckResult:
    folder = workspace.state_folder if workspace.state_folder.exists() else workspace.folder
    free = shutil.disk_usage(folder).free
    text = f"{free / 1024**3:.1f} GiB free"
    if free >= _MIN_FREE_BYTES:
        return CheckResult("disk", CheckOutcome.OK, text)
    return CheckResult("disk", CheckOutcome.FAILED, text, "free some, or set SHOPLAKE_STATE to a larger disk")


def _source(workspace: Workspace) -> list[CheckResult]:
    endpoint = parse_mysql_url(workspace.mysql_url) if workspace.mysql_url else running_mysql(workspace)
    if endpoint is None:
        program = find_mysql_program()
        if program is None:
            docker = "no server program: `shoplake up` needs a Docker engine, or one of these"
            return [CheckResult("mysql", CheckOutcome.FAILED, docker, INSTALL_HINT)]
        return [CheckResult("mysql", CheckOutcome.OK, f"{program.path} will be started by `shoplake up`")]
    config = workspace.project.config
    connection = connect(endpoint)
    try:
        results = checks_of_server(read_server_facts(connection))
        for contract in workspace.project.silver.values():
            try:
                shape = read_table_shape(connection, config.source_schema, contract.source_name)
            except SourceError as error:
                results.append(CheckResult(f"table {contract.name}", CheckOutcome.FAILED, error.message, error.hint))
                continue
            rows = fetch_all(connection, _CASCADES, (config.source_schema, contract.source_name))
            results += checks_of_table(contract, shape, [str(row[0]) for row in rows])
    finally:
        connection.close()
    return results


def _print(results: list[CheckResult]) -> None:
    styles = {CheckOutcome.OK: "green", CheckOutcome.WARNING: "yellow", CheckOutcome.FAILED: "bold red"}
    table = calm_table()
    for column in ("check", "outcome", "found", "fix"):
        table.add_column(column, overflow="fold")
    for result in results:
        outcome = f"[{styles[result.outcome]}]{result.outcome.value}[/]"
        table.add_row(escape(result.name), outcome, escape(result.found), escape(result.fix))
    data_console().print(table)


@app.command()
def doctor(as_json: Json = False) -> None:
    """Check this machine, the source database and the contracts; say how to mend what is wrong. Changes nothing."""
    with session(announce=not as_json) as (workspace, _):
        results = [_java(), _disk(workspace)]
        try:
            results += _source(workspace)
        except ShoplakeError as error:
            results.append(CheckResult("mysql", CheckOutcome.FAILED, error.message, error.hint))
        failed = any(result.outcome is CheckOutcome.FAILED for result in results)
        if as_json:
            checks: list[dict[str, Any]] = [
                {"name": r.name, "outcome": r.outcome.value, "found": r.found, "fix": r.fix} for r in results
            ]
            print_document({"ok": not failed, "checks": checks})
        else:
            _print(results)
        if failed:
            raise typer.Exit(ExitCode.WORK_FAILED)
