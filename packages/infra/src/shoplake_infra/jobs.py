"""The Glue jobs of an environment, and the connection that puts them into its network."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from shoplake_core.names import JobName, ResourceNames

from shoplake_infra.resource import Ref, Resource
from shoplake_infra.resources.glue_connection import glue_connection
from shoplake_infra.resources.glue_job import Workers, glue_job
from shoplake_infra.shipped_code import ShippedCode

__all__ = ["JobParts", "JobSettings", "desired_jobs"]

_DESCRIPTIONS: Mapping[JobName, str] = {
    JobName.BRONZE_TO_SILVER: "Everything new in bronze into silver",
    JobName.SILVER_TO_GOLD: "Gold follows silver",
    JobName.RECONCILE: "MySQL, silver, gold and warehouse hold the same",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class JobSettings:
    """What a user decides about jobs.

    Attributes:
        workers: Job -> its workers; one that is not named gets the smallest two.

    """

    workers: Mapping[JobName, Workers] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class JobParts:
    """The resources that jobs need; without a subnet they stand in no network, for a server on loopback."""

    code: ShippedCode
    role: Resource
    subnet: Resource | None = None
    security_group: Resource | None = None


def desired_jobs(
    names: ResourceNames, settings: JobSettings, *, parts: JobParts, tags: Mapping[str, str]
) -> tuple[Resource, ...]:
    """The connection, where there is a network, and every job."""
    connections: tuple[Resource, ...] = ()
    if parts.subnet is not None and parts.security_group is not None:
        connections = (
            glue_connection(
                names.connection,
                description="Puts the jobs of Shoplake into its network",
                subnet=parts.subnet,
                security_group=parts.security_group,
                tags=tags,
            ),
        )
    jobs = (
        glue_job(
            names.job(job),
            description=_DESCRIPTIONS[job],
            role=parts.role,
            script=parts.code.job_scripts[job],
            arguments=_arguments(names, job, parts.code),
            tags=tags,
            workers=settings.workers.get(job),
            connections=connections,
            depends_on=tuple(wheel.address for wheel in parts.code.job_wheels[job]),
        )
        for job in JobName
    )
    return (*connections, *jobs)


def _arguments(names: ResourceNames, job: JobName, code: ShippedCode) -> dict[str, str | Ref]:
    """What every run of the job gets; where it is, what run it is and where its summary goes comes with each run.

    `--datalake-formats iceberg` puts Glue's own Iceberg, of the version that a laptop takes, on the class path: no jar is
    shipped. Wheels go by `--additional-python-modules`, which Glue hands to pip all at once. They are all that a job
    imports and Glue does not have, and there is no way to an index: pip is told to look for nothing else.

    Source: https://docs.aws.amazon.com/glue/latest/dg/aws-glue-programming-python-libraries.html#addl-python-modules-support
    """
    wheels = ",".join(wheel.url for wheel in code.job_wheels[job])
    given: dict[str, str | Ref] = {
        "--job-language": "python",
        "--job-bookmark-option": "job-bookmark-disable",  # silver remembers by itself what it has taken
        "--datalake-formats": "iceberg",
        "--enable-metrics": "true",
        "--enable-continuous-cloudwatch-log": "true",
        "--TempDir": f"s3://{names.artifacts_bucket}/runs/temporary/",
        "--project": code.project_bundle.url,
        "--environment": names.environment,
        "--account": names.account,
        "--region": names.region,
        "--masking_secret": names.masking_secret,
    }
    if wheels:
        given |= {"--additional-python-modules": wheels, "--python-modules-installer-option": "--no-deps --no-index"}
    return given
