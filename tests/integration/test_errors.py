"""Bad input: one screen that names the thing and the next step, and nothing half-done."""

import socket

import pytest


def told(done, code, *words):
    """The command ended with that exit code, without a traceback, and said every word, the next step last."""
    assert done.returncode == code, done.stderr
    assert "Traceback" not in done.stderr
    assert "error[" in done.stderr
    for word in words:
        assert word in done.stderr, done.stderr
    assert "next:" in done.stderr.strip().splitlines()[-1]


def edit(shoplake, path, old, new):
    file = shoplake.folder / path
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new, 1))


def test_an_unknown_table_in_the_configuration_is_named_with_the_nearest(shoplake):
    with (shoplake.folder / "shoplake.toml").open("a") as file:
        file.write('\n[tables]\ninclude = ["oders"]\n')
    told(shoplake.call("run", check=False), 2, "oders", 'did you mean "orders"')


def test_an_unknown_setting_is_named_with_its_path(shoplake):
    edit(shoplake, "shoplake.toml", "time_zone", "timezone")
    told(shoplake.call("up", check=False), 2, "store.timezone", 'did you mean "store.time_zone"')


def test_a_column_type_that_no_contract_knows_is_named(shoplake):
    edit(shoplake, "contracts/silver/orders.toml", 'type = "uint64"', 'type = "uuid"')
    told(shoplake.call("up", check=False), 2, "contracts/silver/orders.toml", "columns.order_id.type", "uuid")


def test_an_unreachable_mysql_is_named_by_host_and_port(shoplake):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"mysql://u:secret@127.0.0.1:{taken.getsockname()[1]}"
        done = shoplake.call("seed", check=False, SHOPLAKE_MYSQL_URL=url)
    told(done, 4, "127.0.0.1")
    assert "secret" not in done.stderr


def test_a_wrong_password_is_exit_code_3_and_never_printed(running_shop):
    port = next(s["port"] for s in running_shop.json("status")["servers"] if s["name"] == "mysql")
    done = running_shop.call("load", check=False, SHOPLAKE_MYSQL_URL=f"mysql://shoplake:notmypassword@127.0.0.1:{port}")
    told(done, 3)
    assert "notmypassword" not in done.stderr


def test_a_url_that_is_none_is_refused_without_its_password(shoplake):
    done = shoplake.call("up", check=False, SHOPLAKE_MYSQL_URL="postgres://u:hunter2@h")
    told(done, 2, "mysql://user:password@host:port")
    assert "hunter2" not in done.stderr


def test_reload_of_a_table_without_contract_names_the_nearest(running_shop):
    told(running_shop.call("reload", "order", check=False), 2, 'did you mean "orders"')


def test_seeding_a_shop_that_holds_rows_is_refused(running_shop):
    told(running_shop.call("seed", check=False), 2, "not empty")


def test_no_project_here_says_which_flag_names_one(shoplake, tmp_path):
    (tmp_path / "empty").mkdir()
    shoplake.folder = tmp_path / "empty"
    told(shoplake.call("status", check=False), 2, "shoplake.toml")


@pytest.mark.parametrize(
    ("statement", "words"),
    [
        pytest.param(
            "alter table shop.refunds modify refund_id bigint unsigned not null, drop primary key",
            ("refunds", "primary key"),
            id="no-primary-key",
        ),
        pytest.param("truncate table shop.refunds", ("refunds", "truncated"), id="truncated"),
    ],
)
def test_what_cannot_be_replicated_stops_the_table_by_name(shoplake, inside, statement, words):
    shoplake.call("seed", "--orders", "50")
    if "truncate" in statement:
        shoplake.call("run")
    connection = inside(shoplake).mysql()
    with connection.cursor() as cursor:
        cursor.execute(statement)
    connection.close()
    told(shoplake.call("run", check=False), 1, *words)


def test_an_account_without_credentials_is_exit_code_3_with_the_next_step(shoplake, tmp_path):
    nowhere = {"AWS_CONFIG_FILE": str(tmp_path / "none"), "AWS_SHARED_CREDENTIALS_FILE": str(tmp_path / "none")}
    for command in (["plan"], ["run"], ["runs", "list"]):
        done = shoplake.call(*command, "--target", "aws", check=False, AWS_EC2_METADATA_DISABLED="true", **nowhere)
        told(done, 3, "no AWS credentials")


def test_without_a_terminal_apply_names_the_flag_to_pass(shoplake):
    told(shoplake.call("apply", check=False), 2, "--yes")
