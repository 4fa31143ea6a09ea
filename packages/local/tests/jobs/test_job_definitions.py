"""Jobs as AWS keeps them: stored whole, replaced whole, refused where AWS or this machine has not what they ask for."""

import pytest
from shoplake_core.names import LOCAL_ACCOUNT
from shoplake_local.service import ServiceError, UnsupportedOperationError


def test_a_job_lives_through_a_restart_and_is_replaced_whole(glue):
    job = glue.job("pass", Description="first", MaxRetries=2)
    glue.call("CreateJob", **job)
    glue.service.close()
    glue.open()
    kept = glue.call("GetJob", JobName=job["Name"])["Job"]
    assert {name: kept[name] for name in job} == job
    assert (kept["Timeout"], kept["ExecutionProperty"]) == (480, {"MaxConcurrentRuns": 1})
    update = {name: job[name] for name in ("Role", "Command", "WorkerType", "NumberOfWorkers")}
    glue.call("UpdateJob", JobName=job["Name"], JobUpdate=update | {"GlueVersion": "5.0"})
    after = glue.call("GetJob", JobName=job["Name"])["Job"]
    assert after["GlueVersion"] == "5.0"
    assert "Description" not in after
    assert after["MaxRetries"] == 0


def test_a_second_create_is_an_error(glue):
    job = glue.job("pass")
    glue.call("CreateJob", **job)
    for second, code in (
        (job, "AlreadyExistsException"),
        (job | {"NumberOfWorkers": 3}, "IdempotentParameterMismatchException"),
    ):
        with pytest.raises(ServiceError) as error:
            glue.call("CreateJob", **second)
        assert error.value.code == code


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"GlueVersion": "99"}, "InvalidInputException"),
        ({"WorkerType": "Z.9X"}, "InvalidInputException"),
        ({"NumberOfWorkers": 1}, "InvalidInputException"),
        ({"Command": {"Name": "nonsense", "ScriptLocation": "s3://b/k.py"}}, "InvalidInputException"),
        ({"Command": {"Name": "pythonshell", "ScriptLocation": "s3://b/k.py"}}, "NotImplemented"),
        ({"MaxCapacity": 2.0}, "NotImplemented"),
        ({"SecurityConfiguration": "c"}, "NotImplemented"),
        ({"DefaultArguments": {"--extra-jars": "s3://b/k.jar"}}, "NotImplemented"),
        ({"DefaultArguments": {"--job-bookmark-option": "job-bookmark-enable"}}, "NotImplemented"),
        ({"DefaultArguments": {"--python-modules-installer-option": "--no-deps --upgrade"}}, "NotImplemented"),
    ],
    ids=lambda value: value if isinstance(value, str) else next(iter(value)),
)
def test_what_aws_or_this_machine_has_not_is_refused(glue, change, code):
    with pytest.raises(ServiceError) as error:
        glue.service.call("CreateJob", glue.job("pass") | change)
    assert error.value.code == code


def test_jobs_are_listed_in_pages_and_by_tag(glue):
    for name in ("a", "b", "c"):
        glue.call("CreateJob", **glue.job("pass", Name=name, Tags={"layer": "silver" if name == "b" else "gold"}))
    first = glue.call("GetJobs", MaxResults=2)
    assert [job["Name"] for job in first["Jobs"]] == ["a", "b"]
    assert [job["Name"] for job in glue.call("GetJobs", NextToken=first["NextToken"])["Jobs"]] == ["c"]
    assert glue.call("ListJobs", Tags={"layer": "silver"})["JobNames"] == ["b"]
    arn = f"arn:aws:glue:{glue.aws.endpoint.region}:{LOCAL_ACCOUNT}:job/b"
    glue.call("TagResource", ResourceArn=arn, TagsToAdd={"owner": "me"})
    glue.call("UntagResource", ResourceArn=arn, TagsToRemove=["layer"])
    assert glue.call("GetTags", ResourceArn=arn)["Tags"] == {"owner": "me"}
    glue.call("DeleteJob", JobName="b")
    glue.call("DeleteJob", JobName="b")  # AWS answers no error
    for operation, parameters in (
        ("GetTags", {"ResourceArn": arn}),
        ("GetJob", {"JobName": "b"}),
        ("StartJobRun", {"JobName": "b"}),
    ):
        with pytest.raises(ServiceError, match="EntityNotFoundException"):
            glue.call(operation, **parameters)


def test_a_parameter_of_a_run_that_is_not_honoured_is_refused(glue):
    job = glue.job("pass")
    glue.call("CreateJob", **job)
    with pytest.raises(UnsupportedOperationError):
        glue.call("StartJobRun", JobName=job["Name"], SecurityConfiguration="c")
