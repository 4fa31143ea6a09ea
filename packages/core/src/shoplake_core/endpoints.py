"""Where a server is and how to log in, as values. Their text form never shows a password."""

from dataclasses import dataclass, field
from urllib.parse import unquote, urlsplit

from shoplake_core.errors import ConfigError

__all__ = ["AwsEndpoint", "MySqlEndpoint", "WarehouseEndpoint", "parse_mysql_url"]

MYSQL_DEFAULT_PORT = 3306


@dataclass(frozen=True, slots=True, kw_only=True)
class MySqlEndpoint:
    """A MySQL or MariaDB server and one of its users."""

    host: str
    port: int = MYSQL_DEFAULT_PORT
    user: str
    password: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class AwsEndpoint:
    """Where AWS calls go and who signs them; `url` is None for AWS itself."""

    url: str | None
    region: str
    access_key_id: str
    secret_access_key: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class WarehouseEndpoint:
    """A PostgreSQL-speaking warehouse and one of its users."""

    host: str
    port: int
    user: str
    password: str = field(repr=False)
    database: str


def parse_mysql_url(url: str) -> MySqlEndpoint:
    """The endpoint of `mysql://user:password@host:port`; user and password may be percent-encoded.

    Raises:
        ConfigError: It is no such URL. The message never holds the password.

    """
    parts = urlsplit(url)
    if parts.scheme not in {"mysql", "mariadb"} or not parts.hostname or not parts.username:
        raise ConfigError(
            "the MySQL URL is not of the form mysql://user:password@host:port",
            hint="set SHOPLAKE_MYSQL_URL=mysql://user:password@host:3306",
        )
    return MySqlEndpoint(
        host=parts.hostname,
        port=parts.port or MYSQL_DEFAULT_PORT,
        user=unquote(parts.username),
        password=unquote(parts.password or ""),
    )
