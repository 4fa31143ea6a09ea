"""What is taken, refused, found and tagged: by DMS's names and faults."""

import json

import boto3
import pytest
from botocore.exceptions import ClientError
from shoplake_core.names import LOCAL_ACCOUNT

from .conftest import S3_SETTINGS, SECRET, TASK_SETTINGS, mappings

TARGET = {"EndpointIdentifier": "new", "EndpointType": "target", "EngineName": "s3"}
SOURCE = {"EndpointIdentifier": "new", "EndpointType": "source", "EngineName": "mysql"}


def _target(role, **changes):
    settings = {**S3_SETTINGS, "ServiceAccessRoleArn": role, **changes}
    return {**TARGET, "S3Settings": {name: value for name, value in settings.items() if value is not None}}


@pytest.mark.parametrize(
    ("changes", "code", "named"),
    [
        ({"BucketName": None}, "ValidationException", "BucketName"),
        ({"ServiceAccessRoleArn": None}, "ValidationException", "ServiceAccessRoleArn"),
        ({"CdcInsertsOnly": True, "CdcInsertsAndUpdates": True}, "ValidationException", "CdcInsertsAndUpdates"),
        ({"PreserveTransactions": True}, "ValidationException", "CdcPath"),
        ({"EncryptionMode": "sse-kms"}, "ValidationException", "ServerSideEncryptionKmsKeyId"),
        ({"CompressionType": "zip"}, "ValidationException", "CompressionType"),
        ({"ExpectedBucketOwner": "1" * 12}, "ValidationException", "ExpectedBucketOwner"),
        ({"DataFormat": None}, "NotImplemented", 'DataFormat "csv"'),
        ({"UseTaskStartTimeForFullLoadTimestamp": None}, "NotImplemented", "UseTaskStartTimeForFullLoadTimestamp"),
        ({"CdcInsertsOnly": True}, "NotImplemented", "CdcInsertsOnly"),
        ({"TimestampColumnName": None}, "NotImplemented", "TimestampColumnName"),
        ({"MaxFileSize": 1}, "NotImplemented", "MaxFileSize"),
        ({"ServiceAccessRoleArn": "arn:aws:iam::0:role/x"}, "AccessDeniedFault", "role/x"),
    ],
)
def test_an_s3_target_that_would_be_written_otherwise_is_refused(laptop, changes, code, named):
    assert named in laptop.refused(code, "create_endpoint", **_target(laptop.role_arn, **changes))


@pytest.mark.parametrize(
    ("members", "code", "named"),
    [
        ({}, "ValidationException", "SecretsManagerSecretId"),
        ({"Username": "u", "Password": "p"}, "NotImplemented", "secret"),
        ({"SslMode": "require"}, "NotImplemented", "SslMode"),
        ({"EngineName": "oracle"}, "NotImplemented", "oracle"),
        ({"MySQLSettings": {"SecretsManagerSecretId": SECRET}}, "ValidationException", "SecretsManagerAccessRoleArn"),
        ({"S3Settings": S3_SETTINGS}, "ValidationException", "S3Settings"),
        ({"EndpointIdentifier": "two--hyphens"}, "ValidationException", "EndpointIdentifier"),
        ({"EndpointIdentifier": "shop-source"}, "ResourceAlreadyExistsFault", "shop-source"),
    ],
)
def test_a_source_is_refused(laptop, members, code, named):
    secret = {"SecretsManagerSecretId": SECRET, "SecretsManagerAccessRoleArn": laptop.role_arn}
    login = {"MySQLSettings": secret} if "EndpointIdentifier" in members else {}
    assert named in laptop.refused(code, "create_endpoint", **(SOURCE | login | members))
    if "Username" in members:
        message = laptop.refused("ValidationException", "create_endpoint", **(SOURCE | members), MySQLSettings=secret)
        assert "not both" in message


@pytest.mark.parametrize(
    ("changes", "code", "named"),
    [
        ({"ReplicationTaskIdentifier": "SHOP"}, "ResourceAlreadyExistsFault", "SHOP"),
        ({"ReplicationTaskIdentifier": "1"}, "ValidationException", "ReplicationTaskIdentifier"),
        ({"MigrationType": "full-load"}, "NotImplemented", "full-load"),
        ({"TableMappings": "no json"}, "ValidationException", "TableMappings"),
        ({"TableMappings": mappings()}, "ValidationException", "include"),
        ({"ReplicationTaskSettings": "{}"}, "NotImplemented", "TargetTablePrepMode"),
        ({"ReplicationTaskSettings": json.dumps({"Loging": {}})}, "ValidationException", "Loging"),
        (
            {"ReplicationTaskSettings": json.dumps(TASK_SETTINGS | {"ValidationSettings": {"EnableValidation": True}})},
            "NotImplemented",
            "EnableValidation",
        ),
        ({"CdcStartPosition": "x"}, "NotImplemented", "CdcStartPosition"),
        ({"ReplicationInstanceArn": "arn:aws:dms:x"}, "ResourceNotFoundFault", "arn:aws:dms:x"),
        ({"SourceEndpointArn": "target"}, "ValidationException", "SourceEndpointArn"),
    ],
)
def test_a_task_is_refused(laptop, changes, code, named):
    parameters = laptop.task_parameters("new") | changes
    if parameters["SourceEndpointArn"] == "target":
        parameters["SourceEndpointArn"] = laptop.target
    assert named in laptop.refused(code, "create_replication_task", **parameters)


def test_settings_of_a_task_are_shown_whole_with_what_was_given(laptop):
    task = laptop.described()
    settings = json.loads(task["ReplicationTaskSettings"])
    assert settings["FullLoadSettings"] | {"TargetTablePrepMode": "DO_NOTHING"} == settings["FullLoadSettings"]
    assert (settings["FullLoadSettings"]["CommitRate"], settings["Logging"]["EnableLogging"]) == (10000, False)
    assert json.loads(task["TableMappings"]) == json.loads(mappings("customers", "notes", "orders"))
    small = laptop.dms.describe_replication_tasks(WithoutSettings=True)["ReplicationTasks"]
    assert [one["ReplicationTaskArn"] for one in small] == [laptop.task]
    assert "TableMappings" not in small[0]


@pytest.mark.parametrize(
    ("call", "member", "name"),
    [
        ("replication_tasks", "ReplicationTasks", "endpoint-arn"),
        ("replication_instances", "ReplicationInstances", "replication-instance-id"),
        ("replication_subnet_groups", "ReplicationSubnetGroups", "replication-subnet-group-id"),
        ("endpoints", "Endpoints", "engine-name"),
    ],
)
def test_filters_find_or_say_that_nothing_is_there(laptop, call, member, name):
    wanted = {"endpoint-arn": laptop.target, "engine-name": "s3"}.get(name, "shop")
    found = getattr(laptop.dms, f"describe_{call}")(Filters=[{"Name": name, "Values": ["none", wanted]}])[member]
    assert len(found) == 1
    laptop.refused("ResourceNotFoundFault", f"describe_{call}", Filters=[{"Name": name, "Values": ["none"]}])
    message = laptop.refused("ValidationException", f"describe_{call}", Filters=[{"Name": "x", "Values": ["y"]}])
    assert name in message
    assert "MaxRecords" in laptop.refused("ValidationException", f"describe_{call}", MaxRecords=19)


def test_pages_hold_every_endpoint_once(laptop):
    made = [
        laptop.dms.create_endpoint(**(_target(laptop.role_arn) | {"EndpointIdentifier": f"page-{n}"}))["Endpoint"]
        for n in range(20)
    ]
    pages = list(laptop.dms.get_paginator("describe_endpoints").paginate(PaginationConfig={"PageSize": 20}))
    assert [len(one["Endpoints"]) for one in pages] == [20, 2]
    assert len({one["EndpointArn"] for page in pages for one in page["Endpoints"]}) == 22
    laptop.refused("ValidationException", "describe_endpoints", Marker="x")
    for endpoint in made:
        deleted = laptop.dms.delete_endpoint(EndpointArn=endpoint["EndpointArn"])["Endpoint"]
        assert deleted["Status"] == "deleting"
    laptop.until(lambda: len(laptop.dms.describe_endpoints()["Endpoints"]), lambda left: left == 2)


def test_arns_and_tags_have_the_form_of_aws(laptop):
    start = f"arn:aws:dms:{laptop.aws.region}:{LOCAL_ACCOUNT}:"
    group = f"{start}subgrp:shop"
    words = {laptop.instance: "rep", laptop.source: "endpoint", laptop.target: "endpoint", laptop.task: "task"}
    for arn, word in words.items():
        assert arn.startswith(f"{start}{word}:")
        assert len(arn.rpartition(":")[2]) == 26
    laptop.dms.add_tags_to_resource(ResourceArn=group, Tags=[{"Key": "a", "Value": "1"}, {"Key": "b", "Value": "2"}])
    laptop.dms.remove_tags_from_resource(ResourceArn=group, TagKeys=["a"])
    tags = laptop.dms.list_tags_for_resource(ResourceArnList=[group, laptop.task])["TagList"]
    assert [(one["ResourceArn"], one["Key"], one["Value"]) for one in tags] == [
        (group, "b", "2"),
        (laptop.task, "Environment", "dev"),
    ]
    laptop.refused("ResourceNotFoundFault", "list_tags_for_resource", ResourceArn=f"{start}task:NONE")
    own = laptop.dms.create_endpoint(**_target(laptop.role_arn), ResourceIdentifier="mine")["Endpoint"]["EndpointArn"]
    assert own == f"{start}endpoint:mine"
    laptop.dms.delete_endpoint(EndpointArn=own)


def test_a_role_may_start_what_is_tagged_for_it(laptop):
    tagged = {"StringEquals": {"aws:ResourceTag/Environment": "dev"}}
    statement = {"Effect": "Allow", "Action": "dms:StartReplicationTask", "Resource": "*", "Condition": tagged}
    arn = laptop.role("machine", "states.amazonaws.com")
    document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    laptop.client("iam").put_role_policy(RoleName="machine", PolicyName="own", PolicyDocument=document)
    trust = {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{LOCAL_ACCOUNT}:root"}, "Action": "sts:AssumeRole"}
    trust = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    laptop.client("iam").update_assume_role_policy(RoleName="machine", PolicyDocument=trust)
    pair = laptop.client("sts").assume_role(RoleArn=arn, RoleSessionName="test")["Credentials"]
    dms = boto3.session.Session().client(
        "dms",
        endpoint_url=laptop.aws.url,
        region_name=laptop.aws.region,
        aws_access_key_id=pair["AccessKeyId"],
        aws_secret_access_key=pair["SecretAccessKey"],
        aws_session_token=pair["SessionToken"],
    )
    for value, code in (("dev", "InvalidResourceStateFault"), ("prod", "AccessDeniedException")):
        tags = [{"Key": "Environment", "Value": value}]
        laptop.dms.add_tags_to_resource(ResourceArn=laptop.task, Tags=tags)
        with pytest.raises(ClientError) as raised:  # allowed, it is refused for its state only
            dms.start_replication_task(ReplicationTaskArn=laptop.task, StartReplicationTaskType="resume-processing")
        assert raised.value.response["Error"]["Code"] == code


def test_what_is_not_there_is_answered_with_501(laptop):
    laptop.refused("NotImplemented", "describe_replication_configs")
    instance = {"ReplicationInstanceIdentifier": "other", "ReplicationInstanceClass": "dms.t3.medium"}
    laptop.refused("ValidationException", "create_replication_instance", **instance)
    group = {"ReplicationSubnetGroupIdentifier": "shop"}
    laptop.refused("NotImplemented", "create_replication_instance", **instance, **group, DnsNameServers="x")
    laptop.refused(
        "ValidationException", "create_replication_instance", **(instance | {"ReplicationInstanceClass": "x"}), **group
    )


def test_an_instance_and_its_subnet_group_may_be_changed(laptop):
    arn = {"ReplicationInstanceArn": laptop.instance}
    changed = laptop.dms.modify_replication_instance(**arn, AllocatedStorage=60, ApplyImmediately=True)
    assert changed["ReplicationInstance"]["ReplicationInstanceStatus"] == "modifying"
    laptop.refused("InvalidResourceStateFault", "modify_replication_instance", **arn, AllocatedStorage=70)
    laptop.wait("replication_instance_available", "replication-instance-arn", laptop.instance)
    described = laptop.dms.describe_replication_instances()["ReplicationInstances"][0]
    assert (described["AllocatedStorage"], described["ReplicationInstanceIdentifier"]) == (60, "shop")
    assert len(described["ReplicationSubnetGroup"]["Subnets"]) == 2
    group = {"ReplicationSubnetGroupIdentifier": "shop", "ReplicationSubnetGroupDescription": "changed"}
    laptop.dms.modify_replication_subnet_group(**group, SubnetIds=laptop.subnets)
    found = laptop.dms.describe_replication_subnet_groups()["ReplicationSubnetGroups"][0]
    assert found["ReplicationSubnetGroupDescription"] == "changed"
    laptop.refused("InvalidSubnet", "modify_replication_subnet_group", **group, SubnetIds=["subnet-0", *laptop.subnets])
