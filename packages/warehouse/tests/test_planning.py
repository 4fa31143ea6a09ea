import pytest
from shoplake_core.errors import ConfigError
from shoplake_warehouse.errors import WarehouseAheadError, WarehouseGapError
from shoplake_warehouse.loading import GoldBatch, load_statements, pending_batches


def gold(batch, *, full=False, url="s3://gold/_changes/fct_order/1/manifest.json"):
    return GoldBatch(table="fct_order", batch=batch, full=full, manifest_url=url, rows=1)


@pytest.mark.parametrize(
    ("offered", "loaded", "expected"),
    [
        ([gold(1, full=True), gold(2), gold(3)], 0, [1, 2, 3]),
        ([gold(3), gold(1, full=True), gold(2)], 1, [2, 3]),
        ([gold(1, full=True), gold(2), gold(3, full=True), gold(4)], 0, [3, 4]),
        ([gold(1, full=True), gold(2), gold(7, full=True), gold(8)], 2, [7, 8]),
        ([gold(1, full=True), gold(2)], 2, []),
        ([], 5, []),
        ([gold(1)], 0, [1]),
    ],
    ids=[
        "all",
        "unordered",
        "from-the-newest-full",
        "full-jumps-a-gap",
        "nothing-new",
        "nothing-offered",
        "first-not-full",
    ],
)
def test_the_pending_batches(offered, loaded, expected):
    assert [b.batch for b in pending_batches("fct_order", offered, loaded_batch=loaded)] == expected


@pytest.mark.parametrize(
    ("offered", "loaded"),
    [([gold(2)], 0), ([gold(1, full=True), gold(3)], 1), ([gold(4, full=True), gold(6)], 2)],
    ids=["first-missing", "one-missing", "one-missing-after-a-full"],
)
def test_a_gap_stops(offered, loaded):
    with pytest.raises(WarehouseGapError, match="rebuild the model in full"):
        pending_batches("fct_order", offered, loaded_batch=loaded)


def test_a_warehouse_ahead_of_gold_stops():
    with pytest.raises(WarehouseAheadError, match="holds batch 9 of fct_order, and gold's newest is 1"):
        pending_batches("fct_order", [gold(1, full=True)], loaded_batch=9)


def test_one_batch_is_lock_empty_copy_call(fact):
    statements = load_statements(fact, gold(7), run_id="r-1", iam_role="default")
    assert statements == (
        "LOCK TABLE shoplake.loads",
        'DELETE FROM staging."fct_order"',
        (
            "COPY staging.\"fct_order\" FROM 's3://gold/_changes/fct_order/1/manifest.json' IAM_ROLE default "
            "FORMAT AS PARQUET MANIFEST"
        ),
        "CALL shoplake.\"load_fct_order\"(7, FALSE, 'r-1')",
    )


def test_a_commit_that_changed_nothing_is_recorded_without_copy(fact):
    statements = load_statements(fact, gold(7, full=True, url=""), run_id="r", iam_role="default")
    assert not [s for s in statements if s.startswith("COPY")]
    assert statements[-1].endswith("(7, TRUE, 'r')")


@pytest.mark.parametrize(
    "bad",
    [
        {"run_id": "x'); DROP TABLE gold.fct_order; --"},
        {"iam_role": "arn:x' y"},
        {"url": "s3://b/a' b"},
        {"url": "/tmp/x"},
    ],
    ids=["run-id", "role", "url", "no-s3"],
)
def test_nothing_strange_reaches_a_statement(fact, bad):
    settings = {"run_id": "r", "iam_role": "default"} | {k: v for k, v in bad.items() if k != "url"}
    with pytest.raises(ConfigError, match="cannot stand in a statement"):
        load_statements(fact, gold(1, url=bad.get("url", "s3://b/m.json")), **settings)
