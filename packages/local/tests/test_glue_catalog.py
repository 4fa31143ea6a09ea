"""The Data Catalog's operations, by AWS's names and errors, through boto3."""

import uuid
from datetime import UTC, datetime

import pytest
from botocore.exceptions import ClientError


@pytest.fixture
def glue(local_aws):
    return local_aws.client("glue")


@pytest.fixture
def database(glue):
    name = f"d_{uuid.uuid4().hex[:12]}"
    glue.create_database(DatabaseInput={"Name": name, "LocationUri": "s3://b/d/"})
    yield name
    glue.delete_database(Name=name)


def _refused(code):
    return pytest.raises(ClientError, match=rf"\({code}\)")


def _names(glue, database, **parameters):
    return [t["Name"] for t in glue.get_tables(DatabaseName=database, **parameters)["TableList"]]


def test_a_database_is_kept_as_given(glue, database):
    found = glue.get_database(Name=database.upper())["Database"]
    assert found["LocationUri"] == "s3://b/d/"
    assert found["CatalogId"] == "000000000000"
    glue.update_database(Name=database, DatabaseInput={"Name": database, "Description": "new"})
    found = glue.get_database(Name=database)["Database"]
    assert (found["Description"], "LocationUri" in found) == ("new", False)


def test_databases_have_awss_errors(glue, database):
    with _refused("AlreadyExistsException"):
        glue.create_database(DatabaseInput={"Name": database.upper()})
    for call in (glue.get_database, glue.delete_database):
        with _refused("EntityNotFoundException"):
            call(Name="no_such")
    with _refused("EntityNotFoundException"):
        glue.update_database(Name="no_such", DatabaseInput={"Name": "no_such"})
    with _refused("EntityNotFoundException"):
        glue.get_database(Name=database, CatalogId="123456789012")


def test_a_database_has_tags_that_go_with_it(glue):
    name = f"d_{uuid.uuid4().hex[:12]}"
    arn = f"arn:aws:glue:{glue.meta.region_name}:000000000000:database/{name}"
    glue.create_database(DatabaseInput={"Name": name}, Tags={"Layer": "gold", "Project": "shop"})
    glue.tag_resource(ResourceArn=arn, TagsToAdd={"Layer": "silver", "Owner": "me"})
    glue.untag_resource(ResourceArn=arn, TagsToRemove=["Project", "never"])
    assert glue.get_tags(ResourceArn=arn)["Tags"] == {"Layer": "silver", "Owner": "me"}
    with _refused("InvalidInputException"):
        glue.tag_resource(ResourceArn=arn, TagsToAdd={f"k{n}": "v" for n in range(49)})
    assert len(glue.get_tags(ResourceArn=arn)["Tags"]) == 2
    glue.delete_database(Name=name)
    with _refused("EntityNotFoundException"):
        glue.get_tags(ResourceArn=arn)
    glue.create_database(DatabaseInput={"Name": name})
    assert glue.get_tags(ResourceArn=arn)["Tags"] == {}
    glue.delete_database(Name=name)


def test_databases_come_in_pages(glue, database):
    paginator = glue.get_paginator("get_databases").paginate(PaginationConfig={"PageSize": 1})
    names = [found["Name"] for page in paginator for found in page["DatabaseList"]]
    assert database in names
    assert names == sorted(set(names))
    with _refused("InvalidInputException"):
        glue.get_databases(NextToken="nonsense")


def test_a_table_is_kept_as_given(glue, database):
    given = {
        "Name": "Orders",
        "Owner": "me",
        "LastAccessTime": datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC),
        "Retention": 3,
        "StorageDescriptor": {
            "Columns": [{"Name": "OrderTotal", "Type": "decimal(12,2)", "Comment": "ü"}],
            "Location": "s3://b/o/",
        },
        "PartitionKeys": [{"Name": "day", "Type": "date"}],
        "Parameters": {"table_type": "ICEBERG"},
        "TableType": "EXTERNAL_TABLE",
    }
    glue.create_table(DatabaseName=database, TableInput=given)
    found = glue.get_table(DatabaseName=database, Name="ORDERS")["Table"]
    assert {name: found[name] for name in given} == given | {"Name": "orders"}
    assert found["DatabaseName"] == database
    assert found["VersionId"] == "0"


def test_tables_have_awss_errors(glue, database):
    glue.create_table(DatabaseName=database, TableInput={"Name": "t"})
    with _refused("AlreadyExistsException"):
        glue.create_table(DatabaseName=database, TableInput={"Name": "T"})
    with _refused("EntityNotFoundException"):
        glue.create_table(DatabaseName="no_such", TableInput={"Name": "t"})
    for call in (glue.get_table, glue.delete_table):
        with _refused("EntityNotFoundException"):
            call(DatabaseName=database, Name="no_such")
        with _refused("EntityNotFoundException"):
            call(DatabaseName="no_such", Name="t")
    with _refused("EntityNotFoundException"):
        glue.update_table(DatabaseName=database, TableInput={"Name": "no_such"})
    with _refused("EntityNotFoundException"):
        glue.get_tables(DatabaseName="no_such")
    with _refused("InvalidInputException"):
        glue.get_tables(DatabaseName=database, Expression="(")


def test_an_update_replaces_and_counts(glue, database):
    glue.create_table(DatabaseName=database, TableInput={"Name": "t", "Parameters": {"a": "1", "b": "1"}})
    glue.update_table(
        DatabaseName=database, TableInput={"Name": "t", "Parameters": {"a": "2"}}, VersionId="0", SkipArchive=True
    )
    found = glue.get_table(DatabaseName=database, Name="t")["Table"]
    assert (found["VersionId"], found["Parameters"]) == ("1", {"a": "2"})
    assert len(glue.get_table_versions(DatabaseName=database, TableName="t")["TableVersions"]) == 1


@pytest.mark.parametrize("version", ["0", "2", "nonsense"], ids=["stale", "future", "invented"])
def test_an_update_from_another_version_changes_nothing(glue, database, version):
    glue.create_table(DatabaseName=database, TableInput={"Name": "t"})
    glue.update_table(DatabaseName=database, TableInput={"Name": "t", "Parameters": {"a": "1"}})
    with _refused("ConcurrentModificationException"):
        glue.update_table(DatabaseName=database, TableInput={"Name": "t", "Parameters": {"a": "2"}}, VersionId=version)
    assert glue.get_table(DatabaseName=database, Name="t")["Table"]["Parameters"] == {"a": "1"}


def test_versions_are_archived_unless_told_not_to(glue, database):
    glue.create_table(DatabaseName=database, TableInput={"Name": "t", "Parameters": {"n": "0"}})
    for number in range(1, 5):
        glue.update_table(
            DatabaseName=database, TableInput={"Name": "t", "Parameters": {"n": str(number)}}, SkipArchive=number == 3
        )
    pages = glue.get_paginator("get_table_versions").paginate(
        DatabaseName=database, TableName="t", PaginationConfig={"PageSize": 1}
    )
    versions = [(v["VersionId"], v["Table"]["Parameters"]["n"]) for page in pages for v in page["TableVersions"]]
    assert versions == [("4", "4"), ("3", "3"), ("1", "1"), ("0", "0")]
    assert glue.get_table_version(DatabaseName=database, TableName="t", VersionId="1")["TableVersion"]["Table"][
        "Parameters"
    ] == {"n": "1"}
    glue.delete_table_version(DatabaseName=database, TableName="t", VersionId="1")
    with _refused("EntityNotFoundException"):
        glue.get_table_version(DatabaseName=database, TableName="t", VersionId="1")
    with _refused("InvalidInputException"):
        glue.delete_table_version(DatabaseName=database, TableName="t", VersionId="4")


def test_tables_come_in_pages_and_by_expression(glue, database):
    for name in ("orders", "orders_archive", "customers"):
        glue.create_table(DatabaseName=database, TableInput={"Name": name})
    pages = glue.get_paginator("get_tables").paginate(DatabaseName=database, PaginationConfig={"PageSize": 2})
    assert [t["Name"] for page in pages for t in page["TableList"]] == ["customers", "orders", "orders_archive"]
    assert _names(glue, database, Expression="orders") == ["orders"]
    assert _names(glue, database, Expression="orders.*") == ["orders", "orders_archive"]
    assert _names(glue, database, Expression="customers|orders") == ["customers", "orders"]


def test_deleting_a_table_deletes_its_versions_and_partitions(glue, database):
    definition = {"Name": "t", "PartitionKeys": [{"Name": "day", "Type": "date"}]}
    glue.create_table(DatabaseName=database, TableInput=definition)
    glue.update_table(DatabaseName=database, TableInput=definition)
    glue.create_partition(DatabaseName=database, TableName="t", PartitionInput={"Values": ["2026-01-01"]})
    errors = glue.batch_delete_table(DatabaseName=database, TablesToDelete=["t", "no_such"])["Errors"]
    assert [(e["TableName"], e["ErrorDetail"]["ErrorCode"]) for e in errors] == [("no_such", "EntityNotFoundException")]
    glue.create_table(DatabaseName=database, TableInput=definition)
    assert glue.get_partitions(DatabaseName=database, TableName="t")["Partitions"] == []
    assert len(glue.get_table_versions(DatabaseName=database, TableName="t")["TableVersions"]) == 1


def test_partitions(glue, database):
    glue.create_table(
        DatabaseName=database, TableInput={"Name": "t", "PartitionKeys": [{"Name": "day", "Type": "string"}]}
    )
    at = {"DatabaseName": database, "TableName": "t"}
    inputs = [
        {"Values": [day], "StorageDescriptor": {"Location": f"s3://b/{day}/", "Columns": [{"Name": "a"}]}}
        for day in "cab"
    ]
    assert glue.batch_create_partition(**at, PartitionInputList=inputs)["Errors"] == []
    errors = glue.batch_create_partition(**at, PartitionInputList=[{"Values": ["a"]}, {"Values": ["x", "y"]}])["Errors"]
    assert [e["ErrorDetail"]["ErrorCode"] for e in errors] == ["AlreadyExistsException", "InvalidInputException"]
    with _refused("AlreadyExistsException"):
        glue.create_partition(**at, PartitionInput={"Values": ["a"]})
    pages = glue.get_paginator("get_partitions").paginate(**at, PaginationConfig={"PageSize": 2})
    assert [p["Values"] for page in pages for p in page["Partitions"]] == [["a"], ["b"], ["c"]]
    assert "Columns" not in glue.get_partitions(**at, ExcludeColumnSchema=True)["Partitions"][0]["StorageDescriptor"]
    glue.update_partition(**at, PartitionValueList=["a"], PartitionInput={"Values": ["d"], "Parameters": {"k": "v"}})
    assert glue.get_partition(**at, PartitionValues=["d"])["Partition"]["Parameters"] == {"k": "v"}
    with _refused("EntityNotFoundException"):
        glue.get_partition(**at, PartitionValues=["a"])
    found = glue.batch_get_partition(**at, PartitionsToGet=[{"Values": ["b"]}, {"Values": ["none"]}])
    assert [p["Values"] for p in found["Partitions"]] == [["b"]]
    glue.delete_partition(**at, PartitionValues=["b"])
    errors = glue.batch_delete_partition(**at, PartitionsToDelete=[{"Values": ["b"]}, {"Values": ["c"]}])["Errors"]
    assert [e["PartitionValues"] for e in errors] == [["b"]]
    with _refused("NotImplemented"):
        glue.get_partitions(**at, Expression="day = 'a'")


def test_deleting_a_database_deletes_its_tables(glue):
    glue.create_database(DatabaseInput={"Name": "whole"})
    glue.create_table(DatabaseName="whole", TableInput={"Name": "t"})
    glue.delete_database(Name="whole")
    glue.create_database(DatabaseInput={"Name": "whole"})
    assert _names(glue, "whole") == []
    glue.delete_database(Name="whole")
