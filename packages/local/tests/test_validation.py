"""What botocore lets pass and AWS refuses."""

import re

import boto3
import pytest
from botocore.exceptions import ParamValidationError
from shoplake_local import validation
from shoplake_local.models import service_model
from shoplake_local.moto_services.catalogue import MOTO_SERVICES
from shoplake_local.validation import findings, refuse_wrong_parameters


def _found(operation, service="glue", **parameters):
    return findings(service_model(service).operation_model(operation), parameters)


def test_right_parameters_have_no_findings():
    assert _found("CreateDatabase", DatabaseInput={"Name": "dev_silver", "Parameters": {"a": "b"}}) == ()


@pytest.mark.parametrize(
    ("operation", "parameters", "expected"),
    [
        ("GetTable", {"DatabaseName": "d"}, "Missing required parameter"),
        ("GetTable", {"DatabaseName": "d", "Name": "t", "Nome": "x"}, "Nome"),
        ("GetTable", {"DatabaseName": "d", "Name": 3}, "Invalid type"),
        ("GetTable", {"DatabaseName": "d", "Name": ""}, "min length"),
        ("GetTable", {"DatabaseName": "d", "Name": "t" * 256}, "max length: 255"),
        ("GetTable", {"DatabaseName": "d", "Name": "a\x00b"}, "does not match"),
        ("GetTables", {"DatabaseName": "d", "MaxResults": 101}, "max value: 100"),
        (
            "CreateJob",
            {"Name": "j", "Role": "r", "Command": {}, "WorkerType": "Z.9X", "ExecutionClass": "FAST"},
            "FAST",
        ),
        ("BatchDeleteTable", {"DatabaseName": "d", "TablesToDelete": ["t"] * 101}, "101 items"),
        (
            "CreateTable",
            {"DatabaseName": "d", "TableInput": {"Name": "t", "Parameters": {"k" * 256: "v"}}},
            r"Parameters \(key\)",
        ),
    ],
    ids=["required", "unknown", "type", "minimum", "maximum", "pattern", "number", "enum", "list", "map-key"],
)
def test_a_wrong_parameter_is_found(operation, parameters, expected):
    assert re.search(expected, "\n".join(_found(operation, **parameters)))


def test_a_character_beyond_16_bits_matches_a_pattern_written_for_java():
    assert _found("GetTable", DatabaseName="d", Name="t😀") == ()


def test_every_finding_is_reported():
    found = _found("GetTables", DatabaseName="d" * 300, MaxResults=1000, Wrong=1)
    assert len(found) == 3


def test_every_pattern_of_the_services_we_serve_compiles():
    seen = set()

    def walk(shape):
        if shape.name in seen:
            return
        seen.add(shape.name)
        pattern = shape.metadata.get("pattern")
        if pattern:
            validation._pattern(pattern)
        for child in [*getattr(shape, "members", {}).values()] if shape.type_name == "structure" else []:
            walk(child)
        if shape.type_name == "list":
            walk(shape.member)
        if shape.type_name == "map":
            walk(shape.key)
            walk(shape.value)

    for service in ("glue", "redshift-data", "sts", "lambda", "stepfunctions", "dms", *MOTO_SERVICES):
        model = service_model(service)
        for name in model.operation_names:
            if model.operation_model(name).input_shape is not None:
                walk(model.operation_model(name).input_shape)
    assert len(seen) > 500


def test_a_client_refuses_before_it_sends():
    session = boto3.session.Session()
    session.events.register("before-parameter-build.*.*", refuse_wrong_parameters)
    client = session.client(
        "glue",
        endpoint_url="http://127.0.0.1:1",
        region_name="eu-central-1",
        aws_access_key_id="a",
        aws_secret_access_key="b",
    )
    with pytest.raises(ParamValidationError, match="max value: 100"):
        client.get_tables(DatabaseName="d", MaxResults=500)
