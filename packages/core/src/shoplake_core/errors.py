"""The root of every error Shoplake raises. It may import only the standard library: all else imports it.

    ShoplakeError
    ├── ConfigError          the user's files, flags or environment are wrong          (exit 2)
    │   └── ContractError    a table contract is wrong, or a table does not match it
    ├── CredentialError      a secret is missing or was refused                        (exit 3)
    ├── ResourceError        a server, bucket, catalogue or AWS service failed         (exit 4)
    │   └── ConflictError    somebody else holds or changed the thing
    └── DataError            the data cannot be carried on exactly                     (exit 1)
        ├── SourceError      MySQL or its binlog holds what cannot be represented
        └── DisagreementError  two layers hold different numbers

Packages derive their own from these. Each carries its values as attributes, a stable `code`, and ends with the next
step (`hint`).
"""

from typing import Any, ClassVar

__all__ = [
    "ConfigError",
    "ConflictError",
    "ContractError",
    "CredentialError",
    "DataError",
    "DisagreementError",
    "ResourceError",
    "ShoplakeError",
    "SourceError",
]


class ShoplakeError(Exception):
    """Anything of ours: what happened, to which named thing, expected and found, and what to do next.

    Args:
        message: What happened, to which named thing, what was expected and what was found.
        hint: The next step, as a command or an edit; "" where the message already says it.
        values: The values of the message, kept as attributes of the same names.

    """

    code: ClassVar[str] = "SHOPLAKE"
    retryable: ClassVar[bool] = False
    exit_code: ClassVar[int] = 1

    def __init__(self, message: str, *, hint: str = "", **values: Any) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.values = values
        for name, value in values.items():
            setattr(self, name, value)

    def __str__(self) -> str:
        return f"{self.message}\n  next: {self.hint}" if self.hint else self.message


class ConfigError(ShoplakeError):
    """A file, flag or environment variable of the user is wrong."""

    code = "CONFIG"
    exit_code = 2


class ContractError(ConfigError):
    """A table contract is wrong, or a real table does not match its contract."""

    code = "CONTRACT"


class CredentialError(ShoplakeError):
    """A secret is missing, or the server refused it."""

    code = "CREDENTIALS"
    exit_code = 3


class ResourceError(ShoplakeError):
    """A server, bucket, catalogue or AWS service failed or is not there."""

    code = "RESOURCE"
    exit_code = 4


class ConflictError(ResourceError):
    """Somebody else holds or changed the thing: reading it again and trying once more may work."""

    code = "CONFLICT"
    retryable = True


class DataError(ShoplakeError):
    """The data cannot be carried on exactly, so the work stops."""

    code = "DATA"


class SourceError(DataError):
    """MySQL or its binlog holds what Shoplake cannot represent, or is not set up for exact replication."""

    code = "SOURCE"


class DisagreementError(DataError):
    """Two layers that must agree hold different numbers."""

    code = "DISAGREE"
