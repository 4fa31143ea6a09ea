"""RDS's MySQL instances stand where the laptop's MySQL stands: moto's own addresses lead nowhere."""

import importlib
from typing import Any

__all__ = ["place_databases"]

_ENGINES = frozenset({"mysql", "mariadb"})
_PLACE = "_shoplake_place"


def place_databases(rds_backend: Any, *, host: str, port: int) -> None:
    """Every instance of moto's RDS backend that is a MySQL or MariaDB has this address, now and later."""
    setattr(rds_backend, _PLACE, {"Address": host, "Port": port})
    models: Any = importlib.import_module("moto.rds.models")
    own = models.DBInstance.endpoint
    if own.fget is not _endpoint:
        models.DBInstance._shoplake_own_endpoint = own  # noqa: SLF001
        models.DBInstance.endpoint = property(_endpoint)


def _endpoint(instance: Any) -> dict[str, Any]:
    place = getattr(instance.backend, _PLACE, None)
    found: dict[str, Any] = place if place and instance.engine in _ENGINES else instance._shoplake_own_endpoint  # noqa: SLF001
    return dict(found)
