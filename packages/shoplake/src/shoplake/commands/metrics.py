"""`metrics`: what each figure means, and what it is now."""

from dataclasses import asdict
from typing import Annotated

import typer
from rich.markup import escape
from shoplake_core.errors import ConfigError
from shoplake_core.suggestions import did_you_mean

from shoplake.cli import InEnvironment, Json, app, session
from shoplake.views.documents import print_document
from shoplake.views.tables import calm_table, data_console

metrics = typer.Typer(no_args_is_help=True, help="What each figure means: formula, grain, unit, owner and caveat.")
app.add_typer(metrics, name="metrics")


@metrics.command("list")
def list_metrics(env: InEnvironment = "", as_json: Json = False) -> None:
    """List every metric of the project."""
    with session(environment=env, announce=False) as (workspace, _):
        found = workspace.project.metrics
        if as_json:
            print_document({"metrics": {name: asdict(metric) for name, metric in found.items()}})
            return
        table = calm_table()
        for column in ("metric", "title", "unit", "formula", "table"):
            table.add_column(column, overflow="fold")
        for name, metric in found.items():
            table.add_row(name, escape(metric.title), metric.unit.value, escape(metric.formula), metric.table)
        data_console().print(table)


@metrics.command()
def show(
    name: Annotated[str, typer.Argument(help="A metric, as in: net_revenue")],
    env: InEnvironment = "",
    as_json: Json = False,
) -> None:
    """Show one metric whole, with the SQL that computes it."""
    with session(environment=env, announce=False) as (workspace, _):
        found = workspace.project.metrics
        if name not in found:
            raise ConfigError(f'no metric "{name}"{did_you_mean(name, found)}', hint="shoplake metrics list")
        metric = found[name]
        if as_json:
            print_document(asdict(metric) | {"sql": metric.sql})
            return
        out = data_console()
        out.print(f"[bold]{escape(metric.title)}[/bold]", highlight=False)
        lines = {
            "definition": metric.definition,
            "formula": metric.formula,
            "table": metric.table,
            "grain": metric.grain,
            "unit": metric.unit.value + (", lower is better" if metric.lower_is_better else ""),
            "owner": metric.owner,
            "caveat": metric.caveat,
            "source": metric.source,
            "sql": metric.sql,
        }
        for word, text in lines.items():
            if text:
                out.print(f"  [dim]{word:<11}[/dim]{escape(str(text))}", highlight=False, soft_wrap=True)
