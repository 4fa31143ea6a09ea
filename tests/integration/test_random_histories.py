"""Silver equals the contract applied to MySQL's own SELECT *, after any history.

Hundreds of histories are drawn at once and run as disjoint keys of one table, so that one Spark start serves them all. The oracle is
the reconciliation: it reads MySQL in one snapshot, applies the contract's rules in Arrow (Spark's implementation shares only
constants with it) and compares key by key.
"""

from random import Random

import pymysql
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from shoplake_core.bronze import is_load_file

TOML = '[project]\nname = "histories"\n[source]\nschema = "h"\n[replication]\nflush_interval_seconds = 0.2\n'
CONTRACT = """
grain = "one row per thing"
key = ["id"]
tracks = ["amount"]
[columns.id]
type = "uint64"
[columns.amount]
type = "decimal(12,2)"
minimum = "0"
[columns.label]
type = "string(30)"
nullable = true
trim = true
case = "lower"
blank_is_null = true
accepted = ["new", "paid", "sent"]
[columns.email]
type = "string(60)"
nullable = true
pii = "email"
trim = true
case = "lower"
blank_is_null = true
pattern = "email"
violation = "null"
[columns.day]
type = "date"
nullable = true
[columns.at]
type = "timestamp"
[columns.flag]
type = "boolean"
"""
DDL = """create table h.things (id bigint unsigned primary key, amount decimal(12,2) not null, label varchar(30), email varchar(60),
  day date, `at` timestamp(6) not null, flag tinyint(1) not null) charset utf8mb4"""
KEYS_PER_HISTORY = 4

VALUES = {
    "label": ["new", " PAID ", "sent\t", "", None, "odd", "Новый"],
    "email": ["a@example.com", " B@Example.COM", "no address", "", None, "ü@x.de"],
    "day": ["2026-01-31", "1500-01-01", "0000-00-00", "9999-12-31", None],
    "at": ["2026-03-29 01:30:00.123456", "1970-01-02 00:00:00", "2037-12-31 23:59:59.999999"],
    "flag": [0, 1, 2],
}
KINDS = ["insert", "insert", "update", "update", "delete", "replace", "rekey"]


def history_of(seed):
    """Up to eight transactions of up to five statements on four keys; a drawn list of histories would exceed hypothesis's buffer,
    so it draws their seeds, and shrinks by leaving histories out.
    """
    random = Random(seed)

    def values():
        return {name: random.choice(choices) for name, choices in VALUES.items()} | {
            "amount": random.randint(-100, 999_900) / 100
        }

    def step():
        kind, place = random.choice(KINDS), random.randrange(KEYS_PER_HISTORY)
        argument = {"delete": None, "rekey": random.randrange(KEYS_PER_HISTORY)}.get(kind, values())
        return kind, place, argument

    return [
        ([step() for _ in range(random.randint(1, 5))], random.choice(["commit", "commit", "commit", "rollback"]))
        for _ in range(random.randint(3, 8))
    ]


def apply(cursor, base, kind, place, argument):
    """One statement; a key that is taken, or not there, is what a real application meets too."""
    key = base + place
    columns = ["amount", "label", "email", "day", "`at`", "flag"]
    row = [argument[c.strip("`")] for c in columns] if isinstance(argument, dict) else []
    try:
        if kind in {"insert", "replace"}:
            marks = ", ".join(["%s"] * 7)
            cursor.execute(f"{kind} into h.things (id, {', '.join(columns)}) values ({marks})", [key, *row])
        elif kind == "update":
            cursor.execute(f"update h.things set {', '.join(f'{c} = %s' for c in columns)} where id = %s", [*row, key])
        elif kind == "delete":
            cursor.execute("delete from h.things where id = %s", [key])
        else:
            cursor.execute("update h.things set id = %s where id = %s", [base + argument, key])
    except pymysql.IntegrityError:
        pass


def run_share(connection, histories, share, of_shares):
    """The `share`-th part of every history, interleaved: each history keeps its own order."""
    with connection.cursor() as cursor:
        for number, transactions in enumerate(histories):
            begin, end = len(transactions) * share // of_shares, len(transactions) * (share + 1) // of_shares
            for steps, ending in transactions[begin:end]:
                cursor.execute("begin")
                for kind, place, argument in steps:
                    apply(cursor, number * KEYS_PER_HISTORY + 1, kind, place, argument)
                cursor.execute(ending)


@pytest.fixture(scope="module")
def project(tmp_path_factory, shoplake_on):
    folder = tmp_path_factory.mktemp("histories")
    (folder / "contracts/silver").mkdir(parents=True)
    (folder / "shoplake.toml").write_text(TOML)
    (folder / "contracts/silver/things.toml").write_text(CONTRACT)
    shoplake = shoplake_on(folder)
    shoplake.call("up")
    yield shoplake
    shoplake.call("down", check=False)


@pytest.fixture(scope="module")
def behind(project, inside):
    return inside(project)


@pytest.fixture
def connection(behind):
    connection = behind.mysql()
    with connection.cursor() as cursor:
        cursor.execute("set sql_mode = ''")
        cursor.execute("set time_zone = '+00:00'")
    yield connection
    connection.close()


def deliver_again(behind):
    """Old change files under new names, as a replication task that restarts may send them."""
    s3, bucket = behind.laptop.s3, behind.names.bronze_bucket
    listed = s3.list_objects_v2(Bucket=bucket, Prefix="h/things/").get("Contents", [])
    changes = sorted(o["Key"] for o in listed if not is_load_file(o["Key"].rsplit("/", 1)[-1]))
    newest = changes[-1].rsplit("/", 1)[-1].removesuffix(".parquet")
    for number, key in enumerate(changes[:3]):
        again = f"h/things/{newest[:-3]}{999 - number}.parquet"
        if again > changes[-1]:
            s3.copy_object(Bucket=bucket, Key=again, CopySource={"Bucket": bucket, "Key": key})
    return min(3, len(changes))


@settings(
    max_examples=1, deadline=None, phases=[Phase.generate], suppress_health_check=list(HealthCheck), derandomize=True
)
@given(seeds=st.lists(st.integers(0, 2**32 - 1), min_size=150, max_size=250, unique=True))
def test_silver_is_the_contract_applied_to_mysql_after_any_history(project, behind, connection, seeds):
    histories = [history_of(seed) for seed in seeds]
    with connection.cursor() as cursor:
        cursor.execute("create database if not exists h")
        cursor.execute("show tables from h like 'things'")
        if cursor.fetchone():
            cursor.execute("delete from h.things")
        else:
            cursor.execute(DDL)
    run_share(connection, histories, 0, 3)
    first = project.json("run")
    run_share(connection, histories, 1, 3)
    project.json("run")
    assert deliver_again(behind) > 0
    project.call("reload", "things")
    run_share(connection, histories, 2, 3)
    last = project.json("run")
    assert first["steps"]["reconcile"]["outcome"]["agree"]
    assert last["steps"]["reconcile"]["outcome"]["agree"]
    numbers = last["steps"]["reconcile"]["outcome"]["tables"][0]
    with connection.cursor() as cursor:
        cursor.execute("select count(*) from h.things")
        (rows,) = cursor.fetchone()
    assert numbers["layers"]["mysql"]["rows"] == rows
    assert numbers["layers"]["silver"]["rows"] + numbers["rows_in_quarantine"] == rows
    assert numbers["rows_in_quarantine"] > 0, "some drawn rows are dirty"
