"""`dash`: the project's dashboards, checked and built."""

from pathlib import Path
from typing import Annotated

import typer
from shoplake_core.errors import ConfigError
from shoplake_core.suggestions import did_you_mean
from shoplake_infra.artifacts.platforms import Target

from shoplake.cli import InEnvironment, Json, OnTarget, app, session
from shoplake.dashboard_pages import page_file_names, project_dashboards, write_pages
from shoplake.exit_codes import ExitCode
from shoplake.targets import reached_cloud
from shoplake.views.documents import print_document

dash = typer.Typer(no_args_is_help=True, help="The project's dashboards: checked, and built as pages.")
app.add_typer(dash, name="dash")


@dash.command()
def validate(env: InEnvironment = "", as_json: Json = False) -> None:
    """Check every dashboard against the gold contracts and the metrics; it asks no warehouse."""
    with session(environment=env, announce=False) as (workspace, narrator):
        found = project_dashboards(workspace)
        if as_json:
            print_document({"dashboards": {name: len(list(one.visuals)) for name, one in found.items()}})
        else:
            for name, one in found.items():
                narrator.say(f"{name}: {len(list(one.visuals))} tiles")


@dash.command()
def build(
    names: Annotated[list[str] | None, typer.Argument(metavar="[NAME]...", help="By default every dashboard.")] = None,
    out: Annotated[
        Path | None, typer.Option("--out", help="Folder of the pages; by default in the state folder.")
    ] = None,
    target: OnTarget = Target.LOCAL,
    env: InEnvironment = "",
    as_json: Json = False,
) -> None:
    """Write one self-contained HTML file a dashboard, with what the warehouse holds now."""
    with session(environment=env, announce=not as_json) as (workspace, narrator):
        every = project_dashboards(workspace)
        for name in names or ():
            if name not in every:
                raise ConfigError(
                    f'no dashboard "{name}"{did_you_mean(name, every)}', hint=f"one of: {', '.join(every)}"
                )
        chosen = {name: every[name] for name in names or every}
        folder = out or workspace.state_folder / "dashboards"
        cloud = reached_cloud(workspace, narrator, target)
        with narrator.step(1, 1, "build dashboards") as talk:
            failed = write_pages(cloud, chosen, folder, note=talk.note)
            count = sum(map(len, failed.values()))
            talk.result = f"{len(chosen)} pages" + (f", {count} tiles could not be read and say why" if count else "")
        files = page_file_names(list(chosen), folder)
        if as_json:
            print_document({"pages": {name: str(path) for name, path in files.items()}, "failed_tiles": failed})
        else:
            for path in files.values():
                typer.echo(path)
        if any(failed.values()):
            raise typer.Exit(ExitCode.WORK_FAILED)
