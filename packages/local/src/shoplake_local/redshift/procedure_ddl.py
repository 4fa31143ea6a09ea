"""CREATE PROCEDURE: the header is written anew for PostgreSQL, the body is checked and kept as it is.

PL/pgSQL is opaque to sqlglot, so bodies must stay in what both engines run; each statement of the body that sqlglot can
read goes through the same gate as any other.
"""

import re

import sqlglot
from sqlglot.errors import SqlglotError

from shoplake_local.redshift.gate import check_tokens, check_tree, redshift_tokens
from shoplake_local.redshift.refusals import RedshiftRefusalError

__all__ = ["create_procedure"]

_PROCEDURE = re.compile(
    r"""^CREATE\s+(?:OR\s+REPLACE\s+)?PROCEDURE\s+
    (?P<name>(?:\w+|"[^"]+")(?:\.(?:\w+|"[^"]+"))?)\s*
    \((?P<arguments>(?:[^()]|\([^()]*\))*)\)\s*
    (?P<before>(?:NONATOMIC\s+|LANGUAGE\s+plpgsql\s+|SECURITY\s+\w+\s+)*)
    AS\s+(?P<quote>\$\w*\$)(?P<body>.*)(?P=quote)\s*
    (?P<after>(?:LANGUAGE\s+plpgsql|SECURITY\s+(?:INVOKER|DEFINER)|\s)*)$""",
    re.IGNORECASE | re.DOTALL | re.VERBOSE,
)
_STATEMENT = re.compile(
    r"^\s*(?:.*?\b(?:THEN|ELSE|LOOP|BEGIN)\s+)?(?P<sql>(?:INSERT|UPDATE|DELETE|MERGE|SELECT)\b.*)$",
    re.DOTALL | re.IGNORECASE,
)
_INTO_VARIABLE = re.compile(r"\bINTO\s+(?:STRICT\s+)?[a-z_]\w*(?:\s*,\s*[a-z_]\w*)*\s+(?=FROM\b)", re.IGNORECASE)
_ENDS_TRANSACTION = re.compile(r"\b(?:COMMIT|ROLLBACK)\b\s*;", re.IGNORECASE)
_TRUNCATE = re.compile(r"\bTRUNCATE\b", re.IGNORECASE)
_STRINGS = re.compile(r"'(?:[^']|'')*'")
_NOT_IN_BODIES = re.compile(r"\b(?:RAISE\s+(?:NOTICE|INFO|LOG|WARNING|EXCEPTION))\b[^;]*;", re.IGNORECASE)
_ARGUMENT_MODES = re.compile(r"\b(?:IN|OUT|INOUT)\b", re.IGNORECASE)
_REFUSED_CLAUSES = re.compile(r"\b(ON\s+CONFLICT|RETURNING|LATERAL|JSONB|FOREACH|GET\s+STACKED)\b", re.IGNORECASE)


def create_procedure(sql: str) -> str:
    """The PostgreSQL statement.

    Raises:
        RedshiftRefusalError: Header or body is not what Redshift takes.

    """
    match = _PROCEDURE.match(sql)
    if match is None:
        raise RedshiftRefusalError(
            "syntax error in CREATE PROCEDURE",
            "CREATE OR REPLACE PROCEDURE name(arguments) AS $$ ... $$ LANGUAGE plpgsql",
        )
    if "plpgsql" not in f"{match['before']} {match['after']}".lower():
        raise RedshiftRefusalError("CREATE PROCEDURE without LANGUAGE plpgsql", "Redshift has no other language for it")
    _check_arguments(match["arguments"])
    _check_body(match["body"])
    security = " SECURITY DEFINER" if "definer" in f"{match['before']} {match['after']}".lower() else ""
    return (
        f"CREATE OR REPLACE PROCEDURE {match['name']}({match['arguments']}) LANGUAGE plpgsql{security} "
        f"AS {match['quote']}{match['body']}{match['quote']}"
    )


def _check_arguments(arguments: str) -> None:
    check_tokens(redshift_tokens(arguments))
    plain = _ARGUMENT_MODES.sub(" ", arguments)
    if not plain.strip():
        return
    try:
        tree = sqlglot.parse_one(f"CREATE TABLE arguments ({plain})", read="redshift")
    except SqlglotError as error:
        raise RedshiftRefusalError("syntax error in CREATE PROCEDURE", "arguments are written: name type") from error
    check_tree(tree)


def _check_body(body: str) -> None:
    bare = _STRINGS.sub("''", body)
    if _TRUNCATE.search(bare):
        raise RedshiftRefusalError(
            "TRUNCATE cannot be invoked from a procedure that runs in an atomic context",
            "on Redshift it commits, and a batch of the Data API is one transaction: use DELETE",
        )
    if _ENDS_TRANSACTION.search(bare):
        raise RedshiftRefusalError(
            "COMMIT and ROLLBACK cannot be invoked from a procedure that runs in an atomic context",
            "a batch of the Data API is one transaction",
        )
    refused = _REFUSED_CLAUSES.search(bare)
    if refused is not None:
        raise RedshiftRefusalError(f'syntax error at or near "{refused.group(1)}"', "Redshift has no such clause")
    quiet = _NOT_IN_BODIES.sub(";", bare)
    check_tokens(redshift_tokens(quiet))
    for part in quiet.split(";"):
        statement = _STATEMENT.match(part)
        if statement is None:
            continue
        text = _INTO_VARIABLE.sub("", statement["sql"])
        try:
            tree = sqlglot.parse_one(text, read="redshift")
        except SqlglotError:
            continue  # PL/pgSQL that sqlglot does not read; PostgreSQL compiles it at its first CALL
        check_tree(tree)
