"""`seed`, `load`, `reload`: fill the shop, let it live on, load one table anew."""

from typing import Annotated

import typer
from shoplake_core.errors import ConfigError
from shoplake_core.suggestions import did_you_mean
from shoplake_infra.artifacts.platforms import Target

from shoplake.cli import InEnvironment, Json, OnTarget, app, session
from shoplake.laptop import open_laptop
from shoplake.replication_status import reload_table
from shoplake.shop_data import live_on, seed_shop
from shoplake.targets import open_cloud
from shoplake.views.documents import print_document

_LOAD_TIMEOUT_SECONDS = 3600.0


@app.command()
def seed(
    orders: Annotated[int, typer.Option("--orders", min=1, help="Orders in the shop's history.")] = 20_000,
    seed: Annotated[int, typer.Option("--seed", help="Equal seeds give equal shops.")] = 7,
    as_json: Json = False,
) -> None:
    """Fill an empty shop on this laptop with a history."""
    with session() as (workspace, narrator):
        with narrator.step(1, 2, "servers up") as talk:
            laptop = open_laptop(workspace, on_progress=talk.note)
        with narrator.step(2, 2, "seed the shop") as talk:
            report = seed_shop(laptop, orders=orders, seed=seed, on_progress=talk.note)
            talk.result = f"{report.row_count:,} rows, {report.dirt_count:,} of them dirty on purpose"
        if as_json:
            print_document({"orders": orders, "rows": report.row_count, "dirt": report.dirt_count})
        else:
            narrator.say("next: shoplake run")


@app.command()
def load(
    transactions: Annotated[int, typer.Option("--transactions", min=1, help="How many, then it ends.")] = 1_000,
    seed: Annotated[int, typer.Option("--seed", help="Equal seeds choose equal changes.")] = 7,
    as_json: Json = False,
) -> None:
    """Let the shop on this laptop live on: real transactions of inserts, updates and deletes."""
    with session() as (workspace, narrator):
        with narrator.step(1, 2, "servers up") as talk:
            laptop = open_laptop(workspace, on_progress=talk.note)
        with narrator.step(2, 2, "live transactions") as talk:
            report = live_on(laptop, transactions=transactions, seed=seed, on_progress=talk.note)
            talk.result = f"{report.transaction_count:,} transactions changed {report.row_count:,} rows"
        if as_json:
            print_document({"transactions": report.transaction_count, "rows": report.row_count})
        else:
            narrator.say("next: shoplake run")


@app.command()
def reload(
    table: Annotated[str, typer.Argument(help="A silver table of this project, as in: orders")],
    target: OnTarget = Target.LOCAL,
    env: InEnvironment = "",
) -> None:
    """Load one table anew: a new epoch begins, and the next run removes what the load no longer holds."""
    with session(environment=env) as (workspace, narrator):
        silver = workspace.project.silver
        if table not in silver:
            raise ConfigError(
                f'no contract for table "{table}"{did_you_mean(table, silver)}',
                hint=f"name one of {', '.join(silver)}",
                table=table,
            )
        cloud = open_cloud(workspace, narrator, target)
        with narrator.step(1, 1, f"reload {table}") as talk:
            rows = reload_table(
                cloud,
                workspace.project.config.source_schema,
                silver[table].source_name,
                clock=cloud.clock,
                timeout_seconds=_LOAD_TIMEOUT_SECONDS,
                on_rows=lambda count: talk.note(f"{count:,} rows"),
            )
            talk.result = f"{rows:,} rows"
        narrator.say("next: shoplake run")
