"""`query`: SQL on the warehouse, as a table, JSON or CSV."""

import csv
import sys
from typing import Annotated

import typer
from shoplake_infra.artifacts.platforms import Target

from shoplake.cli import InEnvironment, Json, OnTarget, app, session
from shoplake.targets import reached_cloud
from shoplake.views.documents import print_document
from shoplake.views.tables import calm_table, data_console


@app.command()
def query(
    sql: Annotated[str, typer.Argument(help="Redshift SQL, as in: select count(*) from gold.fct_order")],
    target: OnTarget = Target.LOCAL,
    env: InEnvironment = "",
    as_json: Json = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="CSV with a header, for a spreadsheet.")] = False,
) -> None:
    """Run SQL on the warehouse through the Redshift Data API."""
    with session(environment=env, announce=False) as (workspace, narrator):
        result = reached_cloud(workspace, narrator, target).query(sql)
        columns, rows = result.columns, result.rows
        if as_csv:
            writer = csv.writer(sys.stdout)
            writer.writerow(columns)
            writer.writerows(rows)
        elif as_json:
            print_document({"columns": list(columns), "rows": [list(row) for row in rows]})
        else:
            table = calm_table()
            for column in columns:
                table.add_column(column)
            for row in rows:
                table.add_row(*("" if value is None else str(value) for value in row))
            data_console().print(table)
