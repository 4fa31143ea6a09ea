"""A run may die at any step: the next one gives what a run that was never disturbed gives."""

import pyarrow as pa
import pytest
from shoplake_etl.failpoints import Step

pytestmark = pytest.mark.spark

CONTRACT = """
grain = "one row per order"
key = ["order_id"]
[columns.order_id]
type = "int64"
[columns.status]
type = "string(20)"
accepted = ["paid", "shipped"]
"""
COLUMNS = pa.schema([("order_id", pa.int64()), ("status", pa.string())])
SILVER_STEPS = [step for step in Step if "gold" not in step.value]


class Killed(BaseException):
    """Nothing catches it, as nothing catches SIGKILL."""


class RaiseAt:
    def __init__(self, step):
        self.step = step

    def reach(self, step, table):
        if step is self.step:
            raise Killed


def fill(bronze, tools, phase):
    if phase == 0:
        bronze.load([{"order_id": n, "status": "paid" if n % 5 else "bad"} for n in range(1, 20)])
    else:
        number = iter(range(1, 50))
        bronze.changes(
            [
                tools.change("U", next(number), order_id=1, status="shipped"),
                tools.change("U", next(number), order_id=2, status="bad"),
                tools.change("U", next(number), order_id=5, status="paid"),
                tools.change("D", next(number), order_id=3),
                tools.change("I", next(number), order_id=30, status="paid"),
                tools.change("I", next(number), order_id=31, status="paid"),
                tools.change("D", next(number), order_id=31),
            ]
        )
        bronze.load([{"order_id": n, "status": "paid"} for n in (1, 2, 7, 30)], floor=tools.sequence(6))


def state(world):
    rows = lambda name: sorted(  # noqa: E731
        str({k: v for k, v in row.items() if k not in {"_run_id", "run_id"}}) for row in world.rows(name)
    )
    tombstones = set(rows("orders__tombstones"))  # appending one twice is harmless
    return rows("orders"), tombstones, rows("orders__quarantine")


@pytest.fixture(scope="module")
def undisturbed(world_factory, tools):
    world, contract = world_factory(), tools.contract(CONTRACT)
    bronze = world.bronze("orders", COLUMNS)
    for phase in (0, 1):
        fill(bronze, tools, phase)
        world.silver(contract)
    return state(world)


@pytest.mark.parametrize("step", SILVER_STEPS, ids=lambda step: step.value)
def test_a_run_that_died_at_any_step_is_finished_by_the_next(world, tools, undisturbed, step):
    contract, bronze = tools.contract(CONTRACT), world.bronze("orders", COLUMNS)
    for phase in (0, 1):
        fill(bronze, tools, phase)
        with pytest.raises(Killed):
            world.silver(contract, failpoints=RaiseAt(step))
        summary = world.silver(contract, run_id="run-2")
        if step is Step.AFTER_SILVER_COMMIT:
            assert summary.read == 0
    assert state(world) == undisturbed
