"""`run` and `reconcile`: bring the layers up to date, and prove that they agree."""

import os
import signal
from collections.abc import Callable
from dataclasses import asdict
from typing import Annotated

import typer

from shoplake.catching_up import catch_up_bronze
from shoplake.cli import Json, app, session
from shoplake.commands.servers import bring_up
from shoplake.exit_codes import ExitCode
from shoplake.reconciling import reconcile_now
from shoplake.running import run_pipeline
from shoplake.views.documents import print_document
from shoplake.views.reconciliation import print_reconciliation
from shoplake.views.run import print_run

_FAILPOINT = "SHOPLAKE_RUN_FAILPOINT"


def _killing_at(failpoint: str) -> Callable[[str], None]:
    """Ends this process with SIGKILL before the step that `before-<step>` names: for tests of a run that dies."""

    def on_step(name: str) -> None:
        if failpoint == f"before-{name}":
            os.kill(os.getpid(), signal.SIGKILL)

    return on_step


@app.command()
def run(
    rebuild: Annotated[bool, typer.Option("--rebuild", help="Build gold and the warehouse anew from silver.")] = False,
    as_json: Json = False,
) -> None:
    """Carry everything new from MySQL to the warehouse, and reconcile."""
    with session() as (workspace, narrator):
        laptop = bring_up(workspace, narrator)
        record = run_pipeline(laptop, narrator, rebuild=rebuild, on_step=_killing_at(os.environ.get(_FAILPOINT, "")))
        if as_json:
            print_document(asdict(record))
        else:
            print_run(record)
            print_reconciliation(record.steps["reconcile"]["outcome"])


@app.command()
def reconcile(as_json: Json = False) -> None:
    """Compare MySQL, silver, gold and the warehouse at one cut, to the row and the cent. Exit code 1 where they disagree."""
    with session() as (workspace, narrator):
        laptop = bring_up(workspace, narrator, count=3)
        with narrator.step(2, 3, "MySQL -> bronze") as talk:
            catch_up_bronze(laptop, talk)
        with narrator.step(3, 3, "all layers agree") as talk:
            report = reconcile_now(laptop, talk)
        document = report.as_json()
        if as_json:
            print_document(document)
        else:
            print_reconciliation(document)
        if not document["agree"]:
            raise typer.Exit(ExitCode.WORK_FAILED)
