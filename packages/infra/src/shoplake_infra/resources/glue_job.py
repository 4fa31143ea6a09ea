"""Glue jobs: a Spark script in a bucket, the wheels beside it, and how many workers run it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from shoplake_infra.aws import Aws, or_none
from shoplake_infra.diff import Change, touches
from shoplake_infra.handler import Handler, Observed
from shoplake_infra.resource import Ref, Resource

__all__ = ["HANDLER", "GlueJobHandler", "Workers", "glue_job"]

_COMMAND, _PYTHON = "glueetl", "3"
_GLUE_VERSION = "6.0"  # Spark 4.1, Python 3.13 and Java 17, as on a laptop


@dataclass(frozen=True, slots=True, kw_only=True)
class Workers:
    """How many workers of which size a run gets, and after how many minutes it is ended; the first one is the driver."""

    kind: str = "G.1X"
    count: int = 2
    timeout_minutes: int = 120


def glue_job(  # noqa: PLR0913 - one job's settings
    name: str,
    *,
    description: str,
    role: Resource,
    script: Resource,
    arguments: Mapping[str, str | Ref],
    tags: Mapping[str, str],
    workers: Workers | None = None,
    connections: tuple[Resource, ...] = (),
    depends_on: tuple[str, ...] = (),
) -> Resource:
    """A job whose runs never overlap and are not tried again by Glue: who starts them decides about that.

    Args:
        name: The job's.
        description: For readers of the console.
        role: What its script acts as.
        script: The object that holds it.
        arguments: Defaults, which a run's own arguments come over; readable by whoever may describe the job.
        tags: Ours.
        workers: One driver and one worker where not given.
        connections: Networks that its workers stand in.
        depends_on: Addresses of what a run needs beside all that.

    """
    size = workers or Workers()
    return Resource(
        kind="glue_job",
        name=name,
        tags=tags,
        depends_on=depends_on,
        properties={
            "description": description,
            "role_arn": Ref(role, "arn"),
            "script": Ref(script, "url"),
            "command": _COMMAND,
            "python": _PYTHON,
            "glue_version": _GLUE_VERSION,
            "worker_type": size.kind,
            "workers": size.count,
            "timeout_minutes": size.timeout_minutes,
            "retries": 0,
            "runs_at_once": 1,
            "execution_class": "STANDARD",
            "arguments": dict(arguments),
            "connections": [Ref(connection, "name") for connection in connections],
        },
    )


class GlueJobHandler(Handler):
    """All calls for jobs; runs under way go on with what they were started with."""

    kind = "glue_job"

    def observe(self, aws: Aws, resource: Resource) -> Observed | None:
        """The job without its runs."""
        glue, arn = aws.client("glue"), _arn(aws, resource)
        answer = or_none(glue.get_job, {"EntityNotFoundException"}, JobName=resource.name)
        if answer is None:
            return None
        found = answer["Job"]
        role, command = found["Role"], found["Command"]
        return Observed(
            properties={
                "description": found.get("Description", ""),
                "role_arn": role if role.startswith("arn:") else f"arn:aws:iam::{aws.account}:role/{role}",
                "script": command.get("ScriptLocation", ""),
                "command": command["Name"],
                "python": command.get("PythonVersion", ""),
                "glue_version": found.get("GlueVersion", ""),
                "worker_type": found.get("WorkerType", ""),
                "workers": found.get("NumberOfWorkers", 0),
                "timeout_minutes": found.get("Timeout", 0),
                "retries": found.get("MaxRetries", 0),
                "runs_at_once": found.get("ExecutionProperty", {}).get("MaxConcurrentRuns", 1),
                "execution_class": found.get("ExecutionClass", "STANDARD"),
                "arguments": found.get("DefaultArguments", {}),
                "connections": found.get("Connections", {}).get("Connections", []),
            },
            tags=glue.get_tags(ResourceArn=arn)["Tags"],
            attributes={"arn": arn, "name": resource.name},
        )

    def create(self, aws: Aws, resource: Resource) -> None:
        """The job with its tags."""
        aws.client("glue").create_job(Name=resource.name, Tags=dict(resource.tags), **_definition(resource))

    def update(self, aws: Aws, resource: Resource, observed: Observed, changes: tuple[Change, ...]) -> None:
        """Write all of it: UpdateJob takes back whatever it is not given."""
        glue = aws.client("glue")
        if touches(changes, *resource.properties):
            glue.update_job(JobName=resource.name, JobUpdate=_definition(resource))
        if touches(changes, "tags"):
            glue.tag_resource(ResourceArn=observed.attributes["arn"], TagsToAdd=dict(resource.tags))

    def delete(self, aws: Aws, resource: Resource, observed: Observed) -> None:  # noqa: ARG002 - the port's signature
        """Delete it with the record of its runs."""
        aws.client("glue").delete_job(JobName=resource.name)


def _arn(aws: Aws, resource: Resource) -> str:
    return f"arn:aws:glue:{aws.region}:{aws.account}:job/{resource.name}"


def _definition(resource: Resource) -> dict[str, Any]:
    wanted = resource.properties
    return {
        "Description": wanted["description"],
        "Role": wanted["role_arn"],
        "Command": {
            "Name": wanted["command"],
            "ScriptLocation": wanted["script"],
            "PythonVersion": wanted["python"],
        },
        "GlueVersion": wanted["glue_version"],
        "WorkerType": wanted["worker_type"],
        "NumberOfWorkers": wanted["workers"],
        "Timeout": wanted["timeout_minutes"],
        "MaxRetries": wanted["retries"],
        "ExecutionProperty": {"MaxConcurrentRuns": wanted["runs_at_once"]},
        "ExecutionClass": wanted["execution_class"],
        "DefaultArguments": wanted["arguments"],
        "Connections": {"Connections": wanted["connections"]},
    }


HANDLER = GlueJobHandler()
