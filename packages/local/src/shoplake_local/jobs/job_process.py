"""One run of a job as a process: what it is started with, and what its end says."""

import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import urlsplit

from shoplake_core.clock import Clock
from shoplake_core.endpoints import AwsEndpoint
from shoplake_engines.object_store_aws import s3_client
from shoplake_engines.private_files import private_folder, read_json
from shoplake_engines.processes import DetachedProcess, server_environment

from shoplake_local.jobs import supervisor
from shoplake_local.jobs.import_guard import CODE_FOLDERS
from shoplake_local.jobs.job_definitions import merged_arguments
from shoplake_local.jobs.shipped_code import CodeNotFetchedError, ShippedCode

__all__ = ["Endpoints", "JobProcess", "JobProcesses", "failure_text"]

_ERROR_LINES = 15
_ERROR_CHARACTERS = 1_500  # its end says most: whoever shortens the message once more must not cut that off
_WHEEL_ARGUMENTS = ("--extra-py-files", "--additional-python-modules")


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoints:
    """Where code that runs here finds AWS, and as whom.

    Attributes:
        front: The local AWS.
        object_store: S3.
        account: Whose roles they are.
        credentials_of: ARN of a role -> access key id and secret of who has that role.

    """

    front: AwsEndpoint
    object_store: AwsEndpoint
    account: str
    credentials_of: Callable[[str], tuple[str, str]]

    def credentials(self, role: str) -> tuple[str, str]:
        """The key pair of a role, by its ARN or, as Glue takes it, its name.

        Raises:
            ServiceError: There is no such role, or it does not trust who runs the code.

        """
        return self.credentials_of(role if role.startswith("arn:") else f"arn:aws:iam::{self.account}:role/{role}")

    def environment(self, role: str) -> dict[str, str]:
        """The variables by which AWS's SDKs find endpoints and credentials."""
        key_id, secret = self.credentials(role)
        region = self.front.region
        return {
            "AWS_ACCESS_KEY_ID": key_id,
            "AWS_SECRET_ACCESS_KEY": secret,
            "AWS_REGION": region,
            "AWS_DEFAULT_REGION": region,
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_ENDPOINT_URL": str(self.front.url),
            "AWS_ENDPOINT_URL_GLUE": str(self.front.url),
            "AWS_ENDPOINT_URL_S3": str(self.object_store.url),
        }


class JobProcess:
    """The process of one run, whoever started it."""

    def __init__(self, folder: Path, clock: Clock) -> None:
        self._process = DetachedProcess(folder, "run", clock=clock)
        self._ended_path = folder / "ended.json"

    @property
    def running(self) -> bool:
        """Whether it runs now."""
        return self._process.running() is not None

    @property
    def was_started(self) -> bool:
        """Whether it ever ran."""
        return self._process.ran_before

    def exit_code(self) -> int | None:
        """How the script ended, None where nothing says so."""
        code = read_json(self._ended_path).get("exit_code")
        return code if isinstance(code, int) else None

    def end(self) -> None:
        """End it and all that it started."""
        self._process.end(wait_seconds=5.0)

    def last_lines(self) -> str:
        """The end of its output."""
        try:
            text = self._process.log_path.read_text("utf-8", "replace")
        except OSError:
            return ""
        return "\n".join(text.strip().splitlines()[-_ERROR_LINES:])[-_ERROR_CHARACTERS:]

    def start(self, command: list[str], environment: Mapping[str, str]) -> None:
        """Start the command under the supervisor."""
        self._process.start(
            [sys.executable, "-I", "-S", str(Path(supervisor.__file__)), str(self._ended_path), *command],
            environment=environment,
        )


class JobProcesses:
    """Starts and finds the processes of runs.

    Args:
        folder: Code, logs and pid files lie below it.
        endpoints: Where the jobs find AWS.
        inherited: Variables of this machine that jobs get (JAVA_HOME).
        clock: For waiting.

    """

    def __init__(self, folder: Path, endpoints: Endpoints, *, inherited: Mapping[str, str], clock: Clock) -> None:
        self._folder = private_folder(folder)
        self._code = ShippedCode(folder / "code")
        self._endpoints = endpoints
        self._inherited = dict(inherited)
        self._clock = clock

    def of(self, run_id: str) -> JobProcess:
        """The process of that run; it need not have been started."""
        return JobProcess(private_folder(self._folder / "runs" / run_id), self._clock)

    def start(self, job: Mapping[str, Any], run: Mapping[str, Any]) -> JobProcess:
        """The started process of that run.

        Raises:
            CodeNotFetchedError: The script or a wheel cannot be had.
            ResourceError: The process cannot be started.

        """
        arguments = merged_arguments(job, run.get("Arguments", {}))
        s3 = s3_client(self._endpoints.object_store)
        location = job["Command"]["ScriptLocation"]
        script = self._code.script(self._code.fetched(s3, location), PurePosixPath(urlsplit(location).path).name)
        folders = [str(self._code.unpacked(self._code.fetched(s3, url), url)) for url in _wheel_urls(arguments)]
        process = self.of(run["Id"])
        command = [sys.executable, str(script), "--JOB_NAME", job["Name"]]
        for name, value in arguments.items():
            command += [name, value] if value != "" else [name]
        process.start(command, self._environment(job["Role"], folders, arguments, run["Id"]))
        return process

    def _environment(self, role: str, folders: list[str], arguments: Mapping[str, str], run_id: str) -> dict[str, str]:
        python_path = os.pathsep.join([str(self._code.guard_folder()), *folders])
        variables = {
            **self._inherited,
            **self._endpoints.environment(role),
            "PYTHONPATH": python_path,
            "PYSPARK_PYTHON": sys.executable,
            "PYTHONUNBUFFERED": "1",
            "PYTHONDONTWRITEBYTECODE": "1",
            CODE_FOLDERS: os.pathsep.join(folders),
        }
        if "--conf" in arguments:
            variables["PYSPARK_SUBMIT_ARGS"] = f"--conf {arguments['--conf']} pyspark-shell"
        return server_environment(self._folder / "runs" / run_id, extra=variables)


def _wheel_urls(arguments: Mapping[str, str]) -> list[str]:
    urls = [url.strip() for name in _WHEEL_ARGUMENTS for url in arguments.get(name, "").split(",") if url.strip()]
    for url in urls:
        if not url.endswith((".whl", ".zip")):
            raise CodeNotFetchedError(f'"{url}" is no s3 URL of a wheel or zip: the local AWS installs nothing else')
    return urls


def _ended_how(code: int) -> str:
    return f"was killed by signal {-code}" if code < 0 else f"ended with code {code}"


def failure_text(code: int | None, last_lines: str) -> str:
    """The ErrorMessage of a run that failed."""
    if code is None:
        return f"the run's process was killed before it could say how it ended. Its last lines:\n{last_lines}"
    return f"the script {_ended_how(code)}. Its last lines:\n{last_lines}"
