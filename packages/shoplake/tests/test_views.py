"""What people read: no markup of ours or theirs breaks it, and each number stands in its place."""

import io

from rich.console import Console
from shoplake.views.reconciliation import print_reconciliation
from shoplake.views.run import print_run, print_times


def shown(printer, *arguments) -> str:
    out = io.StringIO()
    printer(*arguments, Console(file=out, width=140, no_color=True))
    return out.getvalue()


DOCUMENT = {
    "cut": {"position": "bin.000001:4711", "taken_at": "2026-11-25T01:02:03.123456+00:00"},
    "formula": "MySQL after rules = silver + quarantine; silver = gold",
    "tables": [
        {
            "table": "orders",
            "agree": False,
            "rows_in_flight": 2,
            "rows_in_quarantine": 3,
            "orphans": 1,
            "layers": {
                "mysql": {"rows": 1003, "sums": {"total": "10.00", "order_id": "5"}},
                "silver": {"rows": 1000, "sums": {"total": "10.00", "order_id": "5"}},
                "gold": {"rows": 999, "sums": {"total": "9.99"}},
                "warehouse": {"rows": 999, "sums": {"total": "9.99"}},
            },
            "findings": [
                {
                    "kind": "lost_row",
                    "found_in": "gold",
                    "expected_in": "silver",
                    "key_range_text": "[1, 99]",
                    "keys": [{"order_id": 7}],
                    "key_count": 1,
                    "expected_rows": 1000,
                    "found_rows": 999,
                    "sums": [{"column": "total", "expected": "10.00", "found": "9.99", "difference": "-0.01"}],
                    "columns": [],
                    "message": "",
                }
            ],
        },
        {
            "table": "payments",
            "agree": True,
            "rows_in_flight": 0,
            "rows_in_quarantine": 0,
            "orphans": 0,
            "layers": {"mysql": {"rows": 5, "sums": {}}, "silver": {"rows": 5, "sums": {}}},
            "findings": [],
        },
    ],
}


def test_the_reconciliation_shows_every_layer_and_every_finding_with_both_numbers():
    text = shown(print_reconciliation, DOCUMENT)
    orders = next(line for line in text.splitlines() if line.startswith("orders "))
    assert orders.split() == ["orders", "1,003", "1,000", "3", "1", "999", "999", "2", "NO"]
    sums = next(line for line in text.splitlines() if line.startswith("orders.total"))
    assert sums.split() == ["orders.total", "10.00", "10.00", "9.99", "9.99"]
    assert (
        "orders: lost in gold (against silver), key range [1, 99], keys order_id 7: 1,000 rows expected, 999 found"
        in text
    )
    assert "sum of total 10.00 expected, 9.99 found (-0.01)" in text
    assert "bin.000001:4711" in text
    assert "Every layer agrees" not in text


def test_a_layer_that_a_table_does_not_have_is_a_dash():
    payments = next(line for line in shown(print_reconciliation, DOCUMENT).splitlines() if line.startswith("payments"))
    assert payments.split() == ["payments", "5", "5", "0", "0", "-", "-", "0", "yes"]


def test_times_are_shown_longest_first():
    lines = shown(print_times, {"seed": 1.0, "silver": 3.0}, 4.0).splitlines()
    places = [i for i, line in enumerate(lines) if "silver" in line or "seed" in line]
    assert "silver" in lines[places[0]]
    assert "75 %" in lines[places[0]]


def test_a_run_tells_what_dashboards_read_anew_and_what_they_were_refused():
    told = {"refreshed": 1, "rows": 1200, "warnings": ["shoplake-dev-[store] was not refreshed"]}
    lines = shown(print_run, {"steps": {}, "output": {"dashboards": told}}).splitlines()
    assert lines == [
        "Data sets that QuickSight read anew: 1, with 1,200 rows",
        "warning: shoplake-dev-[store] was not refreshed",
    ]
    assert shown(print_run, {"steps": {}, "output": {}}) == ""
