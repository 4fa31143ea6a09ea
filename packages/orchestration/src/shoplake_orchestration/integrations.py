"""What is wrong in a Task's Resource and Arguments: the service, the action and its parameters.

Actions and parameters come from botocore's own models, which `infra` and `local` bring: without botocore only the
form of the Resource is looked at. Step Functions writes every parameter in PascalCase, whatever the service's API says:
https://docs.aws.amazon.com/step-functions/latest/dg/supported-services-awssdk.html
"""

import importlib
import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from shoplake_orchestration.scopes import every_state

__all__ = ["SDK_SERVICES", "integration_faults"]

SDK_SERVICES: Mapping[str, str] = {
    "cloudwatch": "cloudwatch",
    "databasemigration": "dms",
    "dynamodb": "dynamodb",
    "eventbridge": "events",
    "glue": "glue",
    "lambda": "lambda",
    "quicksight": "quicksight",
    "redshiftdata": "redshift-data",
    "s3": "s3",
    "secretsmanager": "secretsmanager",
    "sfn": "stepfunctions",
    "sns": "sns",
}
"""Step Functions' name of a service, and botocore's."""

_OPTIMISED: Mapping[str, tuple[str, str, frozenset[str]]] = {
    "lambda:invoke": ("lambda", "Invoke", frozenset({"Payload"})),
    "glue:startJobRun.sync": ("glue", "StartJobRun", frozenset()),
    "sns:publish": ("sns", "Publish", frozenset({"Message"})),
}
"""Optimised integrations: botocore's service and operation, and the parameters that take any JSON."""

_RESOURCE = re.compile(r"arn:aws:states:::(?P<integration>.+)", re.DOTALL)
_SDK = re.compile(r"aws-sdk:(?P<service>[a-z0-9]+):(?P<action>[a-z][A-Za-z0-9]*)")


def integration_faults(definition: Mapping[str, Any]) -> Iterator[str]:
    """Each fault as "<path>: <what>"."""
    for path, _name, state in every_state(definition):
        resource = state.get("Resource")
        if state.get("Type") == "Task" and isinstance(resource, str):
            yield from _task_faults(resource, state.get("Arguments", {}), path=path)


def _task_faults(resource: str, arguments: Any, *, path: str) -> Iterator[str]:
    matched = _RESOURCE.fullmatch(resource)
    integration = matched["integration"] if matched else ""
    sdk = _SDK.fullmatch(integration)
    if integration in _OPTIMISED:
        service, operation, free = _OPTIMISED[integration]
    elif sdk and sdk["service"] in SDK_SERVICES:
        service, operation, free = SDK_SERVICES[sdk["service"]], _pascal(sdk["action"]), frozenset()
    else:
        known = [*_OPTIMISED, f"aws-sdk:<{'|'.join(SDK_SERVICES)}>:<action>"]
        yield f"{path}/Resource: {resource!r} is not supported; known are arn:aws:states::: with {', '.join(known)}"
        return
    model = _service_model(service)
    if model is None:
        return
    if operation not in model.operation_names:
        yield f"{path}/Resource: the service {service} has no action {operation}"
        return
    shape = model.operation_model(operation).input_shape
    if shape is None:
        if arguments:
            yield f"{path}/Arguments: {operation} takes none"
    else:
        yield from _value_faults(arguments, shape, path=f"{path}/Arguments", free=free)


def _pascal(name: str) -> str:
    return name[:1].upper() + name[1:]


@cache
def _service_model(service: str) -> Any:
    """The model of the service; None where botocore is not installed."""
    try:
        loaders = importlib.import_module("botocore.loaders")
        models = importlib.import_module("botocore.model")
    except ImportError:
        return None
    return models.ServiceModel(loaders.Loader().load_service_model(service, "service-2"), service)


_LITERALS: Mapping[str, tuple[type, ...]] = {
    "string": (str,),
    "integer": (int,),
    "long": (int,),
    "float": (int, float),
    "double": (int, float),
    "boolean": (bool,),
    "list": (list,),
    "map": (Mapping,),
    "structure": (Mapping,),
}


def _value_faults(value: Any, shape: Any, *, path: str, free: frozenset[str] = frozenset()) -> Iterator[str]:
    """Faults of a value as far as it is literal: what an expression yields is only known when it runs."""
    if isinstance(value, str) and value.startswith("{%"):
        return
    kinds: tuple[type, ...] = _LITERALS.get(shape.type_name, (object,))
    literal: Any = value
    if not isinstance(value, kinds) or (isinstance(value, bool) and bool not in kinds and object not in kinds):
        yield f"{path}: expected {shape.type_name}, found {value!r}"
    elif shape.type_name == "structure":
        yield from _structure_faults(literal, shape, path=path, free=free)
    elif shape.type_name == "list":
        for number, member in enumerate(literal):
            yield from _value_faults(member, shape.member, path=f"{path}/{number}")
    elif shape.type_name == "map":
        for key, member in literal.items():
            yield from _value_faults(member, shape.value, path=f"{path}/{key}")


def _structure_faults(value: Mapping[str, Any], shape: Any, *, path: str, free: frozenset[str]) -> Iterator[str]:
    members = {_pascal(name): member for name, member in shape.members.items()}
    for name, given in value.items():
        if name not in members:
            yield f"{path}/{name}: {shape.name} has no such parameter; it has {', '.join(sorted(members))}"
        elif name not in free:
            yield from _value_faults(given, members[name], path=f"{path}/{name}")
    for name in shape.required_members:
        if _pascal(name) not in value and not shape.members[name].metadata.get("idempotencyToken"):
            yield f"{path}/{_pascal(name)}: this parameter is missing"
