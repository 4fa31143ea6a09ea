"""S3 through the front: an operator finds buckets, their settings and objects behind AWS's one endpoint."""

import json

import boto3
import pytest
from botocore.client import Config
from botocore.exceptions import ClientError
from shoplake_core.names import LOCAL_ACCOUNT

KEY = f"arn:aws:kms:eu-central-1:{LOCAL_ACCOUNT}:key/11111111-1111-1111-1111-111111111111"
ENCRYPTED = {
    "Rules": [
        {
            "ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": KEY},
            "BucketKeyEnabled": True,
        }
    ]
}
CLOSED = dict.fromkeys(("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets"), True)


def client(endpoint, **keys):
    return boto3.session.Session().client(
        "s3",
        endpoint_url=endpoint.url,
        region_name=endpoint.region,
        aws_access_key_id=keys.get("key", endpoint.access_key_id),
        aws_secret_access_key=keys.get("secret", endpoint.secret_access_key),
        config=Config(s3={"addressing_style": "path"}, retries={"total_max_attempts": 1}),
    )


@pytest.fixture(scope="module")
def s3(local_aws):
    return client(local_aws.endpoint)


@pytest.fixture
def bucket(s3, request):
    name = f"settings-{abs(hash(request.node.name)) % 10**8}"
    s3.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": s3.meta.region_name})
    yield name
    s3.delete_bucket(Bucket=name)


def code_of(call, **parameters):
    with pytest.raises(ClientError) as refused:
        call(**parameters)
    return refused.value.response["Error"]["Code"]


def test_settings_that_the_object_store_has_no_word_for_are_kept_until_the_bucket_goes(s3, bucket):
    assert code_of(s3.get_bucket_encryption, Bucket=bucket) == "ServerSideEncryptionConfigurationNotFoundError"
    assert code_of(s3.get_public_access_block, Bucket=bucket) == "NoSuchPublicAccessBlockConfiguration"
    assert code_of(s3.get_bucket_lifecycle_configuration, Bucket=bucket) == "NoSuchLifecycleConfiguration"
    s3.put_bucket_encryption(Bucket=bucket, ServerSideEncryptionConfiguration=ENCRYPTED)
    s3.put_public_access_block(Bucket=bucket, PublicAccessBlockConfiguration=CLOSED)
    rule = {"ID": "old", "Filter": {"Prefix": "runs/"}, "Status": "Enabled", "Expiration": {"Days": 30}}
    s3.put_bucket_lifecycle_configuration(Bucket=bucket, LifecycleConfiguration={"Rules": [rule]})
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    s3.put_bucket_tagging(Bucket=bucket, Tagging={"TagSet": [{"Key": "Owner", "Value": "shoplake"}]})
    read = s3.get_bucket_encryption(Bucket=bucket)["ServerSideEncryptionConfiguration"]["Rules"][0]
    assert read["ApplyServerSideEncryptionByDefault"]["KMSMasterKeyID"] == KEY
    assert s3.get_public_access_block(Bucket=bucket)["PublicAccessBlockConfiguration"] == CLOSED
    assert s3.get_bucket_lifecycle_configuration(Bucket=bucket)["Rules"] == [rule]
    assert s3.get_bucket_versioning(Bucket=bucket)["Status"] == "Enabled"
    assert s3.get_bucket_tagging(Bucket=bucket)["TagSet"] == [{"Key": "Owner", "Value": "shoplake"}]
    s3.delete_public_access_block(Bucket=bucket)
    assert code_of(s3.get_public_access_block, Bucket=bucket) == "NoSuchPublicAccessBlockConfiguration"
    s3.delete_bucket(Bucket=bucket)
    assert code_of(s3.get_bucket_encryption, Bucket=bucket) == "NoSuchBucket"
    s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": s3.meta.region_name})
    assert code_of(s3.get_bucket_encryption, Bucket=bucket) == "ServerSideEncryptionConfigurationNotFoundError"


def test_objects_pass_through_with_their_checksums_and_odd_keys(s3, bucket, local_aws):
    keys = ("a b+c/ü%41~.txt", "plain", "deep/er/key")
    for key in keys:
        s3.put_object(Bucket=bucket, Key=key, Body=key.encode() * 1000, ChecksumAlgorithm="SHA256")
    direct = client(local_aws.object_store)
    for key in keys:
        assert direct.get_object(Bucket=bucket, Key=key)["Body"].read() == key.encode() * 1000
        assert s3.get_object(Bucket=bucket, Key=key)["Body"].read() == key.encode() * 1000
        assert s3.head_object(Bucket=bucket, Key=key)["ContentLength"] == len(key.encode()) * 1000
    assert {found["Key"] for found in s3.list_objects_v2(Bucket=bucket)["Contents"]} == set(keys)
    assert code_of(s3.head_object, Bucket=bucket, Key="none") == "404"
    answer = s3.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": key} for key in keys]})
    assert len(answer["Deleted"]) == len(keys)


def test_a_file_of_many_parts_arrives_whole(s3, bucket, tmp_path):
    path = tmp_path / "large"
    path.write_bytes(bytes(range(256)) * 80_000)
    s3.upload_file(str(path), bucket, "large")
    assert s3.get_object(Bucket=bucket, Key="large")["Body"].read() == path.read_bytes()
    s3.delete_object(Bucket=bucket, Key="large")


def test_who_is_no_operator_and_what_is_not_there_is_refused(s3, bucket, local_aws):
    assert code_of(client(local_aws.endpoint, secret="wrong").list_buckets) == "SignatureDoesNotMatch"
    assert code_of(client(local_aws.endpoint, key="AKIANOBODY").list_buckets) == "InvalidAccessKeyId"
    assert code_of(s3.get_bucket_website, Bucket=bucket) == "NotImplemented"
    assert code_of(s3.put_bucket_encryption, Bucket="no-such-bucket", ServerSideEncryptionConfiguration=ENCRYPTED) == (
        "NoSuchBucket"
    )


def test_a_role_is_sent_to_the_object_store_itself(local_aws):
    role = {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{LOCAL_ACCOUNT}:root"}, "Action": "sts:AssumeRole"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [role]})
    local_aws.client("iam").create_role(RoleName="of-buckets", AssumeRolePolicyDocument=document)
    arn = f"arn:aws:iam::{LOCAL_ACCOUNT}:role/of-buckets"
    pair = local_aws.client("sts").assume_role(RoleArn=arn, RoleSessionName="test")["Credentials"]
    as_role = client(local_aws.endpoint, key=pair["AccessKeyId"], secret=pair["SecretAccessKey"])
    assert code_of(as_role.list_buckets) == "AccessDenied"
