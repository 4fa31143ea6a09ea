"""The roles of moto's IAM, read for the front's own decisions."""

import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

from shoplake_local.moto_services.backends import MotoBackends

__all__ = ["IamRoles", "Role"]


@dataclass(frozen=True, slots=True)
class Role:
    """A role as it is now.

    Attributes:
        arn: Its ARN.
        name: Its name.
        role_id: "AROA...".
        trust: The document that says who may assume it.
        policies: Its inline and attached documents.

    """

    arn: str
    name: str
    role_id: str
    trust: dict[str, Any]
    policies: tuple[dict[str, Any], ...]


class IamRoles:
    """Reads roles.

    Args:
        backends: Where IAM is.

    """

    def __init__(self, backends: MotoBackends) -> None:
        self._backends = backends

    def by_arn(self, arn: str) -> Role | None:
        """The role; None where there is none."""
        for role in tuple(self._backends.backend("iam").roles.values()):
            if role.arn == arn:
                return _role(role)
        return None

    def by_name(self, name: str) -> Role | None:
        """The role; None where there is none."""
        for role in tuple(self._backends.backend("iam").roles.values()):
            if role.name == name:
                return _role(role)
        return None


def _role(role: Any) -> Role:
    documents = [_document(text) for text in role.policies.values()]
    documents += [_document(_default_text(policy)) for policy in role.managed_policies.values()]
    return Role(role.arn, role.name, role.id, _document(role.assume_role_policy_document), tuple(documents))


def _default_text(policy: Any) -> Any:
    return next(version.document for version in policy.versions if version.version_id == policy.default_version_id)


def _document(text: Any) -> dict[str, Any]:
    if isinstance(text, dict):
        return text
    return json.loads(text if text.lstrip().startswith("{") else unquote(text))  # type: ignore[no-any-return]
