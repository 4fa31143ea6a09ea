"""Who may call the object store: the administrator, who may do everything, and others, each held to its own grants."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from shoplake_engines.private_files import random_password

__all__ = ["StoreAccess", "StoreIdentity", "identities_text"]

_ACCESS_KEY_SUFFIX_LENGTH = 11


@dataclass(frozen=True, slots=True)
class StoreIdentity:
    """One key pair and what it may do.

    Attributes:
        access_key_id: Of the pair.
        secret_access_key: Of the pair.
        actions: In SeaweedFS's words, such as "Read:bucket/prefix/*"; none at all may do nothing.

    """

    access_key_id: str
    secret_access_key: str = field(repr=False)
    actions: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class StoreAccess:
    """Everybody beside the administrator.

    The running server never forgets an identity that it has read once: an identity that is gone stays in the file
    without any action until the next start.

    Attributes:
        identities: The others.
        generation: Counts the changes; the witness may list a bucket of this number, which tells what is loaded.
        witness: The pair that asks which generation is loaded; there is no such bucket, so it sees nothing.

    """

    identities: tuple[StoreIdentity, ...]
    generation: int
    witness: StoreIdentity

    @property
    def generation_bucket(self) -> str:
        """The bucket that does not exist."""
        return f"generation-{self.generation}"

    def changed(self, identities: Iterable[StoreIdentity]) -> "StoreAccess":
        """The next generation, with these identities: whoever is not among them may do nothing any more."""
        named = {one.access_key_id: one for one in identities}
        gone = {
            one.access_key_id: StoreIdentity(one.access_key_id, one.secret_access_key)
            for one in self.identities
            if one.access_key_id not in named
        }
        every = tuple(sorted((named | gone).values(), key=lambda one: one.access_key_id))
        if every == self.identities:
            return self
        return StoreAccess(every, self.generation + 1, self.witness)

    def without_the_gone(self) -> "StoreAccess":
        """For a server that starts: it knows nobody yet."""
        return StoreAccess(tuple(one for one in self.identities if one.actions), self.generation, self.witness)

    def to_json(self) -> dict[str, Any]:
        """For a private file."""
        identities = [[one.access_key_id, one.secret_access_key, list(one.actions)] for one in self.identities]
        witness = [self.witness.access_key_id, self.witness.secret_access_key]
        return {"identities": identities, "generation": self.generation, "witness": witness}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "StoreAccess":
        """From that file; nobody, and a new witness, where there is none yet."""
        if not data:
            suffix = random_password()[1 : _ACCESS_KEY_SUFFIX_LENGTH + 1]
            return cls((), 0, StoreIdentity(f"witness-{suffix}", random_password()))
        identities = tuple(StoreIdentity(key, secret, tuple(actions)) for key, secret, actions in data["identities"])
        return cls(identities, data["generation"], StoreIdentity(*data["witness"]))


def identities_text(admin: StoreIdentity, access: StoreAccess) -> str:
    """The server's `-s3.config` file."""
    witness = StoreIdentity(
        access.witness.access_key_id, access.witness.secret_access_key, (f"List:{access.generation_bucket}",)
    )
    return json.dumps(
        {
            "identities": [
                {
                    # one name a pair: the server joins pairs of one name
                    "name": name,
                    "credentials": [{"accessKey": one.access_key_id, "secretKey": one.secret_access_key}],
                    "actions": list(one.actions),
                }
                for name, one in [
                    ("admin", admin),
                    ("witness", witness),
                    *((f"pair-{one.access_key_id}", one) for one in access.identities),
                ]
            ]
        }
    )
