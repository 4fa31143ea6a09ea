"""From shoplake.toml to what infra is asked for, in an account that moto plays."""

from datetime import UTC, datetime

import boto3
import pytest
from moto import mock_aws
from shoplake.cloud import Cloud
from shoplake.estate import _settings
from shoplake.workspace import open_workspace
from shoplake_core.clock import SkipClock
from shoplake_core.endpoints import AwsEndpoint
from shoplake_core.errors import ConfigError, ResourceError
from shoplake_core.names import ResourceNames
from shoplake_infra.artifacts.platforms import Target
from shoplake_infra.aws import Aws

REGION = "eu-central-1"
CONTRACT = 'grain = "one row per order"\nkey = ["order_id"]\n[columns.order_id]\ntype = "uint64"\n'
CREDENTIALS = {"aws_access_key_id": "AKIDTEST", "aws_secret_access_key": "test"}


@pytest.fixture
def settings(tmp_path, monkeypatch):
    monkeypatch.setenv("MOTO_ACCOUNT_ID", "123456789012")
    (tmp_path / "contracts/silver").mkdir(parents=True)
    (tmp_path / "contracts/silver/orders.toml").write_text(CONTRACT)
    clock = SkipClock(datetime(2026, 11, 25, tzinfo=UTC))

    def made(text, target=Target.AWS):
        (tmp_path / "shoplake.toml").write_text(text)
        workspace = open_workspace(project=tmp_path, start=tmp_path, environment={})
        endpoint = AwsEndpoint(url=None, region=REGION, access_key_id="AKIDTEST", secret_access_key="test")
        names = ResourceNames("dev", "123456789012", REGION)
        return _settings(Cloud(workspace, target, names, Aws(endpoint, clock=clock), clock), dashboards=False)

    with mock_aws():
        yield made


def test_a_new_instance_is_as_large_as_the_file_says_and_its_way_in_is_tested(settings):
    text = '[source]\nnew_rds_instance = true\ninstance_class = "db.t4g.micro"\nstorage_gib = 20\nbinlog_hours = 24\n'
    found = settings(f"{text}[shop]\nsimulated = true\nevery_minutes = 5")
    shape = found.new_source.shape
    assert (shape.class_name, shape.storage_gib, shape.most_storage_gib) == ("db.t4g.micro", 20, 200)
    assert found.new_source.binlog_retention_hours == 24
    assert found.replication.test_connections
    assert (found.simulated_shop, found.shop_every_minutes) == (True, 5)
    assert settings(text, target=Target.LOCAL).new_source is None


def test_an_instance_that_is_there_is_examined_and_gives_its_address(settings):
    rds = boto3.client("rds", region_name=REGION, **CREDENTIALS)
    given = {"Engine": "mysql", "DBInstanceClass": "db.t4g.micro", "AllocatedStorage": 20, "MasterUsername": "a"}
    rds.create_db_instance(
        DBInstanceIdentifier="shop-prod", MasterUserPassword="password", BackupRetentionPeriod=7, Port=3307, **given
    )
    found = settings('[source]\nrds_instance = "shop-prod"')
    assert (found.source_host.partition(".")[0], found.source_port) == ("shop-prod", 3307)
    assert (found.new_source, found.replication.test_connections) == (None, False), "its owner makes the user"
    with pytest.raises(ResourceError, match="there is none in eu-central-1"):
        settings('[source]\nrds_instance = "shop-test"')
    with pytest.raises(ConfigError, match="no source is named"):
        settings("")
