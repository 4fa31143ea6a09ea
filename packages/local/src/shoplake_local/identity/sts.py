"""STS of the local AWS: who am I, and a role's key pair for whom it trusts."""

from datetime import timedelta
from typing import Any

from shoplake_core.clock import Clock

from shoplake_local.identity.identity import Identity, current_caller
from shoplake_local.service import UnsupportedOperationError

__all__ = ["StsService"]

_DURATION_SECONDS = 3600


class StsService:
    """AssumeRole and GetCallerIdentity.

    Args:
        identity: Roles and their pairs.
        clock: For the expiration that is answered; a pair lives as long as its role.

    """

    service_name = "sts"

    def __init__(self, identity: Identity, *, clock: Clock) -> None:
        self._identity = identity
        self._clock = clock

    def call(self, operation: str, parameters: dict[str, Any]) -> dict[str, Any]:
        """The members of the answer."""
        if operation == "AssumeRole":
            return self._assumed(parameters)
        if operation == "GetCallerIdentity":
            return self._caller()
        raise UnsupportedOperationError(f'operation "{operation}" of sts')

    def close(self) -> None:
        """Nothing."""

    def _assumed(self, parameters: dict[str, Any]) -> dict[str, Any]:
        known = {"RoleArn", "RoleSessionName", "DurationSeconds"}
        for name in sorted(set(parameters) - known):
            raise UnsupportedOperationError(f'parameter "{name}" of AssumeRole')
        role, pair = self._identity.assumed(parameters["RoleArn"], caller=current_caller.get())
        session = parameters["RoleSessionName"]
        lasts = timedelta(seconds=parameters.get("DurationSeconds", _DURATION_SECONDS))
        return {
            "Credentials": {
                "AccessKeyId": pair.access_key_id,
                "SecretAccessKey": pair.secret_access_key,
                "SessionToken": pair.session_token,
                "Expiration": self._clock.now() + lasts,
            },
            "AssumedRoleUser": {
                "AssumedRoleId": f"{role.role_id}:{session}",
                "Arn": f"arn:aws:sts::{self._identity.account}:assumed-role/{role.name}/{session}",
            },
        }

    def _caller(self) -> dict[str, Any]:
        caller, account = current_caller.get(), self._identity.account
        if caller is None or caller.role is None:
            return {"UserId": account, "Account": account, "Arn": f"arn:aws:iam::{account}:root"}
        return {
            "UserId": f"{caller.role.role_id}:local",
            "Account": account,
            "Arn": f"arn:aws:sts::{account}:assumed-role/{caller.role.name}/local",
        }
