"""A first project from a real MySQL: what it writes fits the tables, hides what tells of a person, and never overwrites."""

import subprocess
import sys

import pytest
from shoplake.scaffold.contract_texts import carried_table
from shoplake.scaffold.guesses import guessed_pii, is_credential, is_switch
from shoplake.scaffold.project_files import project_files
from shoplake_core.contracts import Pii
from shoplake_core.logical_types import parse_logical_type
from shoplake_core.project import project_from_files, project_from_folder
from shoplake_functions.source_checks import checks_of_table
from shoplake_mysql.connections import connect, execute
from shoplake_mysql.tables import read_table_shape

TABLES = (
    """CREATE TABLE init_shop.`OrderLines` (
        `orderId` bigint unsigned NOT NULL, `lineNo` smallint NOT NULL, amount decimal(12,2) NOT NULL, tax decimal(9,4),
        t1 tinyint, t1u tinyint unsigned, is_gift tinyint(1) NOT NULL, state tinyint(1), i2u smallint unsigned,
        i3 mediumint, i3u mediumint unsigned, i4 int, i4u int unsigned, i8 bigint, f float, d double, b1 bit(1),
        b9 bit(9), y year, day date, at datetime(3), stamp timestamp NULL, clock time, c char(3), v varchar(40),
        long_text longtext, doc json, kind enum('web','a "quoted" one') NOT NULL, flags set('a','bc'), raw varbinary(8),
        wide decimal(60,2), `select` int, doubled int GENERATED ALWAYS AS (i4 * 2) VIRTUAL,
        PRIMARY KEY (`orderId`, `lineNo`))""",
    """CREATE TABLE init_shop.customers (
        id int unsigned PRIMARY KEY, email varchar(255), name varchar(80), phone varchar(20), dob date,
        password_hash varchar(80), address_line text, notes text, created_at timestamp NOT NULL)""",
    "CREATE TABLE init_shop.log_lines (line text)",
)


@pytest.fixture(scope="module")
def source(mysql_server):
    connection = connect(mysql_server.endpoint)
    execute(connection, "CREATE DATABASE init_shop CHARACTER SET utf8mb4")
    for table in TABLES:
        execute(connection, table)
    yield connection
    execute(connection, "DROP DATABASE init_shop")
    connection.close()


@pytest.fixture
def init(source, mysql_server, tmp_path, monkeypatch):
    endpoint = mysql_server.endpoint
    monkeypatch.setenv(
        "SHOPLAKE_MYSQL_URL", f"mysql://{endpoint.user}:{endpoint.password}@{endpoint.host}:{endpoint.port}"
    )

    def run(*flags, folder=tmp_path / "mine"):
        command = [sys.executable, "-m", "shoplake", "init", str(folder), *flags]
        return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)

    return run


def test_every_type_is_carried_in_a_contract_that_fits_its_table(source):
    shapes = [read_table_shape(source, "init_shop", name) for name in ("OrderLines", "customers")]
    tables = [carried_table(shape) for shape in shapes]
    project = project_from_files(project_files("init_shop", tables, time_zone="Europe/Berlin", gold=True))
    for table, shape in zip(tables, shapes, strict=True):
        assert [check.found for check in checks_of_table(project.silver[table.name], shape) if not check.ok] == []
    lines = project.silver["order_lines"]
    assert lines.key == ("order_id", "line_no")
    assert lines.source_name == "OrderLines"
    assert len(lines.columns) == len(shapes[0].columns)
    kinds = {column.name: str(column.type) for column in lines.columns}
    assert (kinds["is_gift"], kinds["state"], kinds["wide"], kinds["flags"]) == ("boolean", "int8", "text", "string(4)")
    assert lines.column("kind").accepted == ("web", 'a "quoted" one')
    gold = project.gold["current_order_lines"]
    assert project.silver["customers"].grain == "one row per customer"
    assert gold.reconciles[0].sums == {"amount": "amount", "tax": "tax"}
    assert {"raw", "long_text", "doc"}.isdisjoint(gold.column_names)


def test_what_tells_of_a_person_is_masked_and_a_password_is_not_carried(source):
    table = carried_table(read_table_shape(source, "init_shop", "customers"))
    assert {column.name: column.pii for column in table.columns if column.pii is not Pii.NONE} == {
        "email": Pii.EMAIL,
        "name": Pii.NAME,
        "phone": Pii.PHONE,
        "dob": Pii.BIRTH_DATE,
        "address_line": Pii.ADDRESS,
        "notes": Pii.NOTE,
    }
    assert table.left_out == ("password_hash",)


@pytest.mark.parametrize(
    ("table", "column", "pii"),
    [
        ("products", "name", Pii.NONE),
        ("users", "name", Pii.NAME),
        ("orders", "shippingAddress", Pii.ADDRESS),
        ("orders", "customer_name", Pii.NAME),
        ("orders", "billing_email", Pii.EMAIL),
        ("orders", "mailing_list", Pii.NONE),
        ("orders", "status", Pii.NONE),
        ("addresses", "line1", Pii.ADDRESS),
        ("addresses", "city", Pii.NONE),
    ],
)
def test_a_name_tells_whose_a_column_is(table, column, pii):
    assert guessed_pii(table, column, parse_logical_type("string(80)")) is pii


def test_switches_and_credentials_are_known_by_their_names():
    assert [name for name in ("is_paid", "marketing_opt_in", "status", "rank") if is_switch(name)] == [
        "is_paid",
        "marketing_opt_in",
    ]
    names = ("api_key", "resetToken", "cardNumber", "key", "company", "pinboard")
    assert [name for name in names if is_credential(name)] == ["api_key", "resetToken", "cardNumber"]


def test_the_command_writes_a_project_once_and_adds_tables_to_it(init, tmp_path):
    first = init("--schema", "init_shop", "--table", "customers")
    assert first.returncode == 0, first.stderr
    assert "masked: customers: email (email)" in first.stderr
    assert project_from_folder(tmp_path / "mine").silver.keys() == {"customers"}
    mine = tmp_path / "mine/contracts/silver/customers.toml"
    mine.write_text(mine.read_text().replace('pii = "name"', 'pii = "none"'))

    again = init("--schema", "init_shop")
    assert again.returncode == 2
    assert "holds a project already" in again.stderr
    added = init("--table", "OrderLines", "--table", "customers", "--no-gold")
    assert added.returncode == 0, added.stderr
    project = project_from_folder(tmp_path / "mine")
    assert project.silver.keys() == {"customers", "order_lines"}
    assert project.gold.keys() == {"current_customers"}
    assert project.silver["customers"].column("name").pii is Pii.NONE, "an edited file stays"


def test_what_cannot_be_carried_is_named(init, tmp_path, monkeypatch):
    whole = init("--schema", "init_shop")
    assert whole.returncode == 0, whole.stderr
    assert "left out: log_lines: no primary key" in whole.stderr
    assert "--schema one of" in init("--schema", "init_shp", folder=tmp_path / "b").stderr
    assert (
        'did you mean "customers"' in init("--table", "customer", "--schema", "init_shop", folder=tmp_path / "c").stderr
    )
    assert (
        "log_lines: no primary key"
        in init("--table", "log_lines", "--schema", "init_shop", folder=tmp_path / "d").stderr
    )
    monkeypatch.delenv("SHOPLAKE_MYSQL_URL")
    unset = init(folder=tmp_path / "e")
    assert (unset.returncode, "export SHOPLAKE_MYSQL_URL=" in unset.stderr) == (2, True)
    assert not (tmp_path / "e").exists()
