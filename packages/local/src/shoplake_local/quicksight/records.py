"""What QuickSight's resources share here: how they are kept, how they settle, their tags and permissions."""

import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from shoplake_core.clock import Clock

from shoplake_local.glue.requests import next_token, token_key
from shoplake_local.jobs.documents import Documents
from shoplake_local.service import ServiceError

__all__ = ["RESOURCES", "SETTLING", "Records", "answered", "conflict", "exists", "invalid", "not_found", "tag_list"]

SETTLING = "settling"
_SETTLING_SECONDS = 0.4  # minutes on AWS; long enough for a caller that does not wait to be refused
_MOST_TAGS = 200
_LARGEST_PAGE = 100
# kind, a shape of the model -> its part of an ARN
RESOURCES: Mapping[str, str] = {
    "VPCConnection": "vpcConnection",
    "DataSource": "datasource",
    "DataSet": "dataset",
    "Theme": "theme",
    "Dashboard": "dashboard",
}


def invalid(message: str) -> ServiceError:
    """InvalidParameterValueException."""
    return ServiceError("InvalidParameterValueException", message)


def conflict(message: str) -> ServiceError:
    """ConflictException."""
    return ServiceError("ConflictException", message, 409)


def exists(kind: str, identifier: str) -> ServiceError:
    """ResourceExistsException."""
    return ServiceError("ResourceExistsException", f"{kind} {identifier} already exists", 409)


def not_found(kind: str, identifier: str) -> ServiceError:
    """ResourceNotFoundException."""
    return ServiceError("ResourceNotFoundException", f"{kind} {identifier} is not found", 404)


def answered(status: int = 200, /, **members: Any) -> dict[str, Any]:
    """An answer with the two members that every answer of QuickSight has."""
    return {**members, "Status": status, "RequestId": str(uuid.uuid4())}


def tag_list(tags: Mapping[str, str]) -> list[dict[str, str]]:
    """The tags as the model has them."""
    return [{"Key": key, "Value": value} for key, value in sorted(tags.items())]


@dataclass(frozen=True, slots=True)
class Records:
    """The documents of one account and region. A kind is the name of a shape in QuickSight's model."""

    documents: Documents
    clock: Clock
    account: str
    region: str

    def arn(self, kind: str, identifier: str) -> str:
        """The ARN of a resource."""
        return f"arn:aws:quicksight:{self.region}:{self.account}:{RESOURCES[kind]}/{identifier}"

    def find(self, kind: str, key: str) -> dict[str, Any] | None:
        """The one of that key as it is now, or None."""
        document = self.documents.get(kind, key)
        return None if document is None else self._settled(kind, key, document)

    def get(self, kind: str, key: str) -> dict[str, Any]:
        """The one of that key as it is now.

        Raises:
            ServiceError: ResourceNotFoundException.

        """
        found = self.find(kind, key)
        if found is None:
            raise not_found(kind, key)
        return found

    def idle(self, kind: str, key: str) -> dict[str, Any]:
        """The one of that key, where no change of it is under way.

        Raises:
            ServiceError: ResourceNotFoundException, ConflictException.

        """
        found = self.get(kind, key)
        if str(found.get("Status", "")).endswith("_IN_PROGRESS"):
            raise conflict(f"{kind} {key} is {found['Status']}: wait until it is done")
        return found

    def all(self, kind: str, *, under: str = "") -> list[dict[str, Any]]:
        """Every one in the order of the keys, as it is now; with `under`, those whose key begins so."""
        found = (self.find(kind, key) for key in self.documents.keys(kind) if key.startswith(under))
        return [document for document in found if document is not None]

    def changing(
        self, kind: str, key: str, document: Mapping[str, Any], *, status: str, then: Mapping[str, Any] | None
    ) -> None:
        """Keep it with that status for a while; afterwards it has the members `then`, or is gone where that is None."""
        with self.documents.transaction():
            self.documents.put(kind, key, {**document, "Status": status})
            at = self.clock.now().timestamp() + _SETTLING_SECONDS
            self.documents.put(SETTLING, f"{kind}/{key}", {"at": at, "then": then})

    def _settled(self, kind: str, key: str, document: dict[str, Any]) -> dict[str, Any] | None:
        if not str(document.get("Status", "")).endswith("_IN_PROGRESS"):
            return document
        with self.documents.transaction():
            settling = self.documents.get(SETTLING, f"{kind}/{key}")
            if settling is None or self.clock.now().timestamp() < settling["at"]:
                return self.documents.get(kind, key)  # another caller may have settled it meanwhile
            self.documents.delete(SETTLING, f"{kind}/{key}")
            if "then" not in settling:  # None is not kept
                self.forget(kind, key)
                return None
            document |= settling["then"]
            self.documents.put(kind, key, document)
            return document

    def forget(self, kind: str, key: str) -> None:
        """Take it away with its tags and permissions."""
        with self.documents.transaction():
            self.documents.delete(kind, key)
            self.documents.delete(SETTLING, f"{kind}/{key}")
            if kind in RESOURCES:
                self.documents.delete("tags", self.arn(kind, key))
                self.documents.delete("permissions", self.arn(kind, key))

    def listed(
        self, parameters: Mapping[str, Any], found: list[dict[str, Any]], *, key: Callable[[dict[str, Any]], str]
    ) -> tuple[list[dict[str, Any]], dict[str, str]]:
        """One page of what was found, and the member that leads to the next one.

        Raises:
            ServiceError: InvalidNextTokenException.

        """
        size = min(parameters.get("MaxResults", _LARGEST_PAGE), _LARGEST_PAGE)
        try:
            after = token_key({"NextToken": parameters.get("NextToken", "")})
        except ServiceError as error:
            raise ServiceError("InvalidNextTokenException", error.message) from None
        left = sorted((one for one in found if key(one) > after), key=key)
        return left[:size], ({"NextToken": next_token(key(left[size - 1]))} if len(left) > size else {})

    def keep_tags(self, arn: str, tags: list[dict[str, str]]) -> None:
        """Add the tags to those of the ARN.

        Raises:
            ServiceError: LimitExceededException.

        """
        with self.documents.transaction():
            kept = (self.documents.get("tags", arn) or {}) | {tag["Key"]: tag["Value"] for tag in tags}
            if len(kept) > _MOST_TAGS:
                raise ServiceError("LimitExceededException", f"A resource has at most {_MOST_TAGS} tags.", 409)
            self.documents.put("tags", arn, kept)

    def tag(self, parameters: dict[str, Any]) -> dict[str, Any]:
        """TagResource."""
        self.keep_tags(self._tagged(parameters["ResourceArn"]), parameters["Tags"])
        return answered()

    def untag(self, parameters: dict[str, Any]) -> dict[str, Any]:
        """UntagResource."""
        with self.documents.transaction():
            arn = self._tagged(parameters["ResourceArn"])
            tags = self.documents.get("tags", arn) or {}
            self.documents.put("tags", arn, {k: v for k, v in tags.items() if k not in parameters["TagKeys"]})
        return answered()

    def tags(self, parameters: dict[str, Any]) -> dict[str, Any]:
        """ListTagsForResource."""
        return answered(Tags=tag_list(self.documents.get("tags", self._tagged(parameters["ResourceArn"])) or {}))

    def _tagged(self, arn: str) -> str:
        for kind in RESOURCES:
            start = self.arn(kind, "")
            if arn.startswith(start) and self.find(kind, arn.removeprefix(start)) is not None:
                return arn
        raise not_found("Resource", arn)
