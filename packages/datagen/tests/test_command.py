"""The command line: documents on stdout, talk on stderr, and the exit codes that scripts rely on."""

import json
import subprocess
import sys

import pytest
from shoplake_datagen import Expectation, ledger_from_lines
from shoplake_datagen.command import main

REFERENCE = ["--reference-time", "2026-03-31T12:00:00+00:00"]


def url(server):
    endpoint = server.endpoint
    return f"mysql://{endpoint.user}:{endpoint.password}@{endpoint.host}:{endpoint.port}"


@pytest.fixture
def environment(mysql_server):
    return {"SHOPLAKE_MYSQL_URL": url(mysql_server)}


def test_seed_then_load_print_one_document_each_and_keep_one_ledger(environment, capsys, tmp_path):
    ledger = tmp_path / "ledger.jsonl"
    common = ["--schema", "command_shop", "--ledger", str(ledger), "--json"]
    assert main(["seed", "--orders", "300", *REFERENCE, *common], environment=environment) == 0
    seeded = capsys.readouterr()
    document = json.loads(seeded.out)
    assert document["schema_version"] == 1
    assert document["rows"]["orders"] == 300
    assert "orders: 300 of 300 rows" in seeded.err
    first = ledger_from_lines(ledger.read_text("utf-8"))
    assert document["faults"] == len(first) > 0
    assert main(["load", "--transactions", "150", *common], environment=environment) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["completed"] == 150
    both = ledger_from_lines(ledger.read_text("utf-8"))
    assert both[: len(first)] == first
    assert len(both) == len(first) + document["faults"]
    assert {entry.expect for entry in both} <= set(Expectation)


def test_the_text_report_names_every_table(environment, capsys):
    assert main(["seed", "--orders", "20", *REFERENCE, "--schema", "text_shop"], environment=environment) == 0
    out = capsys.readouterr().out
    assert "  order_items: " in out
    assert "method: LOAD DATA LOCAL" in out


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["seed", "--orders", "5", *REFERENCE, "--schema", "text_shop"], 2, "error[SHOP_NOT_EMPTY]"),
        (["load", "--transactions", "5", "--schema", "nowhere_shop"], 2, "holds no shop"),
        (["load", "--schema", "text_shop"], 2, "a rate and a time"),
        (["load", "--rate", "90000", "--for", "0.2s", "--schema", "text_shop"], 1, "stopped short"),
        (["seed", "--orders", "5", "--url", "postgres://x"], 2, "is not of the form"),
        (["seed", "--orders", "5", "--url", "mysql://a:secret-word@127.0.0.1:1"], 4, "127.0.0.1:1"),
    ],
    ids=["not empty", "no schema", "no size", "too fast", "no url", "nobody there"],
)
def test_failures_have_their_exit_code_and_say_what_to_do(environment, capsys, arguments, code, said):
    main(["seed", "--orders", "20", *REFERENCE, "--schema", "text_shop"], environment=environment)
    capsys.readouterr()
    assert main(arguments, environment=environment) == code
    err = capsys.readouterr().err
    assert said in err
    assert "next:" in err
    assert "secret-word" not in err


def test_a_refused_login_is_exit_code_three(mysql_server, capsys):
    endpoint = mysql_server.endpoint
    wrong = f"mysql://{endpoint.user}:wrong-word@{endpoint.host}:{endpoint.port}"
    assert main(["seed", "--orders", "5", *REFERENCE, "--url", wrong], environment={}) == 3
    assert "wrong-word" not in capsys.readouterr().err


def test_without_a_server_named_the_variable_is(capsys):
    assert main(["seed"], environment={}) == 2
    assert "SHOPLAKE_MYSQL_URL" in capsys.readouterr().err


@pytest.mark.parametrize(
    "arguments",
    [
        ["seed", "--reference-time", "yesterday"],
        ["seed", "--reference-time", "2026-01-01"],
        ["load", "--for", "soon"],
        [],
    ],
    ids=["no time", "no zone", "no duration", "no command"],
)
def test_wrong_usage_is_exit_code_two(arguments, capsys):
    with pytest.raises(SystemExit) as ended:
        main(arguments, environment={})
    assert ended.value.code == 2


def test_the_generator_and_all_that_it_imports_fit_into_a_lambda():
    """LAM-02: 250 MB unzipped is AWS's limit; with pandas or pyarrow the package would pass it."""
    program = """
import json, sys
from datetime import UTC, datetime
from importlib.metadata import distribution, packages_distributions
import shoplake_datagen.command
from shoplake_datagen import ShopSettings, draw_shop
draw_shop(ShopSettings(orders=10, seed=1, reference_time=datetime(2026, 1, 1, tzinfo=UTC)))
owners = packages_distributions()
names = {owner for module in list(sys.modules) for owner in owners.get(module.partition(".")[0], ())}
paths = [file.locate() for name in names for file in distribution(name).files or () if file.suffix != ".pyc"]
print(json.dumps({"names": sorted(names), "bytes": sum(path.stat().st_size for path in paths if path.is_file())}))
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=120)
    found = json.loads(done.stdout)
    assert {"numpy", "faker", "mimesis", "pymysql"} <= {name.lower() for name in found["names"]}, found
    assert not {"pandas", "pyarrow", "pyspark", "boto3"} & set(found["names"])
    assert found["bytes"] < 200_000_000, found
