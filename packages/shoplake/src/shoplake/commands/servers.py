"""`up`, `down`: the laptop's servers."""

from shoplake.cli import InEnvironment, Json, app, session
from shoplake.laptop import shut_down
from shoplake.targets import prepared_laptop
from shoplake.views.documents import print_document
from shoplake.views.servers import print_endpoints


@app.command()
def up(env: InEnvironment = "", as_json: Json = False) -> None:
    """Start every server of this laptop, provision the environment on it, and print where all is."""
    with session(environment=env) as (workspace, narrator):
        laptop = prepared_laptop(workspace, narrator).laptop
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
