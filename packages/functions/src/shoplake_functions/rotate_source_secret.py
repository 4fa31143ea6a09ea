"""Secrets Manager's four steps of a rotation, for the password of MySQL's user: each may be repeated at any time.

https://docs.aws.amazon.com/secretsmanager/latest/userguide/rotate-secrets_lambda-functions.html
One user changes its own password, so every host and grant of it stays, and logins that are open stay open. MySQL 8 keeps
the old password valid until the new one is current. MariaDB cannot: who reads the secret between the two moments is
refused, and reads it again.
"""

import json
import secrets as randomness
import string
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from botocore.exceptions import ClientError
from pymysql.constants import ER
from shoplake_core.errors import ConfigError, ConflictError, CredentialError, ResourceError
from shoplake_mysql.connections import connect, execute
from shoplake_mysql.server_facts import Flavour, ServerFacts, read_server_facts

from shoplake_functions.source_secret import endpoint_of, secret_fields

__all__ = ["RotationStep", "SecretRotation", "password_changes"]

_CURRENT, _PENDING, _PREVIOUS = "AWSCURRENT", "AWSPENDING", "AWSPREVIOUS"
_PASSWORD_CHARACTERS = 32
# no sign that JSON, a URL or a server's option file reads as its own, and each class that validate_password asks for
_CLASSES = (string.ascii_lowercase, string.ascii_uppercase, string.digits, "-_.+")
_FIXED = ("host", "port", "username")
_TWO_PASSWORDS_SINCE = (8, 0, 14)
_RETAIN = " RETAIN CURRENT PASSWORD"


class RotationStep(StrEnum):
    """What Secrets Manager asks for, in its order."""

    CREATE = "createSecret"
    SET = "setSecret"
    TEST = "testSecret"
    FINISH = "finishSecret"


@dataclass(frozen=True, slots=True)
class SecretRotation:
    """One rotation.

    Attributes:
        secrets: A boto3 `secretsmanager` client.
        secret_id: The secret's ARN.
        token: The version that will be current.

    """

    secrets: Any
    secret_id: str
    token: str

    def take(self, step: RotationStep) -> None:
        """Do the step; a version that is current already needs none but the end of the last.

        Raises:
            ConfigError: The secret is not rotated, or the version is not one that is rotated to.
            CredentialError: MySQL takes none of the secret's passwords, or a value is not of the expected form.
            ResourceError: MySQL refused the new password, or is not there.

        """
        stages = self._stages()
        if self.token not in stages:
            raise ConfigError(
                f"version {self.token} of {self.secret_id} is not there to be rotated to",
                hint="start the rotation again: aws secretsmanager rotate-secret",
            )
        if _CURRENT in stages[self.token]:
            if step is RotationStep.FINISH:
                self._forget_old_password()
            return
        if _PENDING not in stages[self.token]:
            raise ConfigError(
                f"version {self.token} of {self.secret_id} is not staged as {_PENDING}",
                hint="start the rotation again: aws secretsmanager rotate-secret",
            )
        match step:
            case RotationStep.CREATE:
                self._create()
            case RotationStep.SET:
                self._set()
            case RotationStep.TEST:
                connect(endpoint_of(self._fields(_PENDING))).close()
            case RotationStep.FINISH:
                self._finish(stages)

    def _stages(self) -> dict[str, list[str]]:
        described = self.secrets.describe_secret(SecretId=self.secret_id)
        if not described.get("RotationEnabled"):
            raise ConfigError(f"{self.secret_id} is not rotated", hint="enable its rotation, then start it again")
        return dict(described["VersionIdsToStages"])

    def _fields(self, stage: str) -> dict[str, Any]:
        version = {"VersionId": self.token} if stage == _PENDING else {}
        text = self.secrets.get_secret_value(SecretId=self.secret_id, VersionStage=stage, **version)["SecretString"]
        return secret_fields(text, name=self.secret_id)

    def _fields_or_none(self, stage: str) -> dict[str, Any] | None:
        try:
            return self._fields(stage)
        except ClientError as error:
            if error.response["Error"]["Code"] != "ResourceNotFoundException":
                raise
            return None

    def _create(self) -> None:
        current = self._fields(_CURRENT)
        if self._fields_or_none(_PENDING) is not None:
            return  # a repeated step must not make a second password: the first may be MySQL's already
        self.secrets.put_secret_value(
            SecretId=self.secret_id,
            ClientRequestToken=self.token,
            SecretString=json.dumps(current | {"password": _new_password()}),
            VersionStages=[_PENDING],
        )

    def _set(self) -> None:
        current, pending = self._fields(_CURRENT), self._fields(_PENDING)
        changed = [field for field in _FIXED if str(current[field]) != str(pending[field])]
        if changed:
            # or a pending version made by hand would send the current password to another server
            raise ConfigError(
                f"the pending version of {self.secret_id} has another {', '.join(changed)}",
                hint="a rotation changes the password alone: change the current version by hand, then start it again",
            )
        if _takes(pending):
            return  # set by an earlier attempt
        # the previous one is valid where a rotation broke off after MySQL was changed and was then given up
        previous = self._fields_or_none(_PREVIOUS)
        candidates = [current]
        if previous is not None and all(str(previous[field]) == str(current[field]) for field in _FIXED):
            candidates.append(previous)
        for fields in candidates:
            if _takes(fields):
                _change_password(fields, pending["password"])
                return
        raise CredentialError(
            f"MySQL at {current['host']}:{current['port']} takes no password of {current['username']}: "
            "neither the pending, nor the current, nor the previous one",
            hint="set the user's password to the current one: ALTER USER, then start the rotation again",
        )

    def _finish(self, stages: dict[str, list[str]]) -> None:
        current = next((version for version, own in stages.items() if _CURRENT in own), None)
        if current is None:
            raise ConflictError(f"{self.secret_id} has no current version", hint="start the rotation again")
        self.secrets.update_secret_version_stage(
            SecretId=self.secret_id, VersionStage=_CURRENT, MoveToVersionId=self.token, RemoveFromVersionId=current
        )
        self._forget_old_password()

    def _forget_old_password(self) -> None:
        connection = connect(endpoint_of(self._fields(_CURRENT)))
        try:
            if _keeps_two(read_server_facts(connection)):
                execute(connection, "ALTER USER CURRENT_USER() DISCARD OLD PASSWORD")
        except (ResourceError, CredentialError) as error:
            if error.values.get("errno") != ER.SPECIFIC_ACCESS_DENIED_ERROR:
                raise  # without the right for it, no second password was kept
        finally:
            connection.close()


def _new_password() -> str:
    every = "".join(_CLASSES)
    letters = [randomness.choice(letters) for letters in _CLASSES]
    letters += [randomness.choice(every) for _ in range(_PASSWORD_CHARACTERS - len(letters))]
    randomness.SystemRandom().shuffle(letters)
    return "".join(letters)


def _takes(fields: dict[str, Any]) -> bool:
    try:
        connect(endpoint_of(fields)).close()
    except CredentialError:
        return False
    return True


def _keeps_two(facts: ServerFacts) -> bool:
    return facts.flavour is Flavour.MYSQL and facts.version >= _TWO_PASSWORDS_SINCE


def _change_password(fields: dict[str, Any], password: str) -> None:
    connection = connect(endpoint_of(fields))
    try:
        facts = read_server_facts(connection)
        for statement in password_changes(facts):
            try:
                execute(connection, statement, (password,))
            except (ResourceError, CredentialError) as error:
                if statement.endswith(_RETAIN) and error.values.get("errno") == ER.SPECIFIC_ACCESS_DENIED_ERROR:
                    continue  # the user may not keep two: APPLICATION_PASSWORD_ADMIN lacks
                raise
            return
    except (ResourceError, CredentialError) as error:
        # the refused statement, and so this error's cause, may hold the password
        raise ResourceError(
            f"MySQL refused to change the password of {fields['username']} (error {error.values.get('errno')})",
            hint="check the server's rules for passwords, and that the user may change its own",
        ) from None
    finally:
        connection.close()


def password_changes(facts: ServerFacts) -> tuple[str, ...]:
    """The statements by which a user changes its own password there, best first; each takes the password."""
    if facts.flavour is Flavour.MARIADB:
        return ("SET PASSWORD = PASSWORD(%s)",)  # its ALTER USER asks for the right to create users
    change = "ALTER USER CURRENT_USER() IDENTIFIED BY %s"
    return (f"{change}{_RETAIN}", change) if _keeps_two(facts) else (change,)
