"""What is shipped, as objects in the artifacts bucket: each under a key that holds its content's hash."""

from collections.abc import Mapping
from dataclasses import dataclass

from shoplake_core.names import JobName

from shoplake_infra.artifacts.stored_file import CodeArtifacts, StoredFile
from shoplake_infra.resource import Resource
from shoplake_infra.resources.stored_object import StoredObject, content_key, stored_object

__all__ = ["PROJECT_PREFIX", "ShippedCode", "desired_code"]

_PROJECT = "project"
PROJECT_PREFIX = f"code/{_PROJECT}"
"""Where the bundles of projects lie in the artifacts bucket: functions read nothing else below `code/`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ShippedCode:
    """The objects of one project's code, by what refers to them."""

    function_zip: StoredObject
    job_wheels: Mapping[JobName, tuple[StoredObject, ...]]
    job_scripts: Mapping[JobName, StoredObject]
    project_bundle: StoredObject

    @property
    def resources(self) -> tuple[Resource, ...]:
        """Each object once: jobs share wheels."""
        wheels = [wheel for job in self.job_wheels.values() for wheel in job]
        every = (self.function_zip, *wheels, *self.job_scripts.values(), self.project_bundle)
        return tuple({thing.address: thing for thing in every}.values())


def desired_code(artifacts: CodeArtifacts, *, bucket: Resource, tags: Mapping[str, str]) -> ShippedCode:
    """The artifacts as objects of the bucket."""

    def stored(file: StoredFile, what: str) -> StoredObject:
        key = content_key(what, sha256=file.sha256, name=file.name)
        return stored_object(bucket, key, source=file.path, sha256=file.sha256, tags=tags)

    return ShippedCode(
        function_zip=stored(artifacts.function_zip, "functions"),
        job_wheels={
            job: tuple(stored(wheel, "wheels") for wheel in wheels) for job, wheels in artifacts.job_wheels.items()
        },
        job_scripts={job: stored(script, "scripts") for job, script in artifacts.job_scripts.items()},
        project_bundle=stored(artifacts.project_bundle, _PROJECT),
    )
