"""What is shipped, as files of this machine: each known by its content."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from shoplake_core.names import JobName

__all__ = ["CodeArtifacts", "StoredFile", "stored_file"]


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredFile:
    """One file to ship.

    Attributes:
        what: What it is in every version of it, such as "functions" or "wheel-shoplake-core".
        name: The file name that AWS shall see: pip reads a wheel's version and tags from it.
        path: Where it lies here.
        sha256: Of its content, as hex.
        size_bytes: Of its content.

    """

    what: str
    name: str
    path: Path
    sha256: str
    size_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeArtifacts:
    """Everything that is shipped for one project.

    Attributes:
        function_zip: The code of every Lambda function.
        job_wheels: Glue job -> the wheels that it needs beside Glue's own modules; jobs share equal ones.
        job_scripts: Glue job -> the file that Glue starts.
        project_bundle: The project, as `shoplake_core.project.project_from_bundle` reads it.

    """

    function_zip: StoredFile
    job_wheels: Mapping[JobName, tuple[StoredFile, ...]]
    job_scripts: Mapping[JobName, StoredFile]
    project_bundle: StoredFile

    @property
    def files(self) -> tuple[StoredFile, ...]:
        """Each file once."""
        wheels = [wheel for job in self.job_wheels.values() for wheel in job]
        every = (self.function_zip, *wheels, *self.job_scripts.values(), self.project_bundle)
        return tuple({(file.what, file.sha256): file for file in every}.values())


def stored_file(path: Path, *, what: str, name: str = "") -> StoredFile:
    """The file at `path`; it is called as there where no name is given."""
    with path.open("rb") as file:
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    return StoredFile(what=what, name=name or path.name, path=path, sha256=sha256, size_bytes=path.stat().st_size)
