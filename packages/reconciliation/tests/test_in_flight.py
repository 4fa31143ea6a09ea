"""Silver at the cut: what it holds now and the changes in flight, against one history replayed row by row."""

from datetime import UTC, datetime

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from shoplake_core.bronze import EpochRecord
from shoplake_core.contract_files import parse_table_contract
from shoplake_core.contracts import Layer
from shoplake_core.errors import SourceError
from shoplake_core.masking import MaskingKey
from shoplake_core.sequences import parse_binlog_position, sequence_at
from shoplake_reconciliation.change_order import change_orders
from shoplake_reconciliation.cut import BY_TIME, EXACT, changes_up_to, cut_sequence
from shoplake_reconciliation.in_flight import StoredTable, predicted, quarantined_keys

KEY = MaskingKey(b"k" * 32)
LINEAGE = "2026010100000000"
CONTRACT = parse_table_contract(
    'grain = "one row"\nkey = ["id"]\n[columns.id]\ntype = "int64"\n[columns.amount]\ntype = "int32"\nminimum = "0"',
    name="t",
    layer=Layer.SILVER,
    where="t.toml",
)


def at(place: int) -> str:
    return sequence_at(LINEAGE, parse_binlog_position(f"bin.000001:{place}"))


def record(started_second: int, floor: int | None, **more) -> EpochRecord:
    values = {
        "schema": "shop",
        "table": "t",
        "epoch": f"202601010000{started_second:02d}000000",
        "started_at": f"2026-01-01 00:00:{started_second:02d}.000000",
        "engine": "dms" if floor is None else "shoplake",
        "lineage": "server-a",
        "stream_position": "bin.000001:4",
        "sequence_floor": "" if floor is None else at(floor),
        "change_margin_seconds": 600 if floor is None else 0,
        "rows": 0,
        "files": (),
    }
    return EpochRecord(**{**values, **more})


FIRST = record(0, 10)


def bronze(*rows) -> pa.Table:
    """Bronze rows of (Op, id, amount, place in the binlog or None for a load row, second)."""
    return pa.table(
        {
            "Op": pa.array([r[0] for r in rows], pa.string()),
            "id": pa.array([r[1] for r in rows], pa.int64()),
            "amount": pa.array([r[2] for r in rows], pa.int32()),
            "_sequence": pa.array([None if r[3] is None else at(r[3]) for r in rows], pa.string()),
            "_committed_at": pa.array([f"2026-01-01 00:00:{r[4]:02d}.000000" for r in rows], pa.string()),
            "_stream_position": pa.array([f"bin.000001:{r[3] or 4}" for r in rows], pa.string()),
        }
    )


def stored(rows=(), tombstones=(), epochs=(FIRST.epoch,)) -> StoredTable:
    """Silver of (id, amount, place, second) and tombstones of (id, reason, place, second)."""

    def order(some):
        return {
            "_sequence": pa.array([None if r[2] is None else at(r[2]) for r in some], pa.string()),
            "_committed_at": pa.array([f"2026-01-01 00:00:{r[3]:02d}.000000" for r in some], pa.string())
            .cast(pa.timestamp("us"))
            .cast(pa.timestamp("us", "UTC")),
        }

    return StoredTable(
        pa.table(
            {
                "id": pa.array([r[0] for r in rows], pa.int64()),
                "amount": pa.array([r[1] for r in rows], pa.int32()),
                **order(rows),
            }
        ),
        pa.table(
            {
                "id": pa.array([r[0] for r in tombstones], pa.int64()),
                "reason": pa.array([r[1] for r in tombstones], pa.string()),
                **order(tombstones),
            }
        ),
        frozenset(epochs),
    )


def state_of(result):
    return {row["id"]: row["amount"] for row in result.rows.to_pylist()}, set(result.refused["id"].to_pylist())


SILVER = stored([(1, 10, None, 0), (2, 20, 50, 1), (3, 30, 60, 1)], [(4, "deleted", 55, 1), (5, "quarantined", 56, 1)])


@pytest.mark.parametrize(
    ("changes", "rows", "refused", "in_flight"),
    [
        pytest.param([], {1: 10, 2: 20, 3: 30}, {5}, 0, id="nothing"),
        pytest.param([("I", 9, 90, 70, 2)], {1: 10, 2: 20, 3: 30, 9: 90}, {5}, 1, id="insert"),
        pytest.param([("U", 1, 11, 70, 2)], {1: 11, 2: 20, 3: 30}, {5}, 1, id="update-of-a-loaded-row"),
        pytest.param([("D", 2, 20, 70, 2)], {1: 10, 3: 30}, {5}, 1, id="delete"),
        pytest.param([("D", 2, 20, 70, 2), ("I", 2, 22, 71, 2)], {1: 10, 2: 22, 3: 30}, {5}, 1, id="delete-and-insert"),
        pytest.param([("U", 1, 12, 71, 2), ("U", 1, 11, 70, 2)], {1: 12, 2: 20, 3: 30}, {5}, 1, id="the-newest-counts"),
        pytest.param([("U", 2, 19, 49, 1)], {1: 10, 2: 20, 3: 30}, {5}, 0, id="an-old-update-again"),
        pytest.param([("U", 2, 20, 50, 1)], {1: 10, 2: 20, 3: 30}, {5}, 0, id="the-same-update-again"),
        pytest.param([("U", 4, 40, 54, 1)], {1: 10, 2: 20, 3: 30}, {5}, 0, id="an-update-older-than-the-delete"),
        pytest.param([("I", 4, 44, 70, 2)], {1: 10, 2: 20, 3: 30, 4: 44}, {5}, 1, id="back-after-the-delete"),
        pytest.param([("U", 1, -1, 70, 2)], {2: 20, 3: 30}, {1, 5}, 1, id="into-quarantine"),
        pytest.param([("U", 5, 50, 70, 2)], {1: 10, 2: 20, 3: 30, 5: 50}, set(), 1, id="out-of-quarantine"),
        pytest.param([("D", 5, -5, 70, 2)], {1: 10, 2: 20, 3: 30}, set(), 1, id="deleted-in-quarantine"),
        pytest.param([("U", 5, -5, 56, 1)], {1: 10, 2: 20, 3: 30}, {5}, 1, id="the-quarantined-row-again"),
        pytest.param([("U", 3, 31, 5, 0)], {1: 10, 2: 20, 3: 30}, {5}, 0, id="a-change-older-than-the-load"),
    ],
)
def test_changes_in_flight_are_applied_in_their_order(changes, rows, refused, in_flight):
    result = predicted(SILVER, bronze(*changes), CONTRACT, [FIRST], KEY)
    assert state_of(result) == (rows, refused)
    assert result.keys_in_flight == in_flight


RELOAD = record(30, 80)


@pytest.mark.parametrize(
    ("silver", "changes", "rows", "refused"),
    [
        pytest.param(SILVER, [("I", 1, 10, None, 30), ("I", 2, 20, None, 30)], {1: 10, 2: 20}, set(), id="ghosts-go"),
        pytest.param(
            SILVER, [("I", 3, 30, None, 30), ("U", 3, 33, 90, 31)], {3: 33}, set(), id="changes-follow-the-load"
        ),
        pytest.param(SILVER, [("I", 3, 31, None, 30), ("U", 3, 30, 70, 2)], {3: 31}, set(), id="older-changes-do-not"),
        pytest.param(SILVER, [("I", 5, -1, None, 30)], {}, {5}, id="quarantine-is-loaded-too"),
        pytest.param(stored([(3, 35, 95, 32)]), [("I", 3, 31, None, 30)], {3: 35}, set(), id="silver-is-past-the-load"),
        pytest.param(SILVER, [], {}, set(), id="an-empty-load"),
    ],
)
def test_a_reload_that_silver_has_not_read_replaces_what_is_older(silver, changes, rows, refused):
    result = predicted(silver, bronze(*changes), CONTRACT, [FIRST, RELOAD], KEY)
    assert state_of(result) == (rows, refused)


def test_the_newest_tombstone_of_a_key_decides_and_a_live_row_stands_over_it():
    silver = stored(
        [(3, 30, 90, 3)],
        [
            (1, "deleted", 50, 1),
            (1, "quarantined", 60, 1),
            (2, "quarantined", 50, 1),
            (2, "deleted", 60, 1),
            (3, "quarantined", 70, 1),
            (4, "quarantined", None, 0),
            (4, "quarantined", None, 0),
        ],
    )
    assert sorted(quarantined_keys(silver, ("id",), [FIRST])["id"].to_pylist()) == [1, 4]


def test_orders_of_two_servers_and_two_loads():
    second = record(30, None, engine="shoplake", sequence_floor="2026020100000000" + "0" * 19, change_margin_seconds=0)
    other_server = "2026020100000000" + "0" * 18 + "9"
    sequence = pa.array([None, at(11), at(5), other_server, None, None])
    committed = pa.array([f"2026-01-01 00:00:{s}.000000" for s in ("00", "01", "01", "31", "30", "07")])
    order = change_orders(sequence, committed, [FIRST, second])
    assert order.epoch.tolist() == [0, 0, -1, 1, 1, -1]


def test_on_dms_the_commit_time_and_a_margin_decide():
    dms = record(30, None, change_margin_seconds=10)
    committed = pa.array([f"2026-01-01 00:00:{s}.000000" for s in (20, 21, 40)])
    order = change_orders(pa.array(["1", "2", "3"]), committed, [FIRST, dms])
    assert order.epoch.tolist()[1:] == [1, 1]


def test_the_cut_takes_changes_up_to_its_position():
    rows = bronze(("I", 1, 1, 70, 2), ("I", 2, 2, 80, 2), ("I", 3, 3, 81, 2))
    sequence = cut_sequence("bin.000001:80", "server-a", [FIRST])
    some, promise = changes_up_to(rows, sequence=sequence, position="bin.000001:80", taken_at=None)
    assert (some["id"].to_pylist(), promise, sequence) == ([1, 2], EXACT, at(80))


def test_on_dms_the_stream_position_decides_and_without_one_the_time():
    rows = bronze(("I", 1, 1, 70, 2), ("I", 2, 2, 90, 2), ("I", 3, 3, 70, 9))
    assert cut_sequence("bin.000001:80", "server-a", [record(0, None)]) == ""
    taken_at = datetime(2026, 1, 1, 0, 0, 5, tzinfo=UTC)
    some, promise = changes_up_to(rows, sequence="", position="bin.000001:80", taken_at=taken_at)
    assert (some["id"].to_pylist(), promise) == ([1, 3], EXACT)
    bare = rows.set_column(rows.column_names.index("_stream_position"), "_stream_position", pa.nulls(3, pa.string()))
    some, promise = changes_up_to(bare, sequence="", position="bin.000001:80", taken_at=taken_at)
    assert (some["id"].to_pylist(), promise) == ([1, 2], BY_TIME)


def test_a_position_of_another_server_is_refused():
    with pytest.raises(SourceError, match="server-b"):
        cut_sequence("bin.000001:80", "server-b", [FIRST])


CHANGE = st.tuples(st.sampled_from("IUD"), st.integers(0, 4), st.integers(-1, 3))


def replay(history):
    """Live rows and keys in quarantine after the history, one change at a time."""
    live, refused = {}, set()
    for operation, key, amount in history:
        live.pop(key, None)
        refused.discard(key)
        if operation != "D" and amount >= 0:
            live[key] = amount
        elif operation != "D":
            refused.add(key)
    return live, refused


@settings(max_examples=200, deadline=None)
@given(st.lists(CHANGE, max_size=15), st.data())
def test_any_history_cut_anywhere_and_redelivered_gives_its_end(history, data):
    """Silver has consumed a part; the rest is in flight, in any order, some of it for the second time."""
    consumed = data.draw(st.integers(0, len(history)))
    again = data.draw(st.integers(0, consumed))
    live, _ = replay(history[:consumed])
    newest = {key: place for place, (_, key, _) in enumerate(history[:consumed])}
    tombstones = [
        (key, "quarantined" if operation != "D" else "deleted", 100 + place, 1)
        for place, (operation, key, amount) in enumerate(history[:consumed])
        if operation == "D" or amount < 0
    ]
    silver = stored([(key, amount, 100 + newest[key], 1) for key, amount in live.items()], tombstones)
    rows = [(*change, 100 + place, 2) for place, change in enumerate(history)][again:]
    changes = bronze(*data.draw(st.permutations(rows)))
    result = predicted(silver, changes, CONTRACT, [FIRST], KEY)
    assert state_of(result) == replay(history)
