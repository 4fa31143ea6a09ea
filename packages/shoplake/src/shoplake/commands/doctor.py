"""`doctor`: everything that must be true before a run, each with its fix."""

import json
import os
import shutil
import subprocess
from enum import Enum
from typing import Any

import typer
from botocore.exceptions import ClientError
from rich.markup import escape
from shoplake_core.endpoints import parse_mysql_url
from shoplake_core.errors import CredentialError, ShoplakeError
from shoplake_core.names import FunctionName
from shoplake_engines.mysql_programs import INSTALL_HINT, find_mysql_program
from shoplake_functions.source_checks import SourceCheck
from shoplake_functions.source_doctor import checks_of_source
from shoplake_infra.artifacts.platforms import Target
from shoplake_mysql.connections import connect

from shoplake.cli import InEnvironment, Json, OnTarget, app, session
from shoplake.exit_codes import ExitCode
from shoplake.laptop import running_mysql
from shoplake.narration import Narrator
from shoplake.targets import reached_cloud
from shoplake.views.documents import print_document
from shoplake.views.tables import calm_table, data_console
from shoplake.workspace import Workspace

_MIN_JAVA = 17
_MIN_FREE_BYTES = 2 * 1024**3


class CheckOutcome(Enum):
    """How a check ended."""

    OK = "ok"
    WARNING = "warning"
    FAILED = "failed"


def _outcome(check: SourceCheck) -> CheckOutcome:
    if not check.ok:
        return CheckOutcome.FAILED
    return CheckOutcome.WARNING if check.hint else CheckOutcome.OK


def _failed(name: str, found: str, hint: str) -> SourceCheck:
    return SourceCheck(name=name, ok=False, found=found, hint=hint)


def _passed(name: str, found: str) -> SourceCheck:
    return SourceCheck(name=name, ok=True, found=found)


def _java() -> SourceCheck:
    home = os.environ.get("JAVA_HOME", "")
    program = f"{home}/bin/java" if home else shutil.which("java") or ""
    fix = "Debian/Ubuntu: apt install openjdk-17-jre-headless; macOS: brew install openjdk@17"
    if not program:
        return _failed("java", "not found", fix)
    answer = subprocess.run([program, "-version"], capture_output=True, text=True, check=False).stderr
    version = answer.split('"')[1] if '"' in answer else ""
    major = int(version.split(".")[0]) if version.split(".")[0].isdigit() else 0
    return _passed("java", version) if major >= _MIN_JAVA else _failed("java", version or "unreadable version", fix)


def _disk(workspace: Workspace) -> SourceCheck:
    folder = workspace.state_folder if workspace.state_folder.exists() else workspace.folder
    free = shutil.disk_usage(folder).free
    text = f"{free / 1024**3:.1f} GiB free"
    if free >= _MIN_FREE_BYTES:
        return _passed("disk", text)
    return _failed("disk", text, "free some, or set SHOPLAKE_STATE to a larger disk")


def _source(workspace: Workspace) -> list[SourceCheck]:
    endpoint = parse_mysql_url(workspace.mysql_url) if workspace.mysql_url else running_mysql(workspace)
    if endpoint is None:
        program = find_mysql_program()
        if program is None:
            docker = "no server program: `shoplake up` needs a Docker engine, or one of these"
            return [_failed("mysql", docker, INSTALL_HINT)]
        return [_passed("mysql", f"{program.path} will be started by `shoplake up`")]
    project = workspace.project
    connection = connect(endpoint)
    try:
        return checks_of_source(connection, project.silver, schema=project.config.source_schema)
    finally:
        connection.close()


def _print(results: list[SourceCheck]) -> None:
    styles = {CheckOutcome.OK: "green", CheckOutcome.WARNING: "yellow", CheckOutcome.FAILED: "bold red"}
    table = calm_table()
    for column in ("check", "outcome", "found", "fix"):
        table.add_column(column, overflow="fold")
    for result in results:
        outcome = _outcome(result)
        shown = f"[{styles[outcome]}]{outcome.value}[/]"
        table.add_row(escape(result.name), shown, escape(result.found), escape(result.hint))
    data_console().print(table)


def _source_in_account(workspace: Workspace, narrator: Narrator) -> list[SourceCheck]:
    """The same checks by the environment's function: MySQL has no public address there."""
    cloud = reached_cloud(workspace, narrator, Target.AWS)
    function = cloud.names.function(FunctionName.SOURCE_DOCTOR)
    try:
        answer = cloud.aws.client("lambda").invoke(FunctionName=function, Payload=b"{}")
    except ClientError as error:
        if error.response["Error"]["Code"] != "ResourceNotFoundException":
            raise
        return [_failed("function", f"{function} is not there", "shoplake apply --target aws")]
    document = json.loads(answer["Payload"].read())
    if "FunctionError" in answer:
        hint = "look at its log group; is the source's secret filled, and is the network open?"
        return [_failed("mysql", str(document.get("errorMessage", document)), hint)]
    return [SourceCheck(**check) for check in document["checks"]]


@app.command()
def doctor(target: OnTarget = Target.LOCAL, env: InEnvironment = "", as_json: Json = False) -> None:
    """Check this machine, the source database and the contracts; say how to mend what is wrong. Changes nothing."""
    with session(environment=env, announce=not as_json) as (workspace, narrator):
        results = [] if target is Target.AWS else [_java(), _disk(workspace)]
        try:
            results += _source_in_account(workspace, narrator) if target is Target.AWS else _source(workspace)
        except CredentialError:
            raise
        except ShoplakeError as error:
            results.append(_failed("mysql", error.message, error.hint))
        failed = not all(result.ok for result in results)
        if as_json:
            checks: list[dict[str, Any]] = [
                {"name": r.name, "outcome": _outcome(r).value, "found": r.found, "fix": r.hint} for r in results
            ]
            print_document({"ok": not failed, "checks": checks})
        else:
            _print(results)
        if failed:
            raise typer.Exit(ExitCode.WORK_FAILED)
