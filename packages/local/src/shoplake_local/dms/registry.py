"""DMS's resources: found by ARN, each in its state, and states that follow by themselves after a little while.

Members whose names begin with "_" are the local AWS's own and never answered.
"""

import re
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from enum import Enum
from typing import Any

from shoplake_core.clock import Clock

from shoplake_local.dms.faults import already_exists, invalid, not_found
from shoplake_local.jobs.documents import Documents

__all__ = ["Kind", "Registry", "shown"]

_IDENTIFIER = re.compile(r"[A-Za-z](?:-?[A-Za-z0-9])*")
_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
_ID_LENGTH = 26
_GONE = "gone"


class Kind(Enum):
    """What DMS has: shape, word in the ARN, members with ARN, identifier and status, longest identifier."""

    SUBNET_GROUP = (
        *("ReplicationSubnetGroup", "subgrp", "_Arn", "ReplicationSubnetGroupIdentifier", "SubnetGroupStatus"),
        255,
    )
    INSTANCE = (
        *("ReplicationInstance", "rep", "ReplicationInstanceArn", "ReplicationInstanceIdentifier"),
        *("ReplicationInstanceStatus", 63),
    )
    ENDPOINT = ("Endpoint", "endpoint", "EndpointArn", "EndpointIdentifier", "Status", 255)
    TASK = ("ReplicationTask", "task", "ReplicationTaskArn", "ReplicationTaskIdentifier", "Status", 255)

    def __init__(self, *names: Any) -> None:
        self.shape, self.word, self.arn, self.identifier, self.status, self.longest = names


class Registry:
    """Every resource of one account and region.

    Args:
        documents: Where they are kept.
        account: In ARNs.
        region: In ARNs.
        clock: Time.
        transition: How long "creating", "modifying" and "deleting" last.

    """

    def __init__(self, documents: Documents, *, account: str, region: str, clock: Clock, transition: timedelta) -> None:
        self.documents = documents
        self.account = account
        self.region = region
        self.clock = clock
        self._transition = transition

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All that the block writes is kept, or none of it."""
        with self.documents.transaction():
            yield

    def arn(self, kind: Kind, resource_id: str) -> str:
        """The ARN with that id at its end."""
        return f"arn:aws:dms:{self.region}:{self.account}:{kind.word}:{resource_id}"

    def new_arn(self, kind: Kind, wished: str = "") -> str:
        """An ARN that nothing has yet, with a random id, or the wished one."""
        arn = self.arn(kind, wished or "".join(secrets.choice(_LETTERS) for _ in range(_ID_LENGTH)))
        if self.find(kind, arn) is not None:
            raise already_exists(f"{arn} already exists.")
        return arn

    def checked_identifier(self, kind: Kind, identifier: str) -> str:
        """The identifier, where it has DMS's form and no resource of the kind has it."""
        if not _IDENTIFIER.fullmatch(identifier) or len(identifier) > kind.longest:
            raise invalid(
                f'{kind.identifier} "{identifier}" must hold at most {kind.longest} letters, digits and single hyphens, '
                "begin with a letter and not end with a hyphen"
            )
        if any(item[kind.identifier].lower() == identifier.lower() for item in self.all(kind)):
            raise already_exists(f"{kind.shape} {identifier} already exists.")
        return identifier

    def all(self, kind: Kind) -> list[dict[str, Any]]:
        """Every resource of the kind, by ARN."""
        with self.transaction():
            found = [self._settled(kind, item) for item in self.documents.all(kind.shape)]
        return [item for item in found if item is not None]

    def find(self, kind: Kind, arn: str) -> dict[str, Any] | None:
        """The resource; None where there is none."""
        with self.transaction():
            item = self.documents.get(kind.shape, arn)
            return None if item is None else self._settled(kind, item)

    def get(self, kind: Kind, arn: str) -> dict[str, Any]:
        """The resource.

        Raises:
            ServiceError: ResourceNotFoundFault.

        """
        item = self.find(kind, arn)
        if item is None:
            raise not_found(f"{kind.shape} {arn} not found.")
        return item

    def put(self, kind: Kind, item: Mapping[str, Any], *, then: str = "") -> dict[str, Any]:
        """Keep the resource; after a little while its status is `then`. As it is kept."""
        kept = {name: value for name, value in item.items() if name != "_Then"}
        if then:
            kept["_Then"] = {"status": then, "at": (self.clock.now() + self._transition).timestamp()}
        self.documents.put(kind.shape, kept[kind.arn], kept)
        return kept

    def put_deleting(self, kind: Kind, item: Mapping[str, Any]) -> dict[str, Any]:
        """The resource is "deleting", and gone after a little while; its tags are gone at once."""
        self.documents.delete("tags", item[kind.arn])
        return self.put(kind, {**item, kind.status: "deleting"}, then=_GONE)

    def _settled(self, kind: Kind, item: dict[str, Any]) -> dict[str, Any] | None:
        then = item.get("_Then")
        if then is None or self.clock.now().timestamp() < then["at"]:
            return item
        if then["status"] == _GONE:
            self.documents.delete(kind.shape, item[kind.arn])
            return None
        return self.put(kind, {**item, kind.status: then["status"]})


def shown(item: Mapping[str, Any]) -> dict[str, Any]:
    """The resource as an answer holds it."""
    return {name: value for name, value in item.items() if not name.startswith("_")}
