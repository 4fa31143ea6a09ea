"""Refuses what Redshift refuses, over tokens and over sqlglot's tree. PostgreSQL and sqlglot let most of it through.

Tokens serve for what can be seen anywhere, procedure bodies included; the tree for what depends on the statement.
"""

import re
from collections.abc import Callable, Sequence

from sqlglot import Token, TokenType, exp
from sqlglot.dialects.dialect import Dialect
from sqlglot.errors import TokenError

from shoplake_local.redshift.refusals import NotLocalError, RedshiftRefusalError
from shoplake_local.redshift.vocabulary import COLUMN_TYPES, FUNCTIONS, NOT_FUNCTIONS

__all__ = ["check_tokens", "check_tree", "redshift_tokens"]

_WORD = re.compile(r"^[A-Za-z_][A-Za-z0-9_$]*$")
_UNLISTED = "it is not on the list of functions that Redshift and the local warehouse both have"
_REDSHIFT = Dialect.get_or_raise("redshift")

# Words one after another -> why Redshift refuses them.
_REFUSED_WORDS: tuple[tuple[tuple[str, ...], str], ...] = (
    (("on", "conflict"), "Redshift has no ON CONFLICT: DELETE and INSERT in one transaction, or MERGE"),
    (("returning",), "Redshift has no RETURNING"),
    (("distinct", "on"), "Redshift has no DISTINCT ON: ROW_NUMBER() and a filter"),
    (("lateral",), "Redshift has no LATERAL"),
    (("is", "distinct", "from"), "Redshift has no IS DISTINCT FROM"),
    (("is", "not", "distinct", "from"), "Redshift has no IS NOT DISTINCT FROM"),
    (("with", "ordinality"), "Redshift has no WITH ORDINALITY"),
    (("[",), "Redshift has no array type: SUPER"),
    (("bytea",), "Redshift has no type BYTEA: VARBYTE"),
    (("tablesample",), "Redshift has no TABLESAMPLE"),
    (("create", "index"), "Redshift has no indexes"),
    (("create", "unique", "index"), "Redshift has no indexes"),
    (("create", "trigger"), "Redshift has no triggers"),
    (("create", "sequence"), "Redshift has no sequences: IDENTITY columns"),
    (("create", "domain"), "Redshift has no domains"),
    (("create", "type"), "Redshift has no types of the user's own"),
    (("create", "extension"), "Redshift has no extensions"),
)


def redshift_tokens(sql: str) -> list[Token]:
    """The statement's tokens.

    Raises:
        RedshiftRefusalError: It cannot be cut into tokens (an open quote).

    """
    try:
        return list(_REDSHIFT.tokenize(sql))
    except TokenError as error:
        raise RedshiftRefusalError("syntax error", str(error)) from error


def _words(tokens: Sequence[Token]) -> list[str]:
    """Each token's text in lower case; "" for strings and quoted names, so that they match no word."""
    hidden = {TokenType.STRING, TokenType.IDENTIFIER, TokenType.HEREDOC_STRING}
    words: list[str] = []
    for token in tokens:
        words += [""] if token.token_type in hidden else token.text.lower().split()
    return words


def _closing(words: Sequence[str], opening: int) -> int:
    depth = 0
    for place in range(opening, len(words)):
        depth += {"(": 1, ")": -1}.get(words[place], 0)
        if depth == 0:
            return place
    return len(words)


def _names_a_relation(words: Sequence[str], place: int) -> bool:
    """Whether the word before "(" at `place + 1` names a table, an alias or a CTE rather than a function."""
    before = words[place - 1] if place else ""
    if before == ".":
        before = words[place - 3] if place >= 3 else ""
    if before in {"into", "table", "exists", "procedure", "references", "view", "copy", "as", ")", "call"}:
        return True
    after = _closing(words, place + 1)
    follows = words[after + 1 : after + 3]
    return before in {"with", "recursive", ","} and follows == ["as", "("]


def check_tokens(tokens: Sequence[Token]) -> None:
    """Nothing, where no refused word and no unknown function is among them.

    Raises:
        RedshiftRefusalError: Naming the word or function.
        NotLocalError: MERGE ... REMOVE DUPLICATES, which sqlglot cannot read.

    """
    words = _words(tokens)
    if words[-2:] == ["remove", "duplicates"]:
        raise NotLocalError("MERGE ... REMOVE DUPLICATES")
    for pattern, reason in _REFUSED_WORDS:
        for place in range(len(words) - len(pattern) + 1):
            if tuple(words[place : place + len(pattern)]) == pattern:
                raise RedshiftRefusalError(f'syntax error at or near "{" ".join(pattern)}"', reason)
    for place in range(len(words) - 1):
        word = words[place]
        if words[place + 1] != "(" or not _WORD.match(word) or word in NOT_FUNCTIONS:
            continue
        if _names_a_relation(words, place):
            continue
        if word not in FUNCTIONS:
            raise RedshiftRefusalError(f"function {word}() does not exist", _UNLISTED)


def _check_merge(tree: exp.Merge) -> None:
    def refuse(reason: str) -> None:
        raise RedshiftRefusalError("MERGE is not supported in this form", reason)

    target = tree.this
    if not isinstance(target, exp.Table) or target.alias:
        refuse("Redshift takes no alias on the target of a MERGE")
    if not isinstance(tree.args["using"], exp.Table):
        refuse("the source of a MERGE must be a table: load it into a temporary table first")
    for condition in tree.args["on"].flatten() if isinstance(tree.args["on"], exp.And) else [tree.args["on"]]:
        if not isinstance(condition.unnest(), exp.EQ):
            refuse("the ON of a MERGE must be equalities joined by AND")
    branches = list(tree.args["whens"].expressions)
    matched = [when for when in branches if when.args.get("matched")]
    if len(branches) != 2 or len(matched) != 1:
        refuse("a MERGE needs WHEN MATCHED and WHEN NOT MATCHED, each once (or REMOVE DUPLICATES)")
    for when in branches:
        if when.args.get("condition") is not None:
            refuse("a branch of a MERGE takes no AND condition")
        if when.args.get("source"):
            refuse("Redshift has no WHEN NOT MATCHED BY SOURCE")
        if not when.args.get("matched") and not isinstance(when.args.get("then"), exp.Insert):
            refuse("WHEN NOT MATCHED must INSERT")


def _check_delete(tree: exp.Delete) -> None:
    if isinstance(tree.this, exp.Table) and tree.this.alias:
        raise RedshiftRefusalError('syntax error at or near "AS"', "the target of a DELETE takes no alias")


def _check_values(tree: exp.Expr) -> None:
    for values in tree.find_all(exp.Values):
        if not isinstance(values.parent, exp.Insert):
            raise RedshiftRefusalError('syntax error at or near "VALUES"', "VALUES stands only in an INSERT")
    for call in tree.find_all(exp.Anonymous):
        if call.name.lower() == "values" and call.find_ancestor(exp.Insert) is None:
            raise RedshiftRefusalError('syntax error at or near "VALUES"', "VALUES stands only in an INSERT")


def _check_functions(tree: exp.Expr) -> None:
    """What tokens cannot tell: quoted function names, and functions that stand as tables."""
    for table in tree.find_all(exp.Table):
        if isinstance(table.this, exp.Func):
            name = table.this.name or table.this.sql_name()
            raise RedshiftRefusalError(
                f"function {name.lower()}() cannot stand in FROM", "Redshift has no table functions"
            )
    for call in tree.find_all(exp.Anonymous):
        if call.name.lower() not in FUNCTIONS | {"values"}:
            raise RedshiftRefusalError(f"function {call.name.lower()}() does not exist", _UNLISTED)


def _check_types(tree: exp.Expr) -> None:
    for kind in tree.find_all(exp.DataType):
        if kind.this not in COLUMN_TYPES:
            raise RedshiftRefusalError(
                f'type "{kind.sql("redshift").lower()}" does not exist', "Redshift has no such type"
            )
        if kind.this is exp.DataType.Type.DECIMAL and kind.expressions:
            precision = int(kind.expressions[0].name)
            if precision > 38:
                raise RedshiftRefusalError(
                    f"DECIMAL precision {precision} must be between 1 and 38", "38 digits at most"
                )


# Tree node -> what it is called and why Redshift refuses it.
_REFUSED_NODES: tuple[tuple[type[exp.Expr], str, str], ...] = (
    (exp.Lock, "FOR UPDATE", "Redshift has no row locks: LOCK the table"),
    (exp.Filter, "FILTER", "Redshift has no FILTER on an aggregate: SUM(CASE WHEN ... END)"),
    (exp.CheckColumnConstraint, "CHECK", "Redshift has no CHECK constraints"),
    (exp.Array, "ARRAY", "Redshift has no array type: SUPER"),
    (exp.JSONExtract, "->", "Redshift has no JSON operators: SUPER"),
    (exp.JSONExtractScalar, "->>", "Redshift has no JSON operators: SUPER"),
)
_ONLY_READS = (exp.Select, exp.SetOperation, exp.Subquery)
_OF_ROOT: dict[type[exp.Expr], Callable[..., None]] = {exp.Merge: _check_merge, exp.Delete: _check_delete}


def check_tree(tree: exp.Expr) -> None:
    """Nothing, where the statement is one that Redshift takes.

    Raises:
        RedshiftRefusalError: With Redshift's reason.
        NotLocalError: Redshift takes it, the local warehouse does not.

    """
    for kind, name, reason in _REFUSED_NODES:
        if tree.find(kind) is not None:
            raise RedshiftRefusalError(f'syntax error at or near "{name}"', reason)
    for cte in tree.find_all(exp.CTE):
        if not isinstance(cte.this, (*_ONLY_READS, exp.Anonymous)):
            raise RedshiftRefusalError("a common table expression must be a SELECT", "Redshift writes in no CTE")
    if tree.find(exp.Pivot) is not None:
        raise NotLocalError("PIVOT and UNPIVOT")
    _check_values(tree)
    _check_functions(tree)
    _check_types(tree)
    for kind, check in _OF_ROOT.items():
        if isinstance(tree, kind):
            check(tree)
