"""Keyed masking: HMAC-SHA-256 in lower-case hex, the same in every engine. Deterministic, so masked values still join."""

import hmac
import re
from dataclasses import dataclass
from hashlib import sha256

from shoplake_core.errors import CredentialError

__all__ = ["MaskingKey", "masking_key_from_hex"]

_BLOCK_BYTES = 64
_MIN_KEY_BYTES = 32
_HEX = re.compile(r"^(?:[0-9a-f]{2})+$")


@dataclass(frozen=True, slots=True)
class MaskingKey:
    """The secret key; its text form never shows it."""

    secret: bytes

    def __repr__(self) -> str:
        return "MaskingKey(***)"

    @property
    def inner_pad(self) -> bytes:
        """The 64 bytes that RFC 2104 puts before the message."""
        return bytes(b ^ 0x36 for b in self._block)

    @property
    def outer_pad(self) -> bytes:
        """The 64 bytes that RFC 2104 puts before the inner hash."""
        return bytes(b ^ 0x5C for b in self._block)

    @property
    def _block(self) -> bytes:
        key = self.secret if len(self.secret) <= _BLOCK_BYTES else sha256(self.secret).digest()
        return key.ljust(_BLOCK_BYTES, b"\0")

    def mask(self, text: str) -> str:
        """The HMAC-SHA-256 of UTF-8 `text`, as 64 hex digits."""
        return hmac.new(self.secret, text.encode(), sha256).hexdigest()


def masking_key_from_hex(text: str) -> MaskingKey:
    """The key written as hex digits.

    Raises:
        CredentialError: It is missing, no hex, or shorter than 32 bytes. The message never holds it.

    """
    if not _HEX.match(text) or len(text) < 2 * _MIN_KEY_BYTES:
        raise CredentialError(
            f"the masking key must be at least {2 * _MIN_KEY_BYTES} lower-case hex digits, found {len(text)} characters",
            hint='make one with: python -c "import secrets; print(secrets.token_hex(32))" and set SHOPLAKE_MASKING_KEY',
        )
    return MaskingKey(bytes.fromhex(text))
