"""What a function is told by its environment variables, and the clients it works with: read and made once, at the edge."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeVar

import boto3
from shoplake_core.errors import ConfigError
from shoplake_core.names import ResourceNames
from shoplake_core.project import Project, project_from_bundle

__all__ = ["FunctionEnvironment", "field_of", "function_environment", "run_id_of"]

_VARIABLES = ("SHOPLAKE_ENVIRONMENT", "SHOPLAKE_ACCOUNT", "SHOPLAKE_REGION", "SHOPLAKE_PROJECT")
_T = TypeVar("_T")
_RUN_ID = re.compile(r"[\w.:=@+-]{1,200}")


@dataclass(frozen=True)
class FunctionEnvironment:
    """One environment, as a function in it sees it.

    Attributes:
        names: The environment's resources.
        project_url: `s3://` URL of the project bundle.

    """

    names: ResourceNames
    project_url: str

    def client(self, service: str) -> Any:
        """A boto3 client in the environment's region; boto3 itself honours `AWS_ENDPOINT_URL_*`."""
        return boto3.session.Session(region_name=self.names.region).client(service)  # type: ignore[call-overload]

    @cached_property
    def s3(self) -> Any:
        """A boto3 S3 client."""
        return self.client("s3")

    @cached_property
    def secrets(self) -> Any:
        """A boto3 Secrets Manager client."""
        return self.client("secretsmanager")

    @cached_property
    def project(self) -> Project:
        """The project in its bundle, whose URL changes with its content."""
        bucket, _, key = self.project_url.removeprefix("s3://").partition("/")
        return project_from_bundle(self.s3.get_object(Bucket=bucket, Key=key)["Body"].read().decode())


def function_environment(variables: Mapping[str, str]) -> FunctionEnvironment:
    """The environment that the variables name.

    Raises:
        ConfigError: Naming every variable that is missing.

    """
    missing = [name for name in _VARIABLES if not variables.get(name)]
    if missing:
        raise ConfigError(f"the function lacks {', '.join(missing)}", hint="provision the environment again")
    environment, account, region, project_url = (variables[name] for name in _VARIABLES)
    return FunctionEnvironment(ResourceNames(environment, account, region), project_url)


def field_of(event: Mapping[str, Any], name: str, kind: type[_T]) -> _T:
    """The event's field.

    Raises:
        ConfigError: It is missing, or of another type.

    """
    value = event.get(name)
    if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        raise ConfigError(f'the event\'s "{name}" must be {kind.__name__}, found {value!r}', hint="correct the event")
    return value


def run_id_of(event: Mapping[str, Any]) -> str:
    """The event's run id, fit to stand in an object key.

    Raises:
        ConfigError: It is missing, or holds other characters.

    """
    run_id = field_of(event, "run_id", str)
    if not _RUN_ID.fullmatch(run_id):
        raise ConfigError(f'run id "{run_id}" cannot stand in a key', hint=f"it must match {_RUN_ID.pattern}")
    return run_id
