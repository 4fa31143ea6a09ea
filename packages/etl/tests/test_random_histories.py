"""Silver equals a dictionary that followed the same history, for any split into batches, with redeliveries and reloads.

Each example is hundreds of keys in one table: drawn wide, not often.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass, field

import pyarrow as pa
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

pytestmark = pytest.mark.spark

CONTRACT = """
grain = "one row per item"
key = ["id", "part"]
tracks = ["owner"]
[columns.id]
type = "uint64"
[columns.part]
type = "string(5)"
[columns.owner]
type = "int32"
[columns.status]
type = "string(20)"
accepted = ["new", "old", "odd"]
[columns.note]
type = "text"
nullable = true
pii = "note"
"""
COLUMNS = pa.schema(
    [("id", pa.uint64()), ("part", pa.string()), ("owner", pa.int32()), ("status", pa.string()), ("note", pa.string())]
)
KEYS = 200


@dataclass
class Source:
    """A MySQL table in a dictionary, with its binlog."""

    draw: random.Random
    change: Callable
    rows: dict = field(default_factory=dict)
    log: list = field(default_factory=list)

    def row(self, key):
        status = self.draw.choice(["new", "old", "odd", "BAD"])
        return {
            "id": key[0],
            "part": key[1],
            "owner": self.draw.randint(1, 3),
            "status": status,
            "note": self.draw.choice([None, "n", "m"]),
        }

    def write(self, op, key, row):
        number = len(self.log) + 1
        self.log.append(self.change(op, number, committed_at=f"2026-11-25 01:00:{number // 5000:02d}.000000", **row))

    def step(self):
        key = (self.draw.randint(1, KEYS // 2), self.draw.choice("ab"))
        if key not in self.rows:
            self.rows[key] = self.row(key)
            self.write("I", key, self.rows[key])
        elif self.draw.random() < 0.3:
            gone = self.rows.pop(key)
            full = self.draw.random() < 0.5  # some writers give a delete's key only
            self.write("D", key, gone if full else {"id": key[0], "part": key[1]})
        else:
            self.rows[key] = self.row(key)
            self.write("U", key, self.rows[key])


@settings(max_examples=3, deadline=None, derandomize=True, phases=[Phase.generate])
@given(seed=st.integers(0, 2**32))
def test_silver_equals_the_source_after_any_history(spark, world_factory, tools, seed):
    draw = random.Random(seed)
    world, contract = world_factory(), tools.contract(CONTRACT, name="items")
    bronze, source = world.bronze("items", COLUMNS), Source(draw, tools.change)
    for _ in range(KEYS):
        source.step()
    bronze.load(list(source.rows.values()), floor=tools.sequence(len(source.log)), files=2)
    delivered = len(source.log)
    bronze.changes(source.log[-20:])  # the load holds them already
    for round_ in range(5):
        for _ in range(draw.randint(20, 120)):
            source.step()
        reload_ = round_ == 2
        if not reload_ or draw.random() < 0.5:
            bronze.changes(source.log[delivered:])
        if reload_:  # what was not delivered before it is lost, and the reload mends it
            bronze.load(list(source.rows.values()), floor=tools.sequence(len(source.log)), files=2)
        delivered = len(source.log)
        start = draw.randrange(len(source.log))
        if draw.random() < 0.7 and not reload_:
            bronze.changes(source.log[start : start + 60])  # at least once: an old piece comes again under a new name
        if draw.random() < 0.7:
            summary = world.silver(contract)
            assert summary.read == summary.applied + summary.superseded + summary.redelivered + summary.quarantined
    world.silver(contract)
    stored = {(int(r["id"]), r["part"]): (r["owner"], r["status"], r["note"]) for r in world.rows("items")}
    good = {key: row for key, row in source.rows.items() if row["status"] != "BAD"}
    masked = {None: None, "n": tools.key.mask("n"), "m": tools.key.mask("m")}
    assert stored == {key: (row["owner"], row["status"], masked[row["note"]]) for key, row in good.items()}
    assert in_quarantine(world, contract, bronze.epochs) == source.rows.keys() - good.keys()


def in_quarantine(world, contract, epochs):
    """Keys whose newest tombstone is `quarantined` and that silver lacks."""
    from shoplake_etl.verdicts import newest_tombstones

    session = world.spark.newSession()
    tombstones = newest_tombstones(session.table(world.run.lake.silver.table("items__tombstones")), contract, epochs)
    live = {(r["id"], r["part"]) for r in world.rows("items")}
    newest = {
        (r["gone_key"]["id"], r["gone_key"]["part"]) for r in tombstones.where("gone_reason = 'quarantined'").collect()
    }
    return {(int(id_), part) for id_, part in newest - live}
