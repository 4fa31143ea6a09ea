"""What a Glue job may say: held against what AWS has, and what of it runs here.

Sources: the Glue API reference (CreateJob, JobCommand, job parameters) and its release notes.
"""

from collections.abc import Mapping
from typing import Any

from shoplake_local.glue.requests import invalid_input
from shoplake_local.service import UnsupportedOperationError

__all__ = ["checked_arguments", "checked_job", "concurrent_runs", "merged_arguments", "timeout_minutes"]

_GLUE_VERSIONS = ("4.0", "5.0", "5.1", "6.0")
_SPARK_WORKERS = frozenset(
    {"G.1X", "G.2X", "G.4X", "G.8X", "G.12X", "G.16X", "R.1X", "R.2X", "R.4X", "R.8X"},
)
_OTHER_COMMANDS = frozenset({"pythonshell", "gluestreaming", "glueray"})
_UNSUPPORTED = (
    "AllocatedCapacity", "MaxCapacity", "CodeGenConfigurationNodes", "SourceControlDetails", "MaintenanceWindow",
    "SecurityConfiguration", "NotificationProperty",
)  # fmt: skip
# Glue's own parameters that would change what a job does, and that nothing here honours
_UNSUPPORTED_ARGUMENTS = frozenset(
    {"--extra-jars", "--extra-files", "--user-jars-first", "--class", "--continuous-log-conversionPattern",
     "--enable-auto-scaling", "--customer-driver-env-vars", "--customer-executor-env-vars"}
)  # fmt: skip
# of pip's options those that say what is so here anyway: a job gets the wheels that it names, and nothing else
_PIP_OPTIONS = frozenset({"--no-deps", "--no-index"})
_OLD_TIMEOUT_MINUTES = 2880
_TIMEOUT_MINUTES = 480
_LONGEST_TIMEOUT_MINUTES = 7 * 24 * 60


def checked_job(operation: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """The definition with AWS's defaults.

    Raises:
        ServiceError: InvalidInputException.
        UnsupportedOperationError: AWS has it, the local AWS has not.

    """
    for name in _UNSUPPORTED:
        if name in given:
            raise UnsupportedOperationError(f'parameter "{name}" of Glue\'s {operation}')
    if given.get("JobMode", "SCRIPT") != "SCRIPT":
        raise UnsupportedOperationError(f'JobMode "{given["JobMode"]}" of Glue\'s {operation}')
    if given.get("JobRunQueuingEnabled"):
        raise UnsupportedOperationError(f"job run queuing in Glue's {operation}")
    if "Role" not in given or "Command" not in given:
        raise invalid_input("Role and Command must be given.")
    command = _checked_command(given["Command"])
    version = given.get("GlueVersion")
    if version not in _GLUE_VERSIONS:
        raise invalid_input(f'GlueVersion "{version}" is none of {", ".join(_GLUE_VERSIONS)}.')
    worker, workers = given.get("WorkerType"), given.get("NumberOfWorkers")
    if worker is None or workers is None:
        raise invalid_input("WorkerType and NumberOfWorkers must be given together.")
    if worker not in _SPARK_WORKERS:
        raise invalid_input(f'WorkerType "{worker}" is none of {", ".join(sorted(_SPARK_WORKERS))}.')
    if workers < 2:
        raise invalid_input("NumberOfWorkers must be 2 or more.")
    retries = given.get("MaxRetries", 0)
    if not 0 <= retries <= 10:
        raise invalid_input("MaxRetries must be between 0 and 10.")
    checked_arguments(operation, merged_arguments(given, {}))
    return dict(given) | {
        "Command": command,
        "JobMode": "SCRIPT",
        "JobRunQueuingEnabled": False,
        "MaxRetries": retries,
        "ExecutionProperty": {"MaxConcurrentRuns": concurrent_runs(given)},
        "Timeout": timeout_minutes(given, given),
        "ExecutionClass": given.get("ExecutionClass", "STANDARD"),
    }


def _checked_command(command: Mapping[str, Any]) -> dict[str, Any]:
    name = command.get("Name")
    if name in _OTHER_COMMANDS:
        raise UnsupportedOperationError(f'Glue job command "{name}"')
    if name != "glueetl":
        raise invalid_input(f'Command.Name "{name}" is none of glueetl, {", ".join(sorted(_OTHER_COMMANDS))}.')
    if command.get("PythonVersion", "3") != "3":
        raise invalid_input("Command.PythonVersion of a Spark job must be 3.")
    if not str(command.get("ScriptLocation", "")).startswith("s3://"):
        raise invalid_input("Command.ScriptLocation must be an s3 URL.")
    return dict(command) | {"PythonVersion": "3"}


def checked_arguments(operation: str, arguments: Mapping[str, str]) -> None:
    """Pass where everything that the arguments ask of Glue itself is done here.

    Raises:
        UnsupportedOperationError: One is not.

    """
    for name, value in arguments.items():
        wanted_elsewhere = name == "--job-language" and value != "python"
        wanted_elsewhere |= name == "--job-bookmark-option" and value != "job-bookmark-disable"
        wanted_elsewhere |= name == "--python-modules-installer-option" and not _PIP_OPTIONS.issuperset(value.split())
        if name in _UNSUPPORTED_ARGUMENTS or wanted_elsewhere:
            raise UnsupportedOperationError(f'job argument "{name}={value}" in Glue\'s {operation}')


def merged_arguments(job: Mapping[str, Any], run: Mapping[str, str]) -> dict[str, str]:
    """The arguments of a run: the job's defaults, under the run's own, under those that no run may replace."""
    return {**job.get("DefaultArguments", {}), **run, **job.get("NonOverridableArguments", {})}


def concurrent_runs(job: Mapping[str, Any]) -> int:
    """How many runs of the job may be under way at once."""
    return int(job.get("ExecutionProperty", {}).get("MaxConcurrentRuns", 1))


def timeout_minutes(job: Mapping[str, Any], given: Mapping[str, Any]) -> int:
    """After how many minutes a run is ended.

    Raises:
        ServiceError: InvalidInputException: more than seven days.

    """
    default = _OLD_TIMEOUT_MINUTES if job.get("GlueVersion") == "4.0" else _TIMEOUT_MINUTES
    minutes = int(given.get("Timeout", job.get("Timeout", default)))
    if not 1 <= minutes <= _LONGEST_TIMEOUT_MINUTES:
        raise invalid_input(f"Timeout must be between 1 and {_LONGEST_TIMEOUT_MINUTES} minutes.")
    return minutes
