"""Operations on state machines: what they are called with, checked, stored and shown."""

import json
import uuid
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from shoplake_orchestration.lint import structure_faults
from shoplake_orchestration.scopes import every_state

from shoplake_local.service import ServiceError, UnsupportedOperationError
from shoplake_local.stepfunctions.engine import Engine
from shoplake_local.stepfunctions.pages import page
from shoplake_local.stepfunctions.store import MachineRecord

__all__ = ["Machines", "found_machine", "moment"]

_EXTRAS = ("loggingConfiguration", "tracingConfiguration")
_UNSUPPORTED = ("publish", "versionDescription", "encryptionConfiguration")
_LONGEST_NAME = 80
_FORBIDDEN = frozenset(' \t\r\n<>{}[]?*"#%\\^|~`$&,;:/') | {chr(code) for code in (*range(32), *range(127, 160))}
_MOST_TAGS = 50
_MOST_DIAGNOSTICS = 100


def moment(seconds: float) -> datetime:
    """Epoch seconds as a time in UTC."""
    return datetime.fromtimestamp(seconds, tz=UTC)


def check_name(name: str) -> None:
    """Raise InvalidName where AWS does."""
    if not 1 <= len(name) <= _LONGEST_NAME or not _FORBIDDEN.isdisjoint(name):
        raise ServiceError("InvalidName", f"Invalid Name: '{name}'")


def found_machine(engine: Engine, arn: str) -> MachineRecord:
    """The machine with that ARN.

    Raises:
        ServiceError: InvalidArn or StateMachineDoesNotExist.

    """
    parts = arn.split(":")
    if len(parts) < 7 or parts[:3] != ["arn", "aws", "states"] or parts[5] != "stateMachine":
        raise ServiceError("InvalidArn", f"Invalid Arn: '{arn}'")
    if len(parts) > 7:
        raise UnsupportedOperationError("versions and aliases of state machines")
    machine = engine.store.machine(arn)
    if machine is None:
        raise ServiceError("StateMachineDoesNotExist", f"State Machine Does Not Exist: '{arn}'")
    return machine


def _faults(text: str) -> tuple[str, ...]:
    try:
        definition = json.loads(text)
    except ValueError as error:
        return (f"/: the definition is not JSON: {error}",)
    if not isinstance(definition, Mapping):
        return ("/: the definition must be a JSON object",)
    beyond = tuple(
        f"{path}/HeartbeatSeconds: the local AWS has no heartbeats"
        for path, _name, state in every_state(definition)
        if "HeartbeatSeconds" in state
    )
    return (*structure_faults(definition), *beyond)


class Machines:
    """The operations, over the engine's store."""

    def __init__(self, engine: Engine, *, account: str, region: str) -> None:
        self._engine = engine
        self._prefix = f"arn:aws:states:{region}:{account}:stateMachine"

    def create(self, parameters: dict[str, Any]) -> dict[str, Any]:
        """CreateStateMachine; the same again is answered as before."""
        self._check(parameters)
        name, now = parameters["name"], self._engine.clock.now().timestamp()
        check_name(name)
        tags = {tag["key"]: tag.get("value", "") for tag in parameters.get("tags", ())}
        _check_tags(tags)
        machine = MachineRecord(
            arn=f"{self._prefix}:{name}",
            name=name,
            definition=parameters["definition"],
            role_arn=parameters["roleArn"],
            created_at=now,
            updated_at=now,
            revision_id=str(uuid.uuid4()),
            deleting=False,
            tags=tags,
            extras=_extras(parameters),
        )
        with self._engine.store.transaction():
            before = self._engine.store.machine(machine.arn)
            if before is None:
                self._engine.store.put_machine(machine)
                return {"stateMachineArn": machine.arn, "creationDate": moment(now)}
        if before.deleting:
            raise ServiceError("StateMachineDeleting", f"State Machine is being deleted: '{machine.arn}'")
        if _identity(before) != _identity(machine):
            raise ServiceError("StateMachineAlreadyExists", f"State Machine Already Exists: '{machine.arn}'")
        return {"stateMachineArn": before.arn, "creationDate": moment(before.created_at)}

    def update(self, parameters: dict[str, Any]) -> dict[str, Any]:
        """UpdateStateMachine: what runs keeps the definition that it began with."""
        changed = {name for name in ("definition", "roleArn", *_EXTRAS) if name in parameters}
        if not changed:
            raise ServiceError(
                "MissingRequiredParameter",
                "Either the definition, the role ARN, the LoggingConfiguration, or the TracingConfiguration must be specified",
            )
        self._check(parameters)
        with self._engine.store.transaction():
            machine = found_machine(self._engine, parameters["stateMachineArn"])
            if machine.deleting:
                raise ServiceError("StateMachineDeleting", f"State Machine is being deleted: '{machine.arn}'")
            updated = replace(
                machine,
                definition=parameters.get("definition", machine.definition),
                role_arn=parameters.get("roleArn", machine.role_arn),
                extras=machine.extras | _extras(parameters),
                updated_at=self._engine.clock.now().timestamp(),
                revision_id=str(uuid.uuid4()),
            )
            self._engine.store.put_machine(updated)
        return {"updateDate": moment(updated.updated_at), "revisionId": updated.revision_id}

    def describe(self, parameters: dict[str, Any]) -> dict[str, Any]:
        """DescribeStateMachine."""
        machine = found_machine(self._engine, parameters["stateMachineArn"])
        answer = {
            "stateMachineArn": machine.arn,
            "name": machine.name,
            "status": "DELETING" if machine.deleting else "ACTIVE",
            "definition": machine.definition,
            "roleArn": machine.role_arn,
            "type": "STANDARD",
            "creationDate": moment(machine.created_at),
            "loggingConfiguration": {"level": "OFF", "includeExecutionData": False},
            "tracingConfiguration": {"enabled": False},
            **machine.extras,
        }
        return answer | ({"revisionId": machine.revision_id} if machine.updated_at != machine.created_at else {})

    def delete(self, parameters: dict[str, Any]) -> dict[str, Any]:
        """DeleteStateMachine: at once, or when its last execution ends; one that is not there is no error."""
        try:
            machine = found_machine(self._engine, parameters["stateMachineArn"])
        except ServiceError as error:
            if error.code == "StateMachineDoesNotExist":
                return {}
            raise
        self._engine.store.put_machine(replace(machine, deleting=True))
        self._engine.forget_deleted(machine.arn)
        return {}

    def list(self, parameters: dict[str, Any]) -> dict[str, Any]:
        """ListStateMachines."""
        members, more = page(self._engine.store.machines(), parameters)
        shown = [
            {
                "stateMachineArn": machine.arn,
                "name": machine.name,
                "type": "STANDARD",
                "creationDate": moment(machine.created_at),
            }
            for machine in members
        ]
        return {"stateMachines": shown, **more}

    def tag(self, parameters: dict[str, Any]) -> dict[str, Any]:
        """TagResource."""
        with self._engine.store.transaction():
            machine = self._tagged(parameters)
            tags = machine.tags | {tag["key"]: tag.get("value", "") for tag in parameters["tags"]}
            _check_tags(tags)
            self._engine.store.put_machine(replace(machine, tags=tags))
        return {}

    def untag(self, parameters: dict[str, Any]) -> dict[str, Any]:
        """UntagResource."""
        with self._engine.store.transaction():
            machine = self._tagged(parameters)
            tags = {key: value for key, value in machine.tags.items() if key not in parameters["tagKeys"]}
            self._engine.store.put_machine(replace(machine, tags=tags))
        return {}

    def list_tags(self, parameters: dict[str, Any]) -> dict[str, Any]:
        """ListTagsForResource."""
        return {"tags": [{"key": key, "value": value} for key, value in self._tagged(parameters).tags.items()]}

    def validate(self, parameters: dict[str, Any]) -> dict[str, Any]:
        """ValidateStateMachineDefinition."""
        if parameters.get("type", "STANDARD") != "STANDARD":
            raise UnsupportedOperationError("express state machines")
        faults = _faults(parameters["definition"])
        most = parameters.get("maxResults") or _MOST_DIAGNOSTICS
        shown = [
            {"severity": "ERROR", "code": "SCHEMA_VALIDATION_FAILED", "location": where, "message": what}
            for where, _, what in (fault.partition(": ") for fault in faults[:most])
        ]
        return {"result": "FAIL" if faults else "OK", "diagnostics": shown, "truncated": len(faults) > most}

    def _tagged(self, parameters: dict[str, Any]) -> MachineRecord:
        try:
            return found_machine(self._engine, parameters["resourceArn"])
        except ServiceError as error:
            if error.code == "StateMachineDoesNotExist":
                raise ServiceError("ResourceNotFound", f"Resource not found: '{parameters['resourceArn']}'") from error
            raise

    @staticmethod
    def _check(parameters: dict[str, Any]) -> None:
        for name in _UNSUPPORTED:
            if parameters.get(name):
                raise UnsupportedOperationError(f"{name} of state machines")
        if parameters.get("type", "STANDARD") != "STANDARD":
            raise UnsupportedOperationError("express state machines")
        role = parameters.get("roleArn")
        if role is not None and not (role.startswith("arn:aws:iam::") and ":role/" in role):
            raise ServiceError("InvalidArn", f"Invalid Role Arn: '{role}'")
        if "definition" in parameters:
            faults = _faults(parameters["definition"])
            if faults:
                listed = ", ".join(f"SCHEMA_VALIDATION_FAILED: {fault}" for fault in faults)
                raise ServiceError("InvalidDefinition", f"Invalid State Machine Definition: '{listed}'")


def _extras(parameters: dict[str, Any]) -> dict[str, Any]:
    return {name: parameters[name] for name in _EXTRAS if name in parameters}


def _identity(machine: MachineRecord) -> tuple[Any, ...]:
    """What makes a second create the same as the first."""
    return machine.name, machine.definition, machine.role_arn, machine.extras


def _check_tags(tags: Mapping[str, str]) -> None:
    if len(tags) > _MOST_TAGS:
        raise ServiceError("TooManyTags", f"A resource has at most {_MOST_TAGS} tags; these are {len(tags)}.")
