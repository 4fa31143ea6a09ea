"""Namespaces, workgroups and usage limits as they are kept, and how they settle after a change."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from shoplake_core.clock import Clock

from shoplake_local.jobs.documents import Documents
from shoplake_local.service import ServiceError, UnsupportedOperationError

__all__ = ["AVAILABLE", "Records", "conflict", "invalid", "not_found", "tags_from"]

AVAILABLE = "AVAILABLE"
_SETTLING_SECONDS = 0.5  # minutes on AWS; long enough for a caller that does not wait to be refused
_MOST_TAGS = 50


def invalid(message: str) -> ServiceError:
    """ValidationException."""
    return ServiceError("ValidationException", message)


def conflict(message: str) -> ServiceError:
    """ConflictException."""
    return ServiceError("ConflictException", message)


def not_found(what: str, name: str) -> ServiceError:
    """ResourceNotFoundException."""
    return ServiceError("ResourceNotFoundException", f"{what} {name} not found", members={"resourceName": name})


def tags_from(tags: list[dict[str, str]]) -> dict[str, str]:
    """The mapping of AWS's list.

    Raises:
        ServiceError: TooManyTagsException.

    """
    found = {tag["key"]: tag["value"] for tag in tags}
    if len(found) > _MOST_TAGS:
        raise ServiceError("TooManyTagsException", f"A resource has at most {_MOST_TAGS} tags.")
    return found


@dataclass(frozen=True, slots=True)
class Records:
    """The documents of one account and region. A kind is the shape's name: "Namespace", "Workgroup", "UsageLimit"."""

    documents: Documents
    clock: Clock
    account: str
    region: str

    def arn(self, resource: str, identifier: str) -> str:
        """The ARN of one."""
        return f"arn:aws:redshift-serverless:{self.region}:{self.account}:{resource}/{identifier}"

    def now(self) -> datetime:
        """The time."""
        return self.clock.now()

    def get(self, kind: str, name: str) -> dict[str, Any]:
        """The one of that name, as it is now.

        Raises:
            ServiceError: ResourceNotFoundException.

        """
        document = self.documents.get(kind, name)
        settled = None if document is None else self._settled(kind, name, document)
        if settled is None:
            raise not_found(kind, name)
        return settled

    def idle(self, kind: str, name: str) -> dict[str, Any]:
        """The one of that name, where no change of it is under way.

        Raises:
            ServiceError: ResourceNotFoundException, ConflictException.

        """
        document = self.get(kind, name)
        if document["status"] != AVAILABLE:
            raise conflict(
                f"There is an operation running on the {kind.lower()} {name}. Try again when it is available."
            )
        return document

    def all(self, kind: str) -> list[dict[str, Any]]:
        """Every one, by name."""
        name_of = {"Namespace": "namespaceName", "Workgroup": "workgroupName", "UsageLimit": "usageLimitId"}[kind]
        settled = (self._settled(kind, document[name_of], document) for document in self.documents.all(kind))
        return [document for document in settled if document is not None]

    def changing(self, kind: str, name: str, document: Mapping[str, Any], status: str) -> dict[str, Any]:
        """Keep it with that status, which it has for a while: then it is available, or gone where it was DELETING."""
        kept = {**document, "status": status}
        self.documents.put(kind, name, kept)
        self.documents.put("settling", f"{kind}/{name}", {"at": self.now().timestamp() + _SETTLING_SECONDS})
        return kept

    def _settled(self, kind: str, name: str, document: dict[str, Any]) -> dict[str, Any] | None:
        if document.get("status", AVAILABLE) == AVAILABLE:
            return document
        with self.documents.transaction():
            settling = self.documents.get("settling", f"{kind}/{name}") or {"at": 0.0}
            if self.now().timestamp() < settling["at"]:
                return document
            self.documents.delete("settling", f"{kind}/{name}")
            if document["status"] == "DELETING":
                self.documents.delete(kind, name)
                self.documents.delete("tags", document[f"{kind.lower()}Arn"])
                return None
            document["status"] = AVAILABLE
            self.documents.put(kind, name, document)
            return document

    def tag(self, parameters: dict[str, Any]) -> dict[str, Any]:
        """TagResource."""
        with self.documents.transaction():
            arn = self._tagged(parameters["resourceArn"])
            kept = (self.documents.get("tags", arn) or {}) | tags_from(parameters["tags"])
            tags_from([{"key": key, "value": value} for key, value in kept.items()])
            self.documents.put("tags", arn, kept)
        return {}

    def untag(self, parameters: dict[str, Any]) -> dict[str, Any]:
        """UntagResource."""
        with self.documents.transaction():
            arn = self._tagged(parameters["resourceArn"])
            tags = self.documents.get("tags", arn) or {}
            self.documents.put("tags", arn, {k: v for k, v in tags.items() if k not in parameters["tagKeys"]})
        return {}

    def tags(self, parameters: dict[str, Any]) -> dict[str, Any]:
        """ListTagsForResource."""
        tags = self.documents.get("tags", self._tagged(parameters["resourceArn"])) or {}
        return {"tags": [{"key": key, "value": value} for key, value in sorted(tags.items())]}

    def _tagged(self, arn: str) -> str:
        if arn.startswith(self.arn("snapshot", "")):
            raise UnsupportedOperationError("snapshots of redshift-serverless")
        known = {document[f"{kind.lower()}Arn"] for kind in ("Namespace", "Workgroup") for document in self.all(kind)}
        if arn not in known:
            raise not_found("Resource", arn)
        return arn
