"""A new source from nothing on the local AWS: the real function, as its own role, prepares a real server; the shop then lives there."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from shoplake_core.clock import SystemClock
from shoplake_core.endpoints import MySqlEndpoint
from shoplake_core.masking import masking_key_from_hex
from shoplake_core.names import LOCAL_ACCOUNT, JobName, ResourceNames
from shoplake_core.project import project_from_folder
from shoplake_datagen.load import run_load
from shoplake_datagen.seeding import seed
from shoplake_engines.testing import mysql_server  # noqa: F401
from shoplake_functions.source_doctor import examine_source
from shoplake_infra.applying import apply
from shoplake_infra.artifacts.code_artifacts import ArtifactBuilder, job_script, project_bundle
from shoplake_infra.artifacts.platforms import this_platform
from shoplake_infra.artifacts.stored_file import CodeArtifacts
from shoplake_infra.aws import Aws
from shoplake_infra.database import SourceSettings
from shoplake_infra.environment import desired_environment
from shoplake_infra.planning import plan, plan_destroy
from shoplake_infra.settings import EnvironmentSettings
from shoplake_local.testing import local_aws, object_store, postgres_server  # noqa: F401
from shoplake_mysql.connections import connect, execute, fetch_all
from shoplake_mysql.marker import commit_marker
from shoplake_reconciliation.source_side import read_source

ROOT = Path(__file__).parents[1]
NAMES = ResourceNames("new-source", LOCAL_ACCOUNT, "eu-central-1")
PREPARATION = f"source_preparation {NAMES.prefix}-source"


@pytest.fixture
def aws(local_aws):  # noqa: F811
    class ShortWaits(SystemClock):
        def sleep(self, seconds):
            super().sleep(min(seconds, 0.05))

    return Aws(local_aws.endpoint, clock=ShortWaits())


@pytest.fixture(scope="module")
def project():
    return project_from_folder(ROOT / "shop")


@pytest.fixture
def desired(project, tmp_path):
    """The preparation and all that it needs, with the functions' real zip."""
    artifacts = CodeArtifacts(
        function_zip=ArtifactBuilder(tmp_path, at=this_platform(), all_modules=False).function_zip(),
        job_wheels=dict.fromkeys(JobName, ()),
        job_scripts={job: job_script(job) for job in JobName},
        project_bundle=project_bundle(project, tmp_path),
    )
    settings = EnvironmentSettings(
        source_host="", source_user="capture", new_source=SourceSettings(), simulated_shop=True, on_loopback=True
    )
    everything = {one.address: one for one in desired_environment("shop", NAMES, settings, artifacts=artifacts)}
    needed, waiting = set(), [PREPARATION]
    while waiting:
        address = waiting.pop()
        if address not in needed:
            needed.add(address)
            waiting += everything[address].needs
    return tuple(one for address, one in everything.items() if address in needed)


def told_where_it_is(aws, at):
    """What moto's RDS cannot give: a server behind the instance. Its administrator is the instance's."""
    (instance,) = aws.client("rds").describe_db_instances(DBInstanceIdentifier=f"{NAMES.prefix}-source")["DBInstances"]
    secrets = aws.client("secretsmanager")
    kept = json.loads(secrets.get_secret_value(SecretId=instance["MasterUserSecret"]["SecretArn"])["SecretString"])
    connection = connect(at)
    execute(connection, "CREATE OR REPLACE USER %s@'%%' IDENTIFIED BY %s", (kept["username"], kept["password"]))
    execute(connection, "GRANT ALL ON *.* TO %s@'%%' WITH GRANT OPTION", (kept["username"],))
    connection.close()
    login = json.loads(secrets.get_secret_value(SecretId=NAMES.source_secret)["SecretString"])
    login |= {"host": at.host, "port": at.port}
    secrets.put_secret_value(SecretId=NAMES.source_secret, SecretString=json.dumps(login))
    return MySqlEndpoint(host=at.host, port=at.port, user=login["username"], password=login["password"])


def test_a_new_server_is_prepared_by_its_own_function_and_the_shop_lives_there(aws, desired, project, mysql_server):  # noqa: F811
    apply(plan(tuple(one for one in desired if one.address != PREPARATION), aws), aws)
    login = told_where_it_is(aws, mysql_server.endpoint)
    planned = plan(desired, aws)
    assert [change.resource.address for change in planned.changes] == [PREPARATION]
    apply(planned, aws)
    assert plan(desired, aws).changes == ()

    for _ in range(2):
        seed(login, orders=60, reference_time=datetime(2026, 1, 31, 12, tzinfo=UTC), replace=True)
    assert run_load(login, rate=30, seconds=1).completed > 0
    checks = examine_source(login, project.silver, schema="shop")
    assert [check for check in checks if not check.ok or (check.name == "rights" and check.hint)] == []
    reading = read_source(
        login, list(project.silver.values()), schema="shop", masking_key=masking_key_from_hex("ab" * 32)
    )
    assert reading.position
    connection = connect(login)
    commit_marker(connection, "a")
    connection.close()

    administrator = connect(mysql_server.endpoint)
    execute(administrator, "GRANT CREATE USER ON *.* TO %s@'%%'", (login.user,))
    (drift,) = plan(desired, aws).changes
    assert [(c.path, c.new) for c in drift.changes] == [(("missing",), [])]
    apply(plan(desired, aws), aws)
    assert plan(desired, aws).changes == ()
    apply(plan_destroy(desired, aws), aws)
    assert fetch_all(administrator, "SELECT 1 FROM mysql.user WHERE user = %s", (login.user,)) == []
    assert fetch_all(administrator, "SELECT COUNT(*) FROM shop.orders")[0][0] >= 60
    administrator.close()
