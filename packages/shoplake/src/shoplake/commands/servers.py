"""`up`, `down`, `status`: the laptop's servers."""

import os

from shoplake.cli import Json, app, session
from shoplake.laptop import Laptop, laptop_status, open_laptop, shut_down
from shoplake.narration import Narrator
from shoplake.views.documents import print_document
from shoplake.views.servers import print_endpoints, print_status
from shoplake.workspace import Workspace

__all__ = ["bring_up"]


def bring_up(workspace: Workspace, narrator: Narrator, *, number: int = 1, count: int = 1) -> Laptop:
    """The running laptop: servers up, and the replicator too if it ran here before."""
    with narrator.step(number, count, "servers up") as talk:
        laptop = open_laptop(workspace, environment=os.environ, on_progress=talk.note)
        resumed = laptop.replicator.was_started
        if resumed:
            laptop.start_replicator()
        talk.result = "MySQL, object store, warehouse, catalogue" + (", replication" if resumed else "")
    return laptop


@app.command()
def up(as_json: Json = False) -> None:
    """Start every server of this project, or find them started; print where they are."""
    with session() as (workspace, narrator):
        laptop = bring_up(workspace, narrator)
        if as_json:
            print_document(laptop.endpoints())
        else:
            print_endpoints(laptop)


@app.command()
def down() -> None:
    """End every process that `up` started. The data stays: `up` brings it back."""
    with session() as (workspace, narrator), narrator.step(1, 1, "servers down") as talk:
        ended = shut_down(workspace)
        talk.result = f"ended {', '.join(ended)}" if ended else "nothing was running"


@app.command()
def status(as_json: Json = False) -> None:
    """Show servers, replication and the last run."""
    with session(announce=not as_json) as (workspace, _):
        document = laptop_status(workspace)
        if as_json:
            print_document(document)
        else:
            print_status(document)
