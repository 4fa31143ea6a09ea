"""Everything that is shipped for one project, made from what is installed here."""

from collections.abc import Mapping
from importlib.metadata import Distribution
from pathlib import Path

from shoplake_core.errors import ConfigError
from shoplake_core.names import JobName
from shoplake_core.project import Project

from shoplake_infra.artifacts.distributions import Member, is_ours, members_of, required_distributions
from shoplake_infra.artifacts.downloads import downloaded_wheels, unpacked_members
from shoplake_infra.artifacts.function_zip import function_members, function_zip
from shoplake_infra.artifacts.imports import refuse_open_set
from shoplake_infra.artifacts.platforms import (
    AWS_PLATFORM,
    GLUE_PROVIDES,
    LAMBDA_PROVIDES,
    Target,
    TargetPlatform,
    this_platform,
)
from shoplake_infra.artifacts.stored_file import CodeArtifacts, StoredFile, stored_file
from shoplake_infra.artifacts.wheels import content_hash, wheel_of

__all__ = ["FUNCTION_DISTRIBUTIONS", "JOB_DISTRIBUTIONS", "ArtifactBuilder", "code_artifacts"]

FUNCTION_DISTRIBUTIONS = ("shoplake-functions", "shoplake-datagen")
JOB_DISTRIBUTIONS: Mapping[JobName, str] = {
    JobName.BRONZE_TO_SILVER: "shoplake-etl",
    JobName.SILVER_TO_GOLD: "shoplake-etl",
    JobName.RECONCILE: "shoplake-reconciliation",
}


def code_artifacts(project: Project, *, target: Target, cache_folder: Path) -> CodeArtifacts:
    """The code for that target; what lies in `cache_folder` already is not built again.

    Raises:
        ConfigError: A distribution is missing or not closed, or the functions are more than Lambda takes.
        ResourceError: Wheels for AWS's machines could not be fetched.

    """
    at = this_platform() if target is Target.LOCAL else AWS_PLATFORM
    builder = ArtifactBuilder(cache_folder, at=at, all_modules=target is Target.AWS)
    return CodeArtifacts(
        function_zip=builder.function_zip(),
        job_wheels={job: builder.job_wheels(job) for job in JobName},
        job_scripts={job: job_script(job) for job in JobName},
        project_bundle=project_bundle(project, cache_folder),
    )


class ArtifactBuilder:
    """Builds for one platform.

    Args:
        cache_folder: Keeps what is built and fetched, each under the hash of its content.
        at: Where the code will run.
        all_modules: Ship other people's modules, too; False where it runs in this installation.

    """

    def __init__(self, cache_folder: Path, *, at: TargetPlatform, all_modules: bool) -> None:
        self._cache = cache_folder
        self._at = at
        self._all_modules = all_modules
        self._wheels: dict[str, StoredFile] = {}
        self._sets: dict[str, dict[str, Distribution]] = {}

    def function_zip(self) -> StoredFile:
        """The zip of every function, within Lambda's limit."""
        ours, others = self._function_distributions()
        content = [content_hash(found) for found in ours.values()]
        if self._at == this_platform():
            content += [content_hash(found) for found in others.values()]
        else:
            content += sorted(wheel.name for wheel in self._downloaded(others).values())
        return function_zip(self.function_members(), self._cache / "functions", content=content)

    def function_members(self) -> tuple[Member, ...]:
        """What lies in that zip."""
        ours, others = self._function_distributions()
        members: list[Member]
        if self._at == this_platform():
            members = [member for found in others.values() for member in members_of(found)]
        else:
            unpacked = self._cache / "unpacked"
            wheels = self._downloaded(others)
            members = [member for wheel in wheels.values() for member in unpacked_members(wheel, unpacked)]
        return function_members([member for found in ours.values() for member in members_of(found)], members)

    def _function_distributions(self) -> tuple[dict[str, Distribution], dict[str, Distribution]]:
        needed = self._closed("the functions' code", FUNCTION_DISTRIBUTIONS, provided=LAMBDA_PROVIDES)
        return self._parted(needed)

    def job_wheels(self, job: JobName) -> tuple[StoredFile, ...]:
        """The wheels of a job: all that it imports and Glue does not have."""
        roots = (JOB_DISTRIBUTIONS[job],)
        built, others = self._parted(self._closed(f"a job of {roots[0]}", roots, provided=GLUE_PROVIDES))
        fetched: dict[str, Path] = {}
        if self._at == this_platform():
            built |= others
        else:
            fetched = self._downloaded(others)
        for name, found in built.items():
            if name not in self._wheels:
                self._wheels[name] = wheel_of(found, self._cache / "wheels")
        for name, path in fetched.items():
            if name not in self._wheels:
                self._wheels[name] = stored_file(path, what=f"wheel-{name}")
        return tuple(self._wheels[name] for name in sorted([*built, *fetched]))

    def _closed(self, what: str, roots: tuple[str, ...], *, provided: frozenset[str]) -> dict[str, Distribution]:
        if what not in self._sets:
            needed = required_distributions(roots, markers=self._at.markers, without=provided)
            refuse_open_set(what, needed.values(), provided=provided)
            self._sets[what] = needed
        return self._sets[what]

    def _parted(self, needed: Mapping[str, Distribution]) -> tuple[dict[str, Distribution], dict[str, Distribution]]:
        ours = {name: found for name, found in needed.items() if is_ours(name)}
        return ours, {name: found for name, found in needed.items() if name not in ours} if self._all_modules else {}

    def _downloaded(self, others: Mapping[str, Distribution]) -> dict[str, Path]:
        return downloaded_wheels(others, self._cache / "downloads", self._at)


def job_script(job: JobName) -> StoredFile:
    """The file that Glue starts.

    Raises:
        ConfigError: Its distribution has none.

    """
    name = JOB_DISTRIBUTIONS[job]
    wanted = f"{name.replace('-', '_')}/jobs/{job}.py"
    found = required_distributions((name,), markers=this_platform().markers)[name]
    for member in members_of(found):
        if member.name == wanted:
            return stored_file(member.path, what=f"job-{job}")
    raise ConfigError(f"{name} has no {wanted}", hint='install all of Shoplake: pip install "shoplake"')


def project_bundle(project: Project, cache_folder: Path) -> StoredFile:
    """The project's bundle as a file."""
    path = cache_folder / "project.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    scratch = path.with_suffix(".new")
    scratch.write_text(project.bundle(), "utf-8")
    scratch.replace(path)
    return stored_file(path, what="project")
