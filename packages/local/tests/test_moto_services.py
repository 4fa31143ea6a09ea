"""The services that moto plays: behind strict validation, and still there after a kill."""

import json
import os
import signal
from concurrent.futures import ThreadPoolExecutor

import pytest
from botocore.exceptions import ClientError
from shoplake_core.names import LOCAL_ACCOUNT

_TRUST = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Principal": {"Service": "scheduler.amazonaws.com"}, "Action": "sts:AssumeRole"}
        ],
    }
)


def _code(call, **parameters):
    with pytest.raises(ClientError) as raised:
        call(**parameters)
    return raised.value.response["Error"]["Code"], raised.value.response


def test_wrong_parameters_never_reach_moto(local_aws):
    code, response = _code(local_aws.client("secretsmanager").create_secret, Name="a" * 600, SecretString="x")
    assert code == "ValidationException"
    assert "Name" in response["Error"]["Message"]


def test_an_operation_that_moto_lacks_is_not_implemented_in_the_services_own_form(local_aws):
    iam = local_aws.client("iam")
    code, response = _code(
        iam.simulate_custom_policy, PolicyInputList=['{"Statement": []}'], ActionNames=["s3:GetObject"]
    )
    assert code == "NotImplemented"
    assert response["ResponseMetadata"]["HTTPStatusCode"] == 501
    assert "SimulateCustomPolicy" in response["Error"]["Message"]


def test_errors_of_moto_keep_their_codes(local_aws):
    assert _code(local_aws.client("iam").get_role, RoleName="nobody")[0] == "NoSuchEntity"
    assert _code(local_aws.client("secretsmanager").get_secret_value, SecretId="none")[0] == "ResourceNotFoundException"


def test_aws_managed_policies_are_there(local_aws):
    arn = "arn:aws:iam::aws:policy/service-role/AWSGlueServiceRole"
    assert local_aws.client("iam").get_policy(PolicyArn=arn)["Policy"]["PolicyName"] == "AWSGlueServiceRole"


def test_every_service_plays_the_fronts_account_and_region(local_aws):
    topic = local_aws.client("sns").create_topic(Name="account-and-region")["TopicArn"]
    assert topic == f"arn:aws:sns:{local_aws.endpoint.region}:{LOCAL_ACCOUNT}:account-and-region"


def test_messages_travel_from_a_topic_to_a_queue(local_aws):
    sns, sqs = local_aws.client("sns"), local_aws.client("sqs")
    topic = sns.create_topic(Name="travel")["TopicArn"]
    queue = sqs.create_queue(QueueName="travel")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
    sent = {sns.publish(TopicArn=topic, Message="same")["MessageId"] for _ in range(2)}
    assert len(sent) == 2
    got = sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10)["Messages"]
    assert [json.loads(message["Body"])["Message"] for message in got] == ["same", "same"]


def test_who_waits_for_a_message_keeps_nobody_else_waiting(local_aws):
    sqs = local_aws.client("sqs")
    queue = sqs.create_queue(QueueName="waited-for")["QueueUrl"]
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(sqs.receive_message, QueueUrl=queue, WaitTimeSeconds=20)
        sqs.send_message(QueueUrl=queue, MessageBody="at last")
        assert [message["Body"] for message in waiting.result(timeout=10)["Messages"]] == ["at last"]
    assert "Messages" not in sqs.receive_message(QueueUrl=queue, WaitTimeSeconds=1)


def test_what_was_written_survives_a_kill_under_the_same_ids(local_aws):
    before = _written(local_aws)
    os.kill(local_aws.engine.status().pid, signal.SIGKILL)
    assert local_aws.engine.up() == local_aws.endpoint
    assert _read(local_aws, before) == before


def _written(aws):
    ec2, secrets, kms = aws.client("ec2"), aws.client("secretsmanager"), aws.client("kms")
    key = kms.create_key(Description="kept")["KeyMetadata"]["KeyId"]
    kms.create_alias(AliasName="alias/kept", TargetKeyId=key)
    vpc = ec2.create_vpc(CidrBlock="10.9.0.0/16")["Vpc"]["VpcId"]
    subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.9.1.0/24")["Subnet"]["SubnetId"]
    aws.client("iam").create_role(RoleName="kept", AssumeRolePolicyDocument=_TRUST)
    aws.client("iam").put_role_policy(
        RoleName="kept",
        PolicyName="p",
        PolicyDocument=json.dumps(
            {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sns:Publish", "Resource": "*"}]}
        ),
    )
    secrets.create_secret(Name="kept", SecretString="first", KmsKeyId=key)
    secrets.put_secret_value(SecretId="kept", SecretString="second")
    topic = aws.client("sns").create_topic(Name="kept")["TopicArn"]
    aws.client("scheduler").create_schedule(
        Name="kept",
        ScheduleExpression="rate(5 minutes)",
        FlexibleTimeWindow={"Mode": "OFF"},
        Target={"Arn": topic, "RoleArn": f"arn:aws:iam::{LOCAL_ACCOUNT}:role/kept"},
    )
    cipher = kms.encrypt(KeyId=key, Plaintext=b"masked")["CiphertextBlob"]
    return _read(aws, {"vpc": vpc, "subnet": subnet, "cipher": cipher, "topic": topic})


def _read(aws, known):
    secrets = aws.client("secretsmanager")
    described = secrets.describe_secret(SecretId="kept")
    role = aws.client("iam").get_role(RoleName="kept")["Role"]
    schedule = aws.client("scheduler").get_schedule(Name="kept")
    return {
        "vpc": known["vpc"],
        "subnet": known["subnet"],
        "cipher": known["cipher"],
        "topic": known["topic"],
        "key": aws.client("kms").describe_key(KeyId="alias/kept")["KeyMetadata"],
        "plain": aws.client("kms").decrypt(CiphertextBlob=known["cipher"])["Plaintext"],
        "vpc state": aws.client("ec2").describe_vpcs(VpcIds=[known["vpc"]])["Vpcs"],
        "subnet state": aws.client("ec2").describe_subnets(SubnetIds=[known["subnet"]])["Subnets"],
        "all vpcs": sorted(vpc["VpcId"] for vpc in aws.client("ec2").describe_vpcs()["Vpcs"]),
        "role": (role["RoleId"], role["Arn"], role["CreateDate"], role["AssumeRolePolicyDocument"]),
        "role policies": aws.client("iam").list_role_policies(RoleName="kept")["PolicyNames"],
        "secret": (described["ARN"], described["VersionIdsToStages"], described["CreatedDate"]),
        "values": [
            secrets.get_secret_value(SecretId="kept", VersionStage=stage)["SecretString"]
            for stage in ("AWSPREVIOUS", "AWSCURRENT")
        ],
        "topics": known["topic"] in [topic["TopicArn"] for topic in aws.client("sns").list_topics()["Topics"]],
        "schedule": (schedule["Arn"], schedule["ScheduleExpression"], schedule["Target"], schedule["CreationDate"]),
    }
