"""Keyed masking of an Arrow column: one HMAC for each different value."""

import hmac
from datetime import datetime
from decimal import Decimal
from typing import Any

import pyarrow as pa
from shoplake_core.errors import ContractError
from shoplake_core.masking import MaskingKey

from shoplake_reconciliation.arrow import Values, pc

__all__ = ["masked", "text_of"]


def _moment_text(value: datetime) -> str:
    text = value.strftime("%Y-%m-%d %H:%M:%S")
    return f"{text}.{value.microsecond:06d}".rstrip("0") if value.microsecond else text


def text_of(value: Any) -> str:
    """The text of a cleaned value that is masked: what Spark's cast to string gives.

    Raises:
        ContractError: The value is of a kind that has no one text (a float, bytes).

    """
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        return _moment_text(value)
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, float | bytes):
        raise ContractError(
            f"a {type(value).__name__} cannot be masked: it has no one text",
            hint="take pii from the column, or change its type",
        )
    return str(value)  # int, and date as YYYY-MM-DD


def masked(values: Values, key: MaskingKey) -> Values:
    """The HMAC-SHA-256 of each value's text as 64 hex digits; null stays null."""
    encoded = pc.dictionary_encode(values)
    secret = key.secret
    digests = [hmac.digest(secret, text_of(value).encode(), "sha256").hex() for value in encoded.dictionary.to_pylist()]
    return pa.array(digests, pa.string()).take(encoded.indices)
