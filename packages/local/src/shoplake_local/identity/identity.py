"""Who may call the front: the operator, who may do everything, and roles, each held to its own policies."""

from collections.abc import Callable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from botocore.model import OperationModel

from shoplake_local.identity.policies import Decision, conditions_hold, decide, no_tags, statements
from shoplake_local.identity.resources import action_of, resources_of
from shoplake_local.identity.store import IdentityStore, KeyPair, RecordedAction
from shoplake_local.moto_services.roles import IamRoles, Role
from shoplake_local.service import ServiceError

__all__ = ["Caller", "Identity", "current_caller"]

_FORBIDDEN = 403
_STATEMENT_MAKERS = frozenset({"redshift-data:ExecuteStatement", "redshift-data:BatchExecuteStatement"})


@dataclass(frozen=True, slots=True)
class Caller:
    """Who signed a request.

    Attributes:
        access_key_id: Of the pair that signed.
        secret_access_key: Of the pair that signed.
        role: Whose pair it is; None for the operator.

    """

    access_key_id: str
    secret_access_key: str = field(repr=False)
    role: Role | None = None


current_caller: ContextVar[Caller | None] = ContextVar("who called the service that runs now", default=None)


class Identity:
    """Roles as callers.

    Args:
        path: Where key pairs and the record are kept.
        roles: IAM's roles as they are now.
        account: The account.
        region: The region.

    """

    def __init__(self, path: Path, roles: IamRoles, *, account: str, region: str) -> None:
        self._store = IdentityStore(path)
        self._roles = roles
        self.account = account
        self.region = region
        self.tags_of: Callable[[str], Mapping[str, str]] = no_tags

    def role_credentials(self, role_arn: str, *, service: str | None = None) -> KeyPair:
        """The role's key pair, for whoever runs code as that role: no HTTP call, the same process.

        Args:
            role_arn: The role.
            service: Who runs it, such as "lambda.amazonaws.com": the role must trust it.

        Raises:
            ServiceError: There is no such role, or it does not trust the service.

        """
        role = self._roles.by_arn(role_arn)
        if role is None or (service is not None and not self._trusts(role, "Service", {service})):
            who = service or "anybody"
            message = (
                f"The role {role_arn} does not exist or does not trust {who}: create it, or correct its trust policy"
            )
            raise ServiceError("AccessDeniedException", message, _FORBIDDEN)
        return self._store.pair_of(role_arn)

    def assumed(self, role_arn: str, *, caller: Caller | None) -> tuple[Role, KeyPair]:
        """The role and its pair for a caller of AssumeRole.

        Raises:
            ServiceError: AccessDenied: no such role, or it does not trust the caller.

        """
        root = f"arn:aws:iam::{self.account}:root"
        principal = caller.role.arn if caller is not None and caller.role is not None else root
        role = self._roles.by_arn(role_arn)
        if role is None or not self._trusts(role, "AWS", {principal, root, self.account}):
            message = f"User: {principal} is not authorized to perform: sts:AssumeRole on resource: {role_arn}"
            raise ServiceError("AccessDenied", message, _FORBIDDEN)
        return role, self._store.pair_of(role_arn)

    def caller(self, access_key_id: str) -> Caller | None:
        """The role with that access key id; None where there is none any more."""
        pair = self._store.by_access_key_id(access_key_id)
        role = self._roles.by_arn(pair.role_arn) if pair is not None else None
        if pair is None or role is None:
            return None
        return Caller(pair.access_key_id, pair.secret_access_key, role)

    def callers(self) -> list[Caller]:
        """Every role that is there and has a pair."""
        found = (self._store.pair_of(arn) if self._roles.by_arn(arn) else None for arn in self._store.role_arns())
        return [caller for pair in found if pair is not None and (caller := self.caller(pair.access_key_id))]

    def has_roles(self) -> bool:
        """Whether any role has a pair; asks no service."""
        return bool(self._store.role_arns())

    def standing_context(self, role: Role) -> dict[str, str]:
        """The condition keys (lower case) that are the same for every request of the role."""
        return {
            "aws:requestedregion": self.region,
            "aws:principalaccount": self.account,
            "aws:principalarn": role.arn,
            "aws:userid": _user_id(role),
            # loopback: nobody can listen, which is what a policy wants to know
            "aws:securetransport": "true",
        }

    def check(self, caller: Caller, operation: OperationModel, parameters: dict[str, Any]) -> None:
        """Record what a role calls, and let pass what its policies allow.

        Raises:
            ServiceError: AccessDeniedException, in AWS's words.

        """
        if caller.role is None:
            return
        action = action_of(operation)
        if action == "sts:GetCallerIdentity":  # needs no permission, and no policy can take it away
            return
        resources = resources_of(operation, parameters, account=self.account, region=self.region)
        decision = decide(
            caller.role.policies,
            action,
            resources=resources,
            context=self._context(caller.role, action, parameters),
            tags_of=self.tags_of,
        )
        self._store.record(caller.role.arn, action, allowed=decision is Decision.ALLOWED)
        if decision is Decision.ALLOWED:
            return
        on = f" on resource: {resources[-1]}" if resources else ""
        who = f"arn:aws:sts::{self.account}:assumed-role/{caller.role.name}/local"
        why = decision.value.format(action=action)
        message = f"User: {who} is not authorized to perform: {action}{on} {why}"
        raise ServiceError("AccessDeniedException", message, _FORBIDDEN)

    def answered(self, caller: Caller, operation: OperationModel, answer: Mapping[str, Any]) -> None:
        """Told of every success of a role: a SQL statement belongs to who began it."""
        if caller.role is not None and action_of(operation) in _STATEMENT_MAKERS:
            self._store.own_statement(str(answer["Id"]), _user_id(caller.role))

    def written(self, service: str, operation: str, parameters: dict[str, Any]) -> None:
        """Told of every write: a created role has its pair at once, a deleted one has none."""
        if service == "iam" and operation == "CreateRole":
            role = self._roles.by_name(parameters["RoleName"])
            if role is not None:
                self._store.pair_of(role.arn)
        elif service == "iam" and operation == "DeleteRole":
            name = f"/{parameters['RoleName']}"
            for arn in self._store.role_arns():
                if arn.endswith(name):
                    self._store.forget(arn)

    def recorded_actions(self) -> list[RecordedAction]:
        """What roles called so far."""
        return self._store.recorded()

    def close(self) -> None:
        """Close the store."""
        self._store.close()

    def _context(self, role: Role, action: str, parameters: dict[str, Any]) -> dict[str, str]:
        context = self.standing_context(role)
        if isinstance(parameters.get("Namespace"), str):
            context["cloudwatch:namespace"] = parameters["Namespace"]
        if action.startswith("redshift-data:") and "Id" in parameters:
            context["redshift-data:statement-owner-iam-userid"] = self._store.statement_owner(parameters["Id"])
        return context

    def _trusts(self, role: Role, kind: str, principals: set[str]) -> bool:
        # a service of this account calls for itself; an operator or a role of it for its own account
        context = {"aws:sourceaccount": self.account} if kind == "Service" else {"aws:principalaccount": self.account}
        trusted = False
        for statement in statements(role.trust):
            principal = statement.get("Principal", {})
            named = principal if principal == "*" else principal.get(kind, [])
            names = {named} if isinstance(named, str) else set(named)
            if ("*" in names or names & principals) and conditions_hold(statement, context):
                if statement["Effect"] == "Deny":
                    return False
                trusted = True
        return trusted


def _user_id(role: Role) -> str:
    return f"{role.role_id}:local"
