"""Rewrites a checked Redshift tree into PostgreSQL's, so that functions of one name mean what they mean on Redshift."""

from sqlglot import exp

from shoplake_local.redshift.refusals import NotLocalError, RedshiftRefusalError
from shoplake_local.redshift.vocabulary import UNSUPPORTED_DATE_PARTS

__all__ = ["to_postgres"]

_FRACTIONAL_PARTS = frozenset({"EPOCH", "SECOND", "SECONDS", "MILLISECOND", "MILLISECONDS", "MICROSECONDS"})


def _call(name: str, *arguments: exp.Expr) -> exp.Anonymous:
    return exp.Anonymous(this=name, expressions=list(arguments))


def _unit(node: exp.Expr) -> exp.Literal:
    unit = node.args.get("unit")
    text = unit.name.upper() if unit is not None else "DAY"
    if text in UNSUPPORTED_DATE_PARTS and isinstance(node, (exp.TsOrDsDiff, exp.DateDiff)):
        raise NotLocalError("DATEDIFF by week")
    return exp.Literal.string(text.lower())


def _with_named_parameters(tree: exp.Expr) -> tuple[exp.Expr, tuple[str, ...]]:
    names: list[str] = []

    def number(node: exp.Expr) -> exp.Expr:
        if isinstance(node, exp.Placeholder) and node.name:
            if node.name not in names:
                names.append(node.name)
            return exp.Parameter(this=exp.Literal.number(names.index(node.name) + 1))
        return node

    return tree.transform(number), tuple(names)


def _as_text(value: exp.Expr) -> exp.Expr:
    return exp.Cast(this=value.copy(), to=exp.DataType.build("VARCHAR"))


def _listagg(node: exp.GroupConcat, order: exp.Order | None) -> exp.Expr:
    separator = node.args.get("separator") or exp.Literal.string("")
    distinct = isinstance(node.this, exp.Distinct)
    value = node.this.expressions[0] if distinct else node.this
    if distinct and len(node.this.expressions) > 1:  # sqlglot takes DISTINCT a, ',' for two values
        separator = node.this.expressions[1]
    terms = order.copy() if order is not None else None
    if distinct and terms is not None:  # PostgreSQL orders a DISTINCT aggregate only by its own argument
        for term in terms.expressions:
            if term.this == value:
                term.set("this", _as_text(value))
    parts = ["DISTINCT"] if distinct else []
    parts.append(
        f"{_as_text(value).sql('postgres')}, {separator.sql('postgres')}{terms.sql('postgres') if terms else ''}"
    )
    # Kept as text: sqlglot's own generator writes WITHIN GROUP, which PostgreSQL's string_agg refuses.
    return exp.Var(this=f"STRING_AGG({' '.join(parts)})")


def _rewritten(node: exp.Expr) -> exp.Expr:  # noqa: C901, PLR0912 - one branch a function
    if isinstance(node, (exp.TsOrDsDiff, exp.DateDiff)):
        return _call("datediff", _unit(node), node.expression, node.this)
    if isinstance(node, (exp.TsOrDsAdd, exp.DateAdd)):
        return _call("dateadd", _unit(node), node.expression, node.this)
    if isinstance(node, exp.ConvertTimezone):
        return _call("convert_timezone", node.args["source_tz"], node.args["target_tz"], node.args["timestamp"])
    if isinstance(node, exp.Concat):
        if len(node.expressions) != 2:
            raise RedshiftRefusalError("function concat does not exist", "Redshift's CONCAT takes two values: use ||")
        return exp.Paren(this=exp.DPipe(this=node.expressions[0], expression=node.expressions[1]))
    if isinstance(node, exp.CurrentTimestamp):
        return _call("getdate")
    if isinstance(node, (exp.TimestampTrunc, exp.DateTrunc)):
        return _call("date_trunc", _unit(node), node.this)
    if isinstance(node, exp.Extract) and node.name.upper() not in _FRACTIONAL_PARTS:
        return exp.Cast(this=node.copy(), to=exp.DataType.build("INT"))
    if isinstance(node, exp.Round) and node.args.get("decimals") is not None:
        return _call("round", node.this, node.args["decimals"])
    if isinstance(node, exp.ApproxDistinct):
        return exp.Count(this=exp.Distinct(expressions=[node.this]))
    if isinstance(node, exp.LastDay):
        return _call("last_day", node.this)
    if isinstance(node, exp.SHA2):
        return _call("sha2", node.this, node.args.get("length") or exp.Literal.number(256))
    if isinstance(node, exp.RegexpReplace):
        return _call(
            "regexp_replace",
            node.this,
            node.expression,
            node.args.get("replacement") or exp.Literal.string(""),
            exp.Literal.string("g"),
        )
    if isinstance(node, exp.RegexpExtract):
        return _call("regexp_substr", node.this, node.expression)
    if isinstance(node, exp.WithinGroup) and isinstance(node.this, exp.GroupConcat):
        return _listagg(node.this, node.expression)
    if isinstance(node, exp.GroupConcat) and not isinstance(node.parent, exp.WithinGroup):
        return _listagg(node, None)
    if isinstance(node, exp.DataType) and node.this is exp.DataType.Type.SUPER:
        return exp.DataType.build("JSONB", dialect="postgres")
    return node


def to_postgres(tree: exp.Expr) -> tuple[str, tuple[str, ...]]:
    """The PostgreSQL text, and the names of its parameters in the order of $1, $2 ...

    Raises:
        RedshiftRefusalError, NotLocalError: A function in a form that has no equal here.

    """
    # Inner nodes first: a node that became text must hold rewritten parts.
    tree = tree.copy()
    for node in list(tree.dfs())[::-1]:
        replacement = _rewritten(node)
        if replacement is not node:
            if node is tree:
                tree = replacement
            else:
                node.replace(replacement)
    numbered, names = _with_named_parameters(tree)
    return str(numbered.sql("postgres")), names
