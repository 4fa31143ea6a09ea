import pytest
from shoplake_core.errors import ResourceError
from shoplake_infra.existing_source import existing_source

NAME = "the-shops-own"


@pytest.fixture
def server(aws):
    """Somebody else's MySQL, fit for capture."""
    rds = aws.client("rds")
    rds.create_db_parameter_group(DBParameterGroupName=NAME, DBParameterGroupFamily="mysql8.0", Description="theirs")
    instance = {"DBInstanceClass": "db.m6g.large", "MasterUsername": "root", "MasterUserPassword": "not-our-affair"}
    rds.create_db_instance(
        DBInstanceIdentifier=NAME,
        Engine="mysql",
        AllocatedStorage=50,
        BackupRetentionPeriod=3,
        DBParameterGroupName=NAME,
        **instance,
    )
    set_parameters(rds, binlog_format="ROW", binlog_row_image="full")
    return rds


def set_parameters(rds, **values):
    rds.modify_db_parameter_group(
        DBParameterGroupName=NAME,
        Parameters=[{"ParameterName": n, "ParameterValue": v, "ApplyMethod": "immediate"} for n, v in values.items()],
    )


def test_a_fit_server_is_told_and_nothing_is_written(aws, calls, server):
    calls.reset()
    found = existing_source(NAME, aws)
    assert (found.identifier, found.engine, found.port) == (NAME, "mysql", 3306)
    assert found.host.startswith(NAME)
    assert calls.writes == []


def test_every_fault_is_named_at_once(aws, server):
    set_parameters(server, binlog_format="MIXED", binlog_row_image="minimal", binlog_transaction_compression="1")
    set_parameters(server, require_secure_transport="1")
    server.modify_db_instance(DBInstanceIdentifier=NAME, BackupRetentionPeriod=0, ApplyImmediately=True)
    with pytest.raises(ResourceError, match="is not fit for change capture") as failure:
        existing_source(NAME, aws)
    assert [fault.split(" is ")[0].split(" are ")[0] for fault in failure.value.faults] == [
        "automated backups",
        "binlog_format",
        "binlog_row_image",
        "binlog_transaction_compression",
        "require_secure_transport",
    ]


def test_another_engine_and_an_unknown_name_are_refused(aws, server):
    server.create_db_instance(
        DBInstanceIdentifier="pg",
        Engine="postgres",
        DBInstanceClass="db.m6g.large",
        AllocatedStorage=50,
        BackupRetentionPeriod=1,
        MasterUsername="root",
        MasterUserPassword="not-our-affair",
    )
    with pytest.raises(ResourceError, match='engine is "postgres"'):
        existing_source("pg", aws)
    with pytest.raises(ResourceError, match="there is none in eu-central-1"):
        existing_source("nowhere", aws)
