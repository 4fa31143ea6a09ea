"""What the catalogue's operations share: folded names, paging, stored definitions, and refusing what is not there."""

import base64
import binascii
import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from shoplake_core.clock import Clock

from shoplake_local.glue.store import Store
from shoplake_local.models import decoded_as, encoded, service_model
from shoplake_local.service import ServiceError, refuse_unsupported

__all__ = [
    "Catalog",
    "already_exists",
    "definition_text",
    "entity_not_found",
    "folded",
    "invalid_input",
    "moment",
    "next_token",
    "page_size",
    "stored_definition",
    "token_key",
]

_LARGEST_PAGE = 100


@dataclass(frozen=True, slots=True)
class Catalog:
    """Whose catalogue it is, where it lies, and what time it is there."""

    store: Store
    account: str
    region: str
    clock: Clock

    def check(self, operation: str, parameters: Mapping[str, Any], supported: Collection[str]) -> None:
        """Pass where every parameter is one that the operation honours here.

        Raises:
            UnsupportedOperationError: For one that AWS has and the local AWS has not: never ignored.
            ServiceError: The catalogue of another account is asked for.

        """
        catalog_id = parameters.get("CatalogId", self.account)
        if catalog_id != self.account:
            raise entity_not_found(f"Catalog {catalog_id} not found: the local one is {self.account}.")
        refuse_unsupported(f"Glue's {operation}", parameters, {*supported, "CatalogId", "AuditContext"})

    def now(self) -> float:
        """Seconds since 1970."""
        return self.clock.now().timestamp()


def folded(name: str) -> str:
    """A database or table name as Glue keeps it: lower case."""
    return name.lower()


def moment(seconds: float) -> datetime:
    """The datetime of stored seconds."""
    return datetime.fromtimestamp(seconds, tz=UTC)


def entity_not_found(message: str) -> ServiceError:
    """EntityNotFoundException."""
    return ServiceError("EntityNotFoundException", message)


def already_exists(message: str) -> ServiceError:
    """AlreadyExistsException."""
    return ServiceError("AlreadyExistsException", message)


def invalid_input(message: str) -> ServiceError:
    """InvalidInputException."""
    return ServiceError("InvalidInputException", message)


def definition_text(definition: Mapping[str, Any]) -> str:
    """A definition as it is stored."""
    return json.dumps(encoded(definition), ensure_ascii=False, sort_keys=True)


def stored_definition(shape_name: str, text: str) -> dict[str, Any]:
    """The definition that `definition_text` stored, by the name of its shape in Glue's model."""
    value = decoded_as(service_model("glue").shape_for(shape_name), json.loads(text))
    return dict(value)


def page_size(parameters: Mapping[str, Any], largest: int = _LARGEST_PAGE) -> int:
    """How many items an answer may hold."""
    return min(int(parameters.get("MaxResults", largest)), largest)


def next_token(key: str) -> str:
    """The token of the page after `key`."""
    return base64.urlsafe_b64encode(f"after:{key}".encode()).decode("ascii")


def token_key(parameters: Mapping[str, Any]) -> str:
    """The key after which the asked page begins; "" for the first page."""
    token = parameters.get("NextToken", "")
    if not token:
        return ""
    try:
        text = base64.urlsafe_b64decode(token.encode()).decode()
    except (binascii.Error, ValueError):
        text = ""
    if not text.startswith("after:"):
        raise invalid_input(f'"{token}" is no NextToken of this catalogue')
    return text.removeprefix("after:")
