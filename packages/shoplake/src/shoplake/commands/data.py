"""`seed`, `load`, `reload`: fill the shop, let it live on, load one table anew."""

import subprocess
from typing import Annotated

import typer
from shoplake_core.errors import ConfigError, DataError
from shoplake_core.suggestions import did_you_mean

from shoplake.catching_up import LOAD_TIMEOUT_SECONDS
from shoplake.cli import Json, app, session
from shoplake.commands.servers import bring_up
from shoplake.shop_data import live_on, seed_shop
from shoplake.views.documents import print_document


@app.command()
def seed(
    orders: Annotated[int, typer.Option("--orders", min=1, help="Orders in the shop's history.")] = 20_000,
    seed: Annotated[int, typer.Option("--seed", help="Equal seeds give equal shops.")] = 7,
    as_json: Json = False,
) -> None:
    """Fill an empty shop with a history."""
    with session() as (workspace, narrator):
        laptop = bring_up(workspace, narrator, count=2)
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
    """Let the shop live on: real transactions of inserts, updates and deletes."""
    with session() as (workspace, narrator):
        laptop = bring_up(workspace, narrator, count=2)
        with narrator.step(2, 2, "live transactions") as talk:
            report = live_on(laptop, transactions=transactions, seed=seed, on_progress=talk.note)
            talk.result = f"{report.transaction_count:,} transactions changed {report.row_count:,} rows"
        if as_json:
            print_document({"transactions": report.transaction_count, "rows": report.row_count})
        else:
            narrator.say("next: shoplake run")


@app.command()
def reload(table: Annotated[str, typer.Argument(help="A silver table of this project, as in: orders")]) -> None:
    """Load one table anew: a new epoch begins, and the next run removes what the load no longer holds."""
    with session() as (workspace, narrator):
        silver = workspace.project.silver
        if table not in silver:
            raise ConfigError(
                f'no contract for table "{table}"{did_you_mean(table, silver)}',
                hint=f"name one of {', '.join(silver)}",
                table=table,
            )
        laptop = bring_up(workspace, narrator, count=2)
        with narrator.step(2, 2, f"reload {table}") as talk:
            laptop.start_replicator()
            command = laptop.replicator.command(
                "reload", f"{workspace.project.config.source_schema}.{silver[table].source_name}"
            )
            environment = laptop.replicator.environment(laptop.mysql, laptop.object_store)
            done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
            if done.returncode:
                raise DataError(
                    f"reload of {table} failed: {done.stderr.strip() or done.stdout.strip()}",
                    hint="shoplake status shows what replication says",
                    table=table,
                )
            status = laptop.replicator.wait_until_loaded(
                timeout_seconds=LOAD_TIMEOUT_SECONDS, on_rows=lambda rows: talk.note(f"{rows:,} rows")
            )
            talk.result = f"{status.rows_seen:,} rows read so far"
        narrator.say("next: shoplake run")
