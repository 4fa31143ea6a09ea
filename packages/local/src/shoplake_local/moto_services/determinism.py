"""moto's sources of ids, key material and time, led by us: the same request at the same place makes the same thing."""

import hashlib
import importlib
import types
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any

from shoplake_core.clock import Clock

__all__ = ["frozen_at", "lead_moto", "moto_now", "moto_random", "seed_moto"]

_frozen: ContextVar[datetime | None] = ContextVar("moto's now", default=None)


def lead_moto(clock: Clock) -> None:
    """Make moto read its time here, and its key material and all ids from its own seeded random."""
    utils: Any = importlib.import_module("moto.core.utils")
    random = moto_random()

    def now() -> datetime:
        return _frozen.get() or clock.now()

    # every module of moto has imported this very function by name: only its body can be changed for all of them
    utils._shoplake_now = now  # noqa: SLF001

    def utcnow() -> Any:
        return _shoplake_now().replace(tzinfo=None)  # type: ignore[name-defined] # noqa: F821

    utils.utcnow.__code__ = utcnow.__code__

    secrets_models: Any = importlib.import_module("moto.secretsmanager.models")
    secrets_models.time = types.SimpleNamespace(time=lambda: now().timestamp())
    kms_models: Any = importlib.import_module("moto.kms.models")
    kms_models.generate_master_key = lambda: random.getrandbits(256).to_bytes(32, "big")
    rds_models: Any = importlib.import_module("moto.rds.models")
    rds_models.uuid = types.SimpleNamespace(uuid4=random.uuid4)


def seed_moto(*parts: str | bytes | int) -> None:
    """Everything random in moto follows from these from now on."""
    digest = hashlib.sha256()
    for part in parts:
        piece = part if isinstance(part, bytes) else str(part).encode()
        digest.update(len(piece).to_bytes(8, "big") + piece)
    moto_random().seed(int.from_bytes(digest.digest(), "big"))


@contextmanager
def frozen_at(moment: datetime) -> Iterator[None]:
    """Within it moto's time stands still."""
    token = _frozen.set(moment.astimezone(UTC))
    try:
        yield
    finally:
        _frozen.reset(token)


def moto_now() -> datetime:
    """The time that moto has: that of the request that is played again, or the clock's."""
    utils: Any = importlib.import_module("moto.core.utils")
    return utils._shoplake_now()  # type: ignore[no-any-return] # noqa: SLF001


def moto_random() -> Any:
    """The source of all of moto's ids, seeded."""
    return importlib.import_module("moto.moto_api._internal").mock_random
