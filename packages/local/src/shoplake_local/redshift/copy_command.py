"""COPY, read into a value. Only what this product's loads use: parquet from S3, by manifest or prefix, with a role."""

import re
from dataclasses import dataclass

from sqlglot import TokenType

from shoplake_local.redshift.gate import redshift_tokens
from shoplake_local.redshift.refusals import NotLocalError, RedshiftRefusalError

__all__ = ["CopyCommand", "parse_copy"]

_ROLE = re.compile(r"^arn:aws[\w-]*:iam::\d{12}:role/[\w+=,.@/-]+(,arn:aws[\w-]*:iam::\d{12}:role/[\w+=,.@/-]+)*$")
_TEXT_ONLY_OPTIONS = frozenset(
    {"MAXERROR", "ACCEPTANYDATE", "DATEFORMAT", "TIMEFORMAT", "TRUNCATECOLUMNS", "IGNOREHEADER", "EMPTYASNULL", "NULL"}
)


@dataclass(frozen=True, slots=True)
class CopyCommand:
    """COPY of parquet.

    Attributes:
        schema: Target schema; "" where the statement names none.
        table: Target table.
        columns: Target columns; empty for all, in the table's order.
        url: `s3://` URL of the manifest or key prefix.
        manifest: Whether `url` is a manifest.
        role: ARN of the role to read with, or "default".

    """

    schema: str
    table: str
    columns: tuple[str, ...]
    url: str
    manifest: bool
    role: str


class _Reader:
    """The tokens of a COPY, read one by one."""

    def __init__(self, sql: str) -> None:
        self._tokens = redshift_tokens(sql)
        self._place = 1

    @property
    def ended(self) -> bool:
        return self._place >= len(self._tokens)

    def word(self) -> str:
        return "" if self.ended else self._tokens[self._place].text.upper()

    def takes(self, *words: str) -> bool:
        """Whether the next token is one of those words; if so it is read."""
        found = self.word() in words
        self._place += found
        return found

    def expect(self, word: str) -> None:
        if not self.takes(word):
            raise RedshiftRefusalError(f'syntax error at or near "{self.word()}"', f"expected {word}")

    def name(self) -> str:
        if self.ended:
            raise RedshiftRefusalError("syntax error at end of input", "COPY table FROM 's3://...' IAM_ROLE '...'")
        token = self._tokens[self._place]
        self._place += 1
        return token.text if token.token_type in {TokenType.IDENTIFIER, TokenType.STRING} else token.text.lower()

    def text(self) -> str:
        if self.ended or self._tokens[self._place].token_type is not TokenType.STRING:
            raise RedshiftRefusalError("syntax error in COPY", "FROM needs a quoted URL")
        return self.name()


def _target(reader: _Reader) -> tuple[str, str, tuple[str, ...]]:
    schema, table = "", reader.name()
    if reader.takes("."):
        schema, table = table, reader.name()
    columns: list[str] = []
    if reader.takes("("):
        columns.append(reader.name())
        while reader.takes(","):
            columns.append(reader.name())
        reader.expect(")")
    return schema, table, tuple(columns)


def _option(reader: _Reader, found: dict[str, str]) -> None:
    option = reader.name().upper()
    if option == "IAM_ROLE":
        role = reader.name()
        if role != "default" and not _ROLE.match(role):
            raise RedshiftRefusalError("Invalid IAM role ARN in COPY", f"{role!r} is no role's ARN")
        found[option] = role
    elif option == "FORMAT":
        reader.takes("AS")
        kind = reader.name().upper()
        if kind != "PARQUET":
            raise NotLocalError(f"COPY of {kind}: only PARQUET")
    elif option == "STATUPDATE":
        reader.takes("ON", "OFF", "TRUE", "FALSE")
    elif option in _TEXT_ONLY_OPTIONS:
        raise RedshiftRefusalError(f"COPY option {option} is not supported for PARQUET", "files are taken as they are")
    elif option != "MANIFEST":
        raise NotLocalError(f"COPY with {option}")
    found.setdefault(option, "")


def parse_copy(sql: str) -> CopyCommand:
    """What the COPY says.

    Raises:
        RedshiftRefusalError: Redshift would refuse it.
        NotLocalError: Another format, source or option.

    """
    reader = _Reader(sql)
    schema, table, columns = _target(reader)
    reader.expect("FROM")
    url = reader.text()
    if not url.startswith("s3://"):
        raise NotLocalError(f"COPY from {url.partition(':')[0]}: only s3://")
    options: dict[str, str] = {}
    while not reader.ended:
        _option(reader, options)
    if "IAM_ROLE" not in options:
        raise RedshiftRefusalError("COPY needs credentials", "add IAM_ROLE")
    if "FORMAT" not in options:
        raise NotLocalError("COPY of text: only FORMAT AS PARQUET")
    return CopyCommand(schema, table, columns, url, "MANIFEST" in options, options["IAM_ROLE"])
