"""The front's own answers: who may call, what is not there, and errors in AWS's shape."""

import http.client
import json
import shutil
from dataclasses import replace
from urllib.parse import urlsplit

import boto3
import psutil
import pytest
from botocore.client import Config
from botocore.exceptions import ClientError
from shoplake_core.errors import ConfigError
from shoplake_core.names import LOCAL_ACCOUNT
from shoplake_engines.ports import free_port
from shoplake_engines.testing import temporary_state_folder
from shoplake_local.front import HEALTH_PATH, Front
from shoplake_local.front_config import FrontConfig, read_front_config
from shoplake_local.front_engine import FrontEngine
from shoplake_local.service import ServiceError


def _client(endpoint, service, **config):
    return boto3.session.Session().client(
        service,
        endpoint_url=endpoint.url,
        region_name=endpoint.region,
        aws_access_key_id=endpoint.access_key_id,
        aws_secret_access_key=endpoint.secret_access_key,
        config=Config(retries={"total_max_attempts": 3, "mode": "standard"}, **config),
    )


def _code(call, **parameters):
    with pytest.raises(ClientError) as raised:
        call(**parameters)
    return raised.value.response["Error"]["Code"], raised.value.response


def test_an_unknown_access_key_is_refused(local_aws):
    client = _client(replace(local_aws.endpoint, access_key_id="AKIASOMEBODYELSE"), "glue")
    code, response = _code(client.get_databases)
    assert code == "UnrecognizedClientException"
    assert response["ResponseMetadata"]["HTTPStatusCode"] == 403


def test_a_wrong_secret_is_refused(local_aws):
    client = _client(replace(local_aws.endpoint, secret_access_key="wrong"), "glue")
    assert _code(client.get_databases)[0] == "InvalidSignatureException"


def test_an_unsigned_request_is_refused(local_aws):
    from botocore import UNSIGNED

    client = _client(local_aws.endpoint, "glue", signature_version=UNSIGNED)
    assert _code(client.get_databases)[0] == "MissingAuthenticationTokenException"


def test_an_unknown_service_is_named_and_not_asked_again(local_aws):
    code, response = _code(_client(local_aws.endpoint, "dynamodb").list_tables)
    assert code == "NotImplemented"
    assert response["ResponseMetadata"]["HTTPStatusCode"] == 501
    assert response["ResponseMetadata"]["RetryAttempts"] == 0
    assert '"dynamodb"' in response["Error"]["Message"]


def test_an_unknown_operation_is_named(local_aws):
    code, response = _code(local_aws.client("glue").list_blueprints)
    assert code == "NotImplemented"
    assert response["ResponseMetadata"]["HTTPStatusCode"] == 501
    assert "ListBlueprints" in response["Error"]["Message"]


def test_an_unsupported_parameter_is_named(local_aws):
    code, response = _code(local_aws.client("glue").get_table, DatabaseName="d", Name="t", TransactionId="1")
    assert code == "NotImplemented"
    assert "TransactionId" in response["Error"]["Message"]


def test_a_wrong_parameter_is_a_validation_error(local_aws):
    code, response = _code(local_aws.client("glue").get_tables, DatabaseName="d", MaxResults=101)
    assert code == "ValidationException"
    assert "MaxResults" in response["Error"]["Message"]


def test_health_names_the_services(local_aws):
    at = urlsplit(local_aws.endpoint.url)
    connection = http.client.HTTPConnection(at.hostname, at.port, timeout=10)
    connection.request("GET", HEALTH_PATH)
    answer = json.loads(connection.getresponse().read())
    connection.close()
    assert answer["status"] == "ok"
    assert {"glue", "redshift-data"} <= set(answer["services"])


def test_a_front_of_another_project_that_took_the_port_meanwhile_is_not_taken_for_ours(local_aws, monkeypatch):
    taken = urlsplit(local_aws.endpoint.url).port
    offered = iter([taken, free_port()])
    monkeypatch.setattr("shoplake_local.front_engine.next_free_port", lambda _preferred: next(offered))
    folder = temporary_state_folder()
    ours = FrontEngine(
        folder,
        object_store=replace(local_aws.object_store, access_key_id="AKIAOFANOTHERPROJECT"),
        warehouse=local_aws.warehouse,
        region=local_aws.endpoint.region,
        account=LOCAL_ACCOUNT,
    )
    try:
        endpoint = ours.up()
        assert urlsplit(endpoint.url).port != taken
        assert _client(endpoint, "glue").get_databases()["DatabaseList"] == []
    finally:
        ours.down()
        shutil.rmtree(folder, ignore_errors=True)


def test_it_listens_on_loopback_only(local_aws):
    process = psutil.Process(local_aws.engine.status().pid)
    listening = [c.laddr.ip for c in process.net_connections(kind="inet") if c.status == psutil.CONN_LISTEN]
    assert listening == ["127.0.0.1"]


def test_its_log_holds_no_secret(local_aws):
    text = local_aws.engine.log_path.read_text()
    for secret in (
        local_aws.endpoint.secret_access_key,
        local_aws.object_store.secret_access_key,
        local_aws.warehouse.password,
    ):
        assert secret not in text


class _Failing:
    service_name = "glue"

    def __init__(self, error):
        self.error = error

    def call(self, operation, parameters):
        raise self.error

    def close(self):
        pass


def _signed_call(front, operation="GetDatabases", body=b"{}", mutate=lambda _: None):
    from botocore.auth import SigV4Auth
    from botocore.awsrequest import AWSRequest
    from botocore.credentials import Credentials
    from werkzeug.test import Client

    request = AWSRequest(
        "POST",
        "http://127.0.0.1/",
        data=body,
        headers={"X-Amz-Target": f"AWSGlue.{operation}", "Content-Type": "application/x-amz-json-1.1"},
    )
    SigV4Auth(Credentials("AKIA", "secret"), "glue", "eu-central-1").add_auth(request)
    headers = {"Host": "127.0.0.1"} | dict(request.headers.items())
    mutate(headers)
    return Client(front).post("/", data=body, headers=headers, base_url="http://127.0.0.1/")


def test_a_failure_of_ours_is_an_internal_failure_without_details(caplog):
    answer = _signed_call(Front([_Failing(RuntimeError("the secret is 42"))], secrets={"AKIA": "secret"}))
    assert answer.status_code == 500
    assert json.loads(answer.data)["__type"] == "InternalFailure"
    assert "42" not in answer.text
    assert "the secret is 42" in caplog.text


def test_members_of_an_error_are_answered():
    error = ServiceError("EntityNotFoundException", "gone", members={"FromFederationSource": False})
    answer = _signed_call(Front([_Failing(error)], secrets={"AKIA": "secret"}))
    assert answer.status_code == 400
    assert json.loads(answer.data) == {
        "__type": "EntityNotFoundException",
        "message": "gone",
        "Message": "gone",
        "FromFederationSource": False,
    }


def test_an_error_that_awss_model_does_not_know_is_a_fault_of_ours():
    error = ServiceError("NoSuchThing", "gone")
    assert _signed_call(Front([_Failing(error)], secrets={"AKIA": "secret"}, check_answers=True)).status_code == 500


@pytest.mark.parametrize("name", ["X-Amz-Target", "X-Amz-Date"])
def test_a_changed_header_breaks_the_signature(name):
    def change(headers):
        headers[name] = headers[name][:-1] + "X"

    answer = _signed_call(Front([_Failing(RuntimeError())], secrets={"AKIA": "secret"}), mutate=change)
    assert answer.status_code == 403
    assert json.loads(answer.data)["__type"] == "InvalidSignatureException"


@pytest.mark.parametrize("body", [b"{", b"[]", b"\xff"], ids=["cut", "list", "bytes"])
def test_a_body_that_is_no_object_is_refused(body):
    answer = _signed_call(Front([_Failing(RuntimeError())], secrets={"AKIA": "secret"}), body=body)
    assert json.loads(answer.data)["__type"] == "SerializationException"


def test_a_configuration_survives_its_file(tmp_path):
    config = FrontConfig(
        port=1,
        state_folder=tmp_path,
        region="r",
        account="0",
        access_key_id="a",
        secret_access_key="b",
        object_store=None,
    )
    (tmp_path / "c.json").write_text(config.to_json())
    assert read_front_config(tmp_path / "c.json") == config


@pytest.mark.parametrize("text", ["", "{}", '{"port": 1, "secret_key": "s3cr3t"}'], ids=["empty", "missing", "unknown"])
def test_a_wrong_configuration_is_refused_without_showing_secrets(tmp_path, text):
    (tmp_path / "c.json").write_text(text)
    with pytest.raises(ConfigError) as raised:
        read_front_config(tmp_path / "c.json")
    assert "s3cr3t" not in str(raised.value)
