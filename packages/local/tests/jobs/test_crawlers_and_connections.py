"""Crawlers run the real crawl; connections are kept."""

import io
import time
import uuid

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from shoplake_local.service import ServiceError


def _crawler(glue, **changes):
    return {
        "Name": "bronze",
        "Role": "crawler",
        "DatabaseName": f"b_{uuid.uuid4().hex[:10]}",
        "Targets": {"S3Targets": [{"Path": f"s3://{glue.bucket}/"}]},
    } | changes


def _crawled(glue):
    glue.call("StartCrawler", Name="bronze")
    until = time.monotonic() + 20
    while (crawler := glue.call("GetCrawler", Name="bronze")["Crawler"])["State"] != "READY":
        assert time.monotonic() < until
        time.sleep(0.05)
    return crawler["LastCrawl"]


def test_a_crawl_fills_the_catalogue_and_says_how_it_went(glue):
    crawler = _crawler(glue)
    glue.call("CreateCrawler", **crawler)
    buffer = io.BytesIO()
    pq.write_table(pa.table({"id": [1]}), buffer)
    glue.put("shop/orders/LOAD00000001.parquet", buffer.getvalue())
    assert _crawled(glue)["Status"] == "SUCCEEDED"
    front = glue.aws.client("glue")  # the crawl writes the catalogue of the front that it was told of
    assert [t["Name"] for t in front.get_tables(DatabaseName=crawler["DatabaseName"])["TableList"]] == ["shop__orders"]
    glue.put("shop/orders/LOAD00000002.parquet", b"no parquet")
    failed = _crawled(glue)
    assert failed["Status"] == "FAILED"
    assert "shop__orders" in failed["ErrorMessage"]


def test_a_crawl_that_a_kill_ended_has_failed(glue):
    glue.call("CreateCrawler", **_crawler(glue))
    documents = glue.service._runtime._documents
    crawler = documents.get("Crawler", "bronze")
    documents.put("Crawler", "bronze", crawler | {"State": "RUNNING"})
    documents.put("crawl", "bronze", {"started_at": 1.0})
    for operation in ("StartCrawler", "DeleteCrawler"):
        with pytest.raises(ServiceError, match="CrawlerRunningException"):
            glue.call(operation, Name="bronze")
    glue.service.close()
    glue.open()
    found = glue.call("GetCrawler", Name="bronze")["Crawler"]
    assert (found["State"], found["LastCrawl"]["Status"]) == ("READY", "FAILED")


def test_crawlers_are_updated_and_deleted(glue):
    glue.call("CreateCrawler", **_crawler(glue))
    with pytest.raises(ServiceError, match="AlreadyExistsException"):
        glue.call("CreateCrawler", **_crawler(glue))
    glue.call("UpdateCrawler", Name="bronze", Description="new")
    found = glue.call("GetCrawler", Name="bronze")["Crawler"]
    assert (found["Description"], found["Version"], found["Role"]) == ("new", 2, "crawler")
    glue.call("DeleteCrawler", Name="bronze")
    with pytest.raises(ServiceError, match="EntityNotFoundException"):
        glue.call("StartCrawler", Name="bronze")


@pytest.mark.parametrize(
    "change",
    [
        {"Schedule": "cron(0 1 * * ? *)"},
        {"TablePrefix": "x_"},
        {"Targets": {"DynamoDBTargets": [{"Path": "t"}]}},
        {"Targets": {"S3Targets": [{"Path": "s3://b/folder/"}]}},
    ],
    ids=["schedule", "prefix", "dynamodb", "folder"],
)
def test_what_the_local_crawl_does_not_do_is_refused(glue, change):
    with pytest.raises(ServiceError, match="NotImplemented"):
        glue.call("CreateCrawler", **_crawler(glue, **change))


def test_a_network_connection_is_kept_replaced_and_deleted(glue):
    place = {"SubnetId": "subnet-1", "SecurityGroupIdList": ["sg-1"], "AvailabilityZone": "eu-central-1a"}
    given = {
        "Name": "net",
        "ConnectionType": "NETWORK",
        "ConnectionProperties": {},
        "PhysicalConnectionRequirements": place,
    }
    glue.call("CreateConnection", ConnectionInput=given)
    with pytest.raises(ServiceError, match="AlreadyExistsException"):
        glue.call("CreateConnection", ConnectionInput=given)
    moved = given | {"PhysicalConnectionRequirements": place | {"SubnetId": "subnet-2"}}
    glue.call("UpdateConnection", Name="net", ConnectionInput=moved)
    found = glue.call("GetConnection", Name="net")["Connection"]
    assert found["PhysicalConnectionRequirements"]["SubnetId"] == "subnet-2"
    glue.call("DeleteConnection", ConnectionName="net")
    with pytest.raises(ServiceError, match="EntityNotFoundException"):
        glue.call("GetConnection", Name="net")
    with pytest.raises(ServiceError, match="NotImplemented"):
        glue.call("CreateConnection", ConnectionInput=given | {"ConnectionType": "JDBC"})
