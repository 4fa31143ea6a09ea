"""Every protocol of botocore's models: what boto3 sends arrives as the caller's parameters, and answers come back."""

import threading
from datetime import UTC, datetime

import boto3
import pytest
from botocore.client import Config
from botocore.exceptions import ClientError
from shoplake_local.front import Front
from shoplake_local.service import ServiceError
from werkzeug.serving import make_server

_SESSION = boto3.session.Session()


class _Recording:
    """A service of ours that answers what the test wants and remembers what it was asked."""

    def __init__(self, service_name, answer):
        self.service_name = service_name
        self.answer = answer
        self.asked = []

    def call(self, operation, parameters):
        self.asked.append((operation, parameters))
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer

    def close(self):
        pass


@pytest.fixture
def served():
    """Starts a front over one recording service: `served("lambda", {...})` gives its boto3 client and the service."""
    servers = []

    def start(service_name, answer):
        service = _Recording(service_name, answer)
        front = Front([service], secrets={"AKIA": "secret"}, check_answers=True)
        server = make_server("127.0.0.1", 0, front, threaded=True)
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        servers.append(server)
        client = _SESSION.client(
            service_name,
            endpoint_url=f"http://127.0.0.1:{server.server_port}",
            region_name="eu-central-1",
            aws_access_key_id="AKIA",
            aws_secret_access_key="secret",
            config=Config(retries={"total_max_attempts": 1}, parameter_validation=False),
        )
        return client, service

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


def test_rest_json_takes_parameters_from_path_query_and_body(served):
    client, service = served("lambda", {"FunctionName": "f", "Timeout": 3})
    arn = "arn:aws:lambda:eu-central-1:000000000000:function:shoplake-dev-run_lock"
    answer = client.update_function_configuration(
        FunctionName=arn, Timeout=3, Environment={"Variables": {"SHOPLAKE_ACCOUNT": "0"}}, Layers=[]
    )
    assert answer["Timeout"] == 3
    assert service.asked == [
        (
            "UpdateFunctionConfiguration",
            {"FunctionName": arn, "Timeout": 3, "Environment": {"Variables": {"SHOPLAKE_ACCOUNT": "0"}}, "Layers": []},
        )
    ]
    service.answer = {"Versions": []}
    client.list_versions_by_function(FunctionName="f", MaxItems=7)
    assert service.asked[-1] == ("ListVersionsByFunction", {"FunctionName": "f", "MaxItems": 7})


def test_rest_json_takes_blobs_and_answers_a_payload_a_status_and_headers(served):
    client, service = served(
        "lambda", {"StatusCode": 200, "FunctionError": "Unhandled", "Payload": b'{"a": "\xc3\xa4"}'}
    )
    answer = client.invoke(FunctionName="f", Payload=b'{"b": 1}', InvocationType="RequestResponse", Qualifier="1")
    assert service.asked == [
        ("Invoke", {"FunctionName": "f", "Payload": b'{"b": 1}', "InvocationType": "RequestResponse", "Qualifier": "1"})
    ]
    assert answer["StatusCode"] == 200
    assert answer["FunctionError"] == "Unhandled"
    assert answer["Payload"].read() == b'{"a": "\xc3\xa4"}'
    service.answer = {"FunctionName": "f", "CodeSha256": "x"}
    client.create_function(FunctionName="f", Role="arn:aws:iam::000000000000:role/r", Code={"ZipFile": b"PK\x00\xff"})
    assert service.asked[-1][1]["Code"] == {"ZipFile": b"PK\x00\xff"}


def test_rest_json_errors_have_their_code_and_members(served):
    client, _ = served("lambda", ServiceError("ResourceNotFoundException", "no f", 404, members={"Type": "User"}))
    with pytest.raises(client.exceptions.ResourceNotFoundException) as raised:
        client.get_function(FunctionName="f")
    assert raised.value.response["Error"]["Message"] == "no f"
    assert raised.value.response["Type"] == "User"
    assert raised.value.response["ResponseMetadata"]["HTTPStatusCode"] == 404


@pytest.mark.parametrize(
    ("service_name", "operation", "parameters", "code"),
    [
        ("lambda", "get_function", {"FunctionName": "f" * 300}, "ValidationException"),
        ("lambda", "update_function_configuration", {"FunctionName": "f", "Timeout": 0}, "ValidationException"),
        ("iam", "create_role", {"RoleName": "no spaces", "AssumeRolePolicyDocument": "{}"}, "ValidationError"),
        ("ec2", "create_vpc", {"CidrBlock": "10.0.0.0/16", "InstanceTenancy": "shared"}, "InvalidParameterValue"),
        ("stepfunctions", "start_execution", {"stateMachineArn": ""}, "ValidationException"),
    ],
    ids=["rest-json", "rest-json-minimum", "query", "ec2", "json-1.0"],
)
def test_a_request_of_any_protocol_is_held_against_the_model(served, service_name, operation, parameters, code):
    client, service = served(service_name, {})
    with pytest.raises(ClientError) as raised:
        getattr(client, operation)(**parameters)
    assert raised.value.response["Error"]["Code"] == code
    assert service.asked == []


def test_a_service_may_speak_query(served):
    role = {
        "Path": "/",
        "RoleName": "r",
        "RoleId": "AROAAAAAAAAAAAAAAAAA",
        "Arn": "arn:aws:iam::000000000000:role/r",
        "CreateDate": datetime(2026, 1, 2, tzinfo=UTC),
        "Description": "<b> & c",
        "Tags": [{"Key": "a", "Value": "b"}],
    }
    client, service = served("iam", {"Role": role})
    asked = {"RoleName": "r", "AssumeRolePolicyDocument": "{}", "MaxSessionDuration": 3600, "Tags": role["Tags"]}
    answer = client.create_role(**asked)
    assert answer["Role"] == role
    assert service.asked == [("CreateRole", asked)]


def test_a_service_may_speak_ec2(served):
    client, service = served("ec2", {"Vpcs": [{"VpcId": "vpc-1", "IsDefault": False}]})
    asked = {"VpcIds": ["vpc-1"], "Filters": [{"Name": "state", "Values": ["available", "pending"]}]}
    assert client.describe_vpcs(**asked)["Vpcs"] == [{"VpcId": "vpc-1", "IsDefault": False}]
    assert service.asked == [("DescribeVpcs", asked)]


@pytest.mark.parametrize("service_name", ["iam", "ec2"])
def test_a_field_that_the_form_does_not_know_is_refused(served, service_name):
    client, service = served(service_name, {})

    def add(params, **_):
        params["body"]["Misspelled"] = "x"

    client.meta.events.register("before-call.*.*", add)
    with pytest.raises(ClientError, match="Misspelled"):
        client.create_role(RoleName="r", AssumeRolePolicyDocument="{}") if service_name == "iam" else (
            client.create_vpc(CidrBlock="10.0.0.0/16")
        )
    assert service.asked == []


def test_json_1_0_is_answered_as_json_1_0(served):
    client, _ = served("stepfunctions", {"executionArn": "arn", "startDate": datetime(2026, 1, 2, tzinfo=UTC)})
    answer = client.start_execution(stateMachineArn="arn:aws:states:eu-central-1:000000000000:stateMachine:m")
    assert answer["ResponseMetadata"]["HTTPHeaders"]["content-type"] == "application/x-amz-json-1.0"
    assert answer["startDate"] == datetime(2026, 1, 2, tzinfo=UTC)


def test_an_error_in_xml_keeps_its_code(served):
    client, _ = served("iam", ServiceError("NoSuchEntity", "no <r>", 404))
    with pytest.raises(client.exceptions.NoSuchEntityException, match="no <r>"):
        client.get_role(RoleName="r")
