"""Roles at the object store: the pair that the front knows, held there to the role's own S3 statements."""

import logging
from collections.abc import Callable, Sequence

from shoplake_engines.object_store_access import StoreIdentity

from shoplake_local.identity.identity import Identity
from shoplake_local.identity.object_store_grants import store_grants

__all__ = ["ObjectStoreIdentities"]

_log = logging.getLogger(__name__)


class ObjectStoreIdentities:
    """Keeps the object store's identities equal to the roles.

    A role signs there without a session token: the object store knows fixed pairs only.

    Args:
        identity: The roles.
        let_in: Tells the object store; returns when it goes by what it was told.

    """

    def __init__(self, identity: Identity, let_in: Callable[[Sequence[StoreIdentity]], None]) -> None:
        self._identity = identity
        self._let_in = let_in
        self._told: list[StoreIdentity] | None = None
        self._said: set[str] = set()

    def update(self) -> None:
        """Tell the object store, where anything changed; one thread at a time.

        Raises:
            ResourceError: It does not take it; the next call tells it again.

        """
        identities = []
        for caller in self._identity.callers():
            if caller.role is None:
                continue
            grants = store_grants(caller.role.policies, context=self._identity.standing_context(caller.role))
            for why in grants.left_out:
                self._say(f"the object store does not give role {caller.role.name} {why}")
            if grants.actions:
                identities.append(StoreIdentity(caller.access_key_id, caller.secret_access_key, grants.actions))
        if identities == self._told:
            return
        self._told = None
        self._let_in(identities)
        self._told = identities

    def _say(self, message: str) -> None:
        if message not in self._said:
            self._said.add(message)
            _log.warning("%s", message)
