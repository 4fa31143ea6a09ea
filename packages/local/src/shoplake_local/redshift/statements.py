"""One Redshift statement made ready for PostgreSQL: gated, then translated."""

import re
from dataclasses import dataclass, field

import sqlglot
from sqlglot import TokenType, exp
from sqlglot.errors import SqlglotError

from shoplake_local.redshift.copy_command import CopyCommand, parse_copy
from shoplake_local.redshift.gate import check_tokens, check_tree, redshift_tokens
from shoplake_local.redshift.postgres_sql import to_postgres
from shoplake_local.redshift.procedure_ddl import create_procedure
from shoplake_local.redshift.refusals import NotLocalError, RedshiftRefusalError
from shoplake_local.redshift.table_ddl import (
    alter_table,
    create_table,
    key_columns,
    sort_columns,
    sort_index,
    without_table_attributes,
)

__all__ = ["CopyStatement", "NoOperation", "PreparedStatement", "SqlStatement", "prepare_statement"]


@dataclass(frozen=True, slots=True)
class SqlStatement:
    """PostgreSQL text.

    Attributes:
        sql: With $1, $2 ... where Redshift's text had :name.
        parameters: The names, in the order of the numbers.

    """

    sql: str
    parameters: tuple[str, ...] = field(default=())


@dataclass(frozen=True, slots=True)
class CopyStatement:
    """A COPY that this service does itself."""

    command: CopyCommand


@dataclass(frozen=True, slots=True)
class NoOperation:
    """VACUUM and ANALYZE: right on Redshift, nothing to do here."""

    what: str


_SEVERAL = "cannot insert multiple commands into a prepared statement"
PreparedStatement = SqlStatement | CopyStatement | NoOperation

_QUALIFIED = r'(?:\w+|"[^"]+")(?:\.(?:\w+|"[^"]+"))?'
_CALL = re.compile(rf"^CALL\s+{_QUALIFIED}\s*(\(.*\))$", re.IGNORECASE | re.DOTALL)
_LOCK = re.compile(rf"^LOCK\s+(?:TABLE\s+)?({_QUALIFIED}(?:\s*,\s*{_QUALIFIED})*)$", re.IGNORECASE)
_COMMENTS = re.compile(r"^(?:\s+|--[^\n]*\n|/\*.*?\*/)+", re.DOTALL)
_NO_VIEW_BINDING = re.compile(r"\s+WITH\s+NO\s+SCHEMA\s+BINDING\s*$", re.IGNORECASE)
_TRANSACTION_WORDS = frozenset({"BEGIN", "START", "COMMIT", "END", "ROLLBACK", "ABORT"})
_READS_AND_WRITES = (exp.Select, exp.SetOperation, exp.Subquery, exp.Insert, exp.Update, exp.Delete, exp.Merge)
_CREATED_KINDS = frozenset({"TABLE", "VIEW", "SCHEMA"})
_DROPPED_KINDS = frozenset({"TABLE", "VIEW", "SCHEMA", "PROCEDURE"})


def prepare_statement(sql: str, *, in_transaction: bool) -> PreparedStatement:
    """The statement, ready to run.

    Args:
        sql: One Redshift statement; a closing semicolon is allowed.
        in_transaction: Whether other statements share its transaction (BatchExecuteStatement).

    Raises:
        RedshiftRefusalError: Redshift refuses it.
        NotLocalError: Redshift takes it, the local warehouse does not.

    """
    text = _COMMENTS.sub("", sql).strip().rstrip(";").strip()
    if not text:
        raise RedshiftRefusalError("syntax error at end of input", "the statement is empty")
    first = text.split(None, 1)[0].upper().partition("(")[0]
    if first in _TRANSACTION_WORDS:
        raise RedshiftRefusalError(
            f"{first} is not supported by the Data API",
            "one ExecuteStatement or BatchExecuteStatement is one transaction",
        )
    if first == "COPY":
        return CopyStatement(parse_copy(text))
    if first == "CALL":
        match = _CALL.match(text)
        if match is None:
            raise RedshiftRefusalError("syntax error in CALL", "CALL schema.procedure(arguments)")
        tokens = redshift_tokens(f"SELECT {match.group(1)}")
        check_tokens(tokens)
        if any(token.token_type is TokenType.SEMICOLON for token in tokens):
            raise RedshiftRefusalError(_SEVERAL, "one statement a call")
        return SqlStatement(text)
    if first == "LOCK":
        match = _LOCK.match(text)
        if match is None:
            raise RedshiftRefusalError("syntax error in LOCK", "LOCK TABLE schema.table")
        return SqlStatement(f"LOCK TABLE {match.group(1)} IN ACCESS EXCLUSIVE MODE")
    if first in {"VACUUM", "ANALYZE"}:
        if first == "VACUUM" and in_transaction:
            raise RedshiftRefusalError(
                "VACUUM cannot run inside a transaction block", "run it as a statement of its own"
            )
        return NoOperation(first)
    if first in {"SHOW", "SET", "RESET", "UNLOAD", "DECLARE", "FETCH", "PREPARE", "EXECUTE", "REFRESH"}:
        raise NotLocalError(first)
    if first == "EXPLAIN":
        explained = prepare_statement(text[7:], in_transaction=in_transaction)
        if not isinstance(explained, SqlStatement):
            raise RedshiftRefusalError("syntax error in EXPLAIN", "it takes a query")
        return SqlStatement(f"EXPLAIN {explained.sql}", explained.parameters)
    return _prepare_parsed(text, in_transaction=in_transaction)


def _prepare_parsed(text: str, *, in_transaction: bool) -> SqlStatement:
    tokens = redshift_tokens(text)
    check_tokens(tokens)
    upper = [token.text.upper() for token in tokens[:6]]
    if upper[0] in {"CREATE", "ALTER"} and "TABLE" in upper:
        text = without_table_attributes(text, tokens)
    if upper[0] == "CREATE" and "VIEW" in upper:
        text = _NO_VIEW_BINDING.sub("", text)
    if upper[0] == "CREATE" and "PROCEDURE" in upper:
        return SqlStatement(create_procedure(text))
    try:
        trees = [tree for tree in sqlglot.parse(text, read="redshift") if tree is not None]
    except SqlglotError as error:
        raise RedshiftRefusalError("syntax error", str(error).splitlines()[0]) from error
    if len(trees) != 1:
        raise RedshiftRefusalError(_SEVERAL, "one statement a call")
    tree = trees[0]
    check_tree(tree)
    if isinstance(tree, exp.TruncateTable):
        if in_transaction:
            raise RedshiftRefusalError(
                "TRUNCATE cannot run inside a transaction block",
                "on Redshift it commits what came before it: use DELETE",
            )
        return SqlStatement(str(tree.sql("postgres")))
    if isinstance(tree, _READS_AND_WRITES):
        return SqlStatement(*to_postgres(tree))
    if isinstance(tree, exp.Create) and tree.kind in _CREATED_KINDS:
        if tree.kind == "TABLE" and isinstance(tree.this, exp.Schema):
            made = create_table(tree, keys=key_columns(tokens))
            index = sort_index(tree, sort_columns(tokens))
            return SqlStatement(f"{made}; {index}" if index else made)
        return SqlStatement(*to_postgres(tree))
    if isinstance(tree, exp.Alter) and tree.args.get("kind") == "TABLE":
        return SqlStatement(alter_table(tree, in_transaction=in_transaction))
    if isinstance(tree, exp.Drop) and tree.args.get("kind") in _DROPPED_KINDS:
        return SqlStatement(str(tree.sql("postgres")))
    if isinstance(tree, (exp.Comment, exp.Grant, exp.Revoke)):
        return SqlStatement(str(tree.sql("postgres")))
    raise NotLocalError(" ".join(text.split()[:3]))
