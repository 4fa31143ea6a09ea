"""`demo`: the whole way of the data in one command, provisioned and run as on AWS, with every engine real."""

from collections.abc import Mapping
from typing import Annotated, Any

import typer

from shoplake.cli import Json, app, session
from shoplake.commands.run import run_now
from shoplake.dashboard_pages import page_file_names, project_dashboards, write_pages
from shoplake.laptop import shut_down
from shoplake.narration import Narrator
from shoplake.runs.story import RUN_PARTS
from shoplake.shop_data import live_on, remove_state, seed_shop, shop_order_count
from shoplake.targets import prepared_laptop
from shoplake.views.documents import print_document
from shoplake.views.reconciliation import print_reconciliation
from shoplake.views.run import print_run, print_times
from shoplake.views.servers import print_endpoints, print_next_steps

__all__ = ["DEMO_LIVE_TRANSACTIONS"]

DEMO_LIVE_TRANSACTIONS = 3_000
_STEP_COUNT = 5 + 2 * len(RUN_PARTS)  # servers, environment, seed, live load, dashboards, and two runs


def _demo_document(first: Mapping[str, Any], second: Mapping[str, Any], narrator: Narrator) -> dict[str, Any]:
    return {
        "seconds": round(narrator.elapsed_seconds(), 1),
        "runs": [first["run_id"], second["run_id"]],
        "steps": {"first": first["steps"], "second": second["steps"]},
        "agree": second["steps"]["reconcile"]["outcome"]["agree"],
    }


@app.command()
def demo(
    orders: Annotated[int, typer.Option("--orders", min=1, help="Orders in the shop's history.")] = 20_000,
    seed: Annotated[int, typer.Option("--seed", help="Equal seeds give equal shops.")] = 7,
    transactions: Annotated[
        int, typer.Option("--transactions", min=1, help="Live transactions between the two runs.")
    ] = DEMO_LIVE_TRANSACTIONS,
    fresh: Annotated[
        bool, typer.Option("--fresh", help="Forget the last demo: delete its state and start over.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Seed a shop, carry it to the warehouse, let it live on, carry the changes, and prove that every layer agrees."""
    with session() as (workspace, narrator):
        if fresh:
            shut_down(workspace)
            remove_state(workspace)
        narrator.heading("A shop, its servers, and the AWS of this laptop")
        local = prepared_laptop(workspace, narrator, count=_STEP_COUNT)
        laptop, cloud = local.laptop, local.cloud
        print_endpoints(laptop, to_stderr=True)
        with narrator.step(3, _STEP_COUNT, "seed the shop") as talk:
            held = shop_order_count(laptop)
            if held:
                talk.result = f"the shop already holds {held:,} orders and goes on with them (--fresh starts over)"
            else:
                report = seed_shop(laptop, orders=orders, seed=seed, on_progress=talk.note)
                talk.result = f"{orders:,} orders, {report.row_count:,} rows in all, {report.dirt_count:,} of them dirty on purpose"
        narrator.heading("First run: full load")
        first = run_now(cloud, narrator, first_number=4, step_count=_STEP_COUNT)
        narrator.heading("The shop lives on")
        number = 4 + len(RUN_PARTS)
        with narrator.step(number, _STEP_COUNT, "live transactions") as talk:
            load = live_on(laptop, transactions=transactions, seed=seed, on_progress=talk.note)
            talk.result = f"{load.transaction_count:,} transactions changed {load.row_count:,} rows"
        narrator.heading("Second run: the changes only")
        second = run_now(cloud, narrator, first_number=number + 1, step_count=_STEP_COUNT)
        folder = workspace.state_folder / "dashboards"
        with narrator.step(_STEP_COUNT, _STEP_COUNT, "build dashboards") as talk:
            pages = project_dashboards(workspace)
            write_pages(cloud, pages, folder, note=talk.note)
            talk.result = f"{len(pages)} pages"
        if as_json:
            print_document(_demo_document(first, second, narrator))
            return
        print_run(second)
        print_reconciliation(second["steps"]["reconcile"]["outcome"])
        print_times(narrator.step_seconds, narrator.elapsed_seconds())
        print_next_steps(laptop, page_file_names(list(pages), folder))
