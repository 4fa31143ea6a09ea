"""`demo`: the whole way of the data in one command, with every engine real."""

from typing import Annotated, Any

import typer

from shoplake.cli import Json, app, session
from shoplake.commands.servers import bring_up
from shoplake.laptop import shut_down
from shoplake.narration import Narrator
from shoplake.run_records import RunRecord
from shoplake.run_steps import RUN_STEPS
from shoplake.running import run_pipeline
from shoplake.shop_data import live_on, remove_state, seed_shop, shop_order_count
from shoplake.views.documents import print_document
from shoplake.views.reconciliation import print_reconciliation
from shoplake.views.run import print_run, print_times
from shoplake.views.servers import print_endpoints, print_next_steps

__all__ = ["DEMO_LIVE_TRANSACTIONS"]

DEMO_LIVE_TRANSACTIONS = 3_000
_STEP_COUNT = 3 + 2 * len(RUN_STEPS)  # servers, seed, live load, and two runs


def _demo_document(first: RunRecord, second: RunRecord, narrator: Narrator) -> dict[str, Any]:
    return {
        "seconds": round(narrator.elapsed_seconds(), 1),
        "runs": [first.run_id, second.run_id],
        "steps": {"first": first.steps, "second": second.steps},
        "agree": second.steps["reconcile"]["outcome"]["agree"],
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
        narrator.heading("A shop and its servers")
        laptop = bring_up(workspace, narrator, count=_STEP_COUNT)
        print_endpoints(laptop, to_stderr=True)
        with narrator.step(2, _STEP_COUNT, "seed the shop") as talk:
            held = shop_order_count(laptop)
            if held:
                talk.result = f"the shop already holds {held:,} orders and goes on with them (--fresh starts over)"
            else:
                report = seed_shop(laptop, orders=orders, seed=seed, on_progress=talk.note)
                talk.result = f"{orders:,} orders, {report.row_count:,} rows in all, {report.dirt_count:,} of them dirty on purpose"
        narrator.heading("First run: full load")
        first = run_pipeline(laptop, narrator, first_number=3, step_count=_STEP_COUNT)
        narrator.heading("The shop lives on")
        number = 3 + len(RUN_STEPS)
        with narrator.step(number, _STEP_COUNT, "live transactions") as talk:
            load = live_on(laptop, transactions=transactions, seed=seed, on_progress=talk.note)
            talk.result = f"{load.transaction_count:,} transactions changed {load.row_count:,} rows"
        narrator.heading("Second run: the changes only")
        second = run_pipeline(laptop, narrator, first_number=number + 1, step_count=_STEP_COUNT)
        if as_json:
            print_document(_demo_document(first, second, narrator))
            return
        print_run(second)
        print_reconciliation(second.steps["reconcile"]["outcome"])
        print_times(narrator.step_seconds, narrator.elapsed_seconds())
        print_next_steps(laptop)
