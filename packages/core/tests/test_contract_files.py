"""Contracts read from TOML: what is right is kept, and every fault is named."""

import pytest
from shoplake_core.contract_files import parse_table_contract
from shoplake_core.contracts import GoldTest, Layer, Pii, Rebuild, Severity, Violation
from shoplake_core.errors import ContractError
from shoplake_core.logical_types import Kind

ORDERS = """
grain = "one row per order"
key = ["order_id"]
tracks = ["customer_id"]
[columns.order_id]
type = "uint64"
[columns.customer_id]
type = "uint64"
[columns.note]
type = "text"
nullable = true
pii = "note"
[columns.since]
type = "date"
source_type = "string(20)"
nullable = true
formats = ["d/M/y"]
violation = "null"
"""


def parse(text: str, layer: Layer = Layer.SILVER):
    return parse_table_contract(text, name="orders", layer=layer, where="orders.toml")


def test_a_contract_keeps_the_order_of_its_columns():
    assert parse(ORDERS).column_names == ("order_id", "customer_id", "note", "since")


def test_a_pii_column_is_stored_as_64_characters():
    note = parse(ORDERS).column("note")
    assert (note.pii, str(note.stored_type)) == (Pii.NOTE, "string(64)")


def test_a_parsed_column_keeps_both_types():
    since = parse(ORDERS).column("since")
    assert (since.source_type.kind, since.type.kind, since.violation) == (Kind.STRING, Kind.DATE, Violation.NULL)


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        pytest.param(('type = "uint64"', 'type = "unit64"'), 'did you mean "uint64"', id="misspelt-type"),
        pytest.param(('key = ["order_id"]', ""), "without a primary key", id="no-key"),
        pytest.param(('key = ["order_id"]', 'key = ["oder_id"]'), 'did you mean "order_id"', id="unknown-key"),
        pytest.param(('pii = "note"', 'pii = "nte"'), 'did you mean "note"', id="unknown-pii"),
        pytest.param(("nullable = true\npii", "nulable = true\npii"), 'did you mean "nullable"', id="unknown-field"),
        pytest.param(('formats = ["d/M/y"]', 'formats = ["d/m/y"]'), "unknown format", id="unknown-format"),
        pytest.param(('formats = ["d/M/y"]', ""), "go together", id="parsed-without-format"),
        pytest.param(('key = ["order_id"]', 'key = ["note"]'), "neither PII nor nullable", id="pii-key"),
        pytest.param(("[columns.note]", "[columns.Note]"), "snake_case", id="upper-case-name"),
        pytest.param(('grain = "one row per order"', ""), "what one row is", id="no-grain"),
        pytest.param(('order_id"]\ntracks', "order_id\"]\nscope = ['a']\ntracks"), "unknown field", id="gold-field"),
        pytest.param(("grain", "grain ="), "not valid TOML", id="not-toml"),
    ],
)
def test_a_fault_is_named(change, fault):
    with pytest.raises(ContractError) as caught:
        parse(ORDERS.replace(*change))
    assert fault in str(caught.value)
    assert "orders.toml" in str(caught.value)


def test_every_fault_is_reported_at_once():
    with pytest.raises(ContractError) as caught:
        parse(ORDERS.replace('pii = "note"', 'pii = "x"').replace('formats = ["d/M/y"]', 'formats = ["x"]'))
    assert len(caught.value.faults) == 2


def test_null_on_violation_needs_a_nullable_column():
    with pytest.raises(ContractError, match="needs nullable"):
        parse(ORDERS.replace("nullable = true\nformats", "formats"))


GOLD = """
grain = "one row per order"
key = ["order_id"]
reads = ["orders"]
scope = ["order_id"]
[touched]
orders = "select order_id from changes"
[[tests]]
name = "no_gaps"
sql = "select order_id from orders where false"
severity = "warn"
[columns.order_id]
type = "uint64"
"""


def test_a_gold_contract_holds_its_tests_and_how_much_is_rebuilt():
    made = parse(GOLD, Layer.GOLD)
    assert made.tests == (
        GoldTest(name="no_gaps", sql="select order_id from orders where false", severity=Severity.WARN),
    )
    assert made.rebuild is Rebuild.SCOPE
    whole = GOLD.replace('scope = ["order_id"]', 'rebuild = "whole"').replace(
        '[touched]\norders = "select order_id from changes"', ""
    )
    assert (parse(whole, Layer.GOLD).rebuild, parse(whole, Layer.GOLD).scope) == (Rebuild.WHOLE, ())


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        pytest.param(('scope = ["order_id"]', ""), 'or say rebuild = "whole"', id="no-scope"),
        pytest.param(('scope = ["order_id"]', 'scope = ["order_id"]\nrebuild = "whole"'), "of no use", id="both"),
        pytest.param(('severity = "warn"', 'severity = "warm"'), 'did you mean "warn"', id="severity"),
        pytest.param(
            ('sql = "select order_id from orders where false"', ""), "tests.no_gaps.sql: missing", id="no-sql"
        ),
        pytest.param(('name = "no_gaps"', 'name = "No gaps"'), "snake_case", id="name"),
        pytest.param(("severity", "sverity"), 'did you mean "severity"', id="field"),
        pytest.param(
            ("[columns", '[[tests]]\nname = "no_gaps"\nsql = "select 1"\n[columns'), "comes twice", id="twice"
        ),
    ],
)
def test_a_fault_of_a_gold_contract_is_named(change, fault):
    with pytest.raises(ContractError) as caught:
        parse(GOLD.replace(*change, 1), Layer.GOLD)
    assert fault in str(caught.value)
