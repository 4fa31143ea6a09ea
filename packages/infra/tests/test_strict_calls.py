import botocore.session
import pytest
from botocore.exceptions import ParamValidationError
from shoplake_infra.strict_calls import findings


def found(service, operation, **parameters):
    model = botocore.session.get_session().get_service_model(service).operation_model(operation)
    return findings(model, parameters)


@pytest.mark.parametrize(
    ("service", "operation", "parameters", "path"),
    [
        ("glue", "CreateJob", {"WorkerType": "Z.9X"}, "CreateJob.WorkerType: none of "),
        ("glue", "CreateJob", {"Name": "n" * 900}, "CreateJob.Name: 900 characters, at most 255"),
        ("dms", "CreateReplicationTask", {"MigrationType": "nonsense"}, "CreateReplicationTask.MigrationType: none of"),
        ("iam", "CreateRole", {"RoleName": "no space"}, "CreateRole.RoleName: does not match"),
        ("iam", "TagRole", {"Tags": [{"Key": "k", "Value": "v"}] * 51}, "TagRole.Tags: 51 items, at most 50"),
        ("kms", "CreateGrant", {"Operations": ["Decrypt", "Fly"]}, "CreateGrant.Operations[1]: none of"),
        ("s3", "ListObjectsV2", {"MaxKeys": 10}, None),
        ("glue", "CreateJob", {"Name": "a", "DefaultArguments": {"--k": "v"}, "WorkerType": "G.1X"}, None),
        ("glue", "CreateDatabase", {"DatabaseInput": {"Name": "über", "Description": "\U0001f6d2"}}, None),
    ],
)
def test_enum_pattern_and_maximum_are_held(service, operation, parameters, path):
    texts = found(service, operation, **parameters)
    assert (path is None and texts == ()) or (len(texts) == 1 and path in texts[0])


def test_every_session_of_infra_refuses_before_it_sends(aws, calls):
    with pytest.raises(ParamValidationError, match="RoleName"):
        aws.client("iam").create_role(RoleName="no space", AssumeRolePolicyDocument="{}")
    assert calls.writes == []


def test_a_wrong_value_is_not_shown():
    assert "s3cret " not in "".join(found("iam", "CreateRole", RoleName="s3cret word"))
