"""CREATE TABLE and ALTER TABLE for PostgreSQL: distribution and encodings go, so do the keys that Redshift does not enforce
(a doubled load must show here as it would there), VARCHAR lengths are held in bytes, and a sort key is an index, so that a
range of days is read without the rest, as it is there.
"""

from collections.abc import Sequence

from sqlglot import Token, TokenType, exp

from shoplake_local.redshift.refusals import NotLocalError, RedshiftRefusalError

__all__ = [
    "BYTES_CONSTRAINT_PREFIX",
    "alter_table",
    "create_table",
    "key_columns",
    "sort_columns",
    "sort_index",
    "without_table_attributes",
]

BYTES_CONSTRAINT_PREFIX = "bytes_"
SORT_INDEX_PREFIX = "sort_"
_MAX_NAME = 63
_DEFAULT_LENGTHS = {"VARCHAR": 256, "NVARCHAR": 256, "TEXT": 256, "BPCHAR": 256, "CHAR": 1, "NCHAR": 1}
_MAX_VARCHAR_BYTES = 65_535
_INTERNAL_KEYS = (exp.PrimaryKey, exp.ForeignKey, exp.UniqueColumnConstraint, exp.Constraint)
_COLUMN_KEYS = (exp.PrimaryKeyColumnConstraint, exp.UniqueColumnConstraint, exp.Reference, exp.EncodeColumnConstraint)


def _skip_parens(tokens: Sequence[Token], place: int) -> int:
    """The place after the bracket that opens at `place`; `place` itself where none does."""
    if place >= len(tokens) or tokens[place].token_type is not TokenType.L_PAREN:
        return place
    depth = 0
    for end in range(place, len(tokens)):
        depth += {TokenType.L_PAREN: 1, TokenType.R_PAREN: -1}.get(tokens[end].token_type, 0)
        if depth == 0:
            return end + 1
    return len(tokens)


def without_table_attributes(sql: str, tokens: Sequence[Token]) -> str:
    """The CREATE or ALTER TABLE without DISTSTYLE, DISTKEY, SORTKEY, ENCODE and BACKUP, wherever they stand."""
    cuts: list[tuple[int, int]] = []
    place = 0
    while place < len(tokens):
        word = tokens[place].text.upper() if tokens[place].token_type is not TokenType.IDENTIFIER else ""
        following = tokens[place + 1].text.upper() if place + 1 < len(tokens) else ""
        end = place
        if word in {"DISTSTYLE", "BACKUP", "ENCODE"}:
            end = place + 2
        elif word == "DISTKEY":
            end = _skip_parens(tokens, place + 1)
        elif word in {"COMPOUND", "INTERLEAVED"} and following == "SORTKEY":
            end = _skip_parens(tokens, place + 2)
        elif word == "SORTKEY":
            end = place + 2 if following == "AUTO" else _skip_parens(tokens, place + 1)
        if end > place:
            cuts.append((tokens[place].start, tokens[end - 1].end + 1))
        place = max(end, place + 1)
    for start, stop in reversed(cuts):
        sql = f"{sql[:start]} {sql[stop:]}"
    return sql


def key_columns(tokens: Sequence[Token]) -> tuple[str, ...]:
    """The columns that DISTKEY (...) and SORTKEY (...) name after the column list."""
    return _columns_after(tokens, {"DISTKEY", "SORTKEY"})


def sort_columns(tokens: Sequence[Token]) -> tuple[str, ...]:
    """The columns that SORTKEY (...) names after the column list, in its order; () for AUTO or none."""
    return _columns_after(tokens, {"SORTKEY"})


def _columns_after(tokens: Sequence[Token], words: set[str]) -> tuple[str, ...]:
    names: list[str] = []
    for place, token in enumerate(tokens):
        if token.token_type is TokenType.IDENTIFIER or token.text.upper() not in words:
            continue
        inside = tokens[place + 2 : max(_skip_parens(tokens, place + 1) - 1, place + 2)]
        names += [t.text if t.token_type is TokenType.IDENTIFIER else t.text.lower() for t in inside if t.text != ","]
    return tuple(names)


def _length(kind: exp.DataType) -> int | None:
    """The length in bytes of a text type; None for others."""
    name = kind.this.value
    if name not in _DEFAULT_LENGTHS:
        return None
    if name == "TEXT" or not kind.expressions:
        return _DEFAULT_LENGTHS[name]
    text = kind.expressions[0].name.upper()
    length = _MAX_VARCHAR_BYTES if text == "MAX" else int(text)
    if not 1 <= length <= _MAX_VARCHAR_BYTES:
        raise RedshiftRefusalError(
            f"length for type varchar cannot exceed {_MAX_VARCHAR_BYTES}", f"{length} is too long"
        )
    return length


def _postgres_type(kind: exp.DataType) -> str:
    length = _length(kind)
    if length is not None:
        return f"{'CHAR' if kind.this.value in {'CHAR', 'NCHAR'} else 'VARCHAR'}({length})"
    if kind.this is exp.DataType.Type.SUPER:
        return "JSONB"
    if kind.this is exp.DataType.Type.VARBINARY:
        return "BYTEA"
    if kind.this is exp.DataType.Type.DECIMAL and not kind.expressions:
        return "DECIMAL(18, 0)"
    return str(kind.sql("postgres"))


def _bytes_check(column: str, length: int) -> str:
    name = f"{BYTES_CONSTRAINT_PREFIX}{column}"[:_MAX_NAME]
    quoted = exp.to_identifier(column, quoted=True).sql("postgres")
    return f'CONSTRAINT "{name}" CHECK (OCTET_LENGTH({quoted}) <= {length})'


def _column(column: exp.ColumnDef, *, not_null: bool = False) -> str:
    kind = column.kind
    if kind is None:
        raise RedshiftRefusalError(f'column "{column.name}" has no type', "every column needs one")
    kept = [c for c in column.constraints if not isinstance(c.kind, _COLUMN_KEYS)]
    not_null = not_null or any(isinstance(c.kind, exp.PrimaryKeyColumnConstraint) for c in column.constraints)
    parts = [column.this.sql("postgres"), _postgres_type(kind), *(c.sql("postgres") for c in kept)]
    if not_null and not any(isinstance(c.kind, exp.NotNullColumnConstraint) for c in kept):
        parts.append("NOT NULL")
    length = _length(kind)
    return " ".join([*parts, _bytes_check(column.name, length)] if length is not None else parts)


def create_table(tree: exp.Create, *, keys: Sequence[str] = ()) -> str:
    """The PostgreSQL statement of a CREATE TABLE with a column list or a LIKE.

    Args:
        tree: The statement without distribution and sort keys.
        keys: The columns that those named.

    Raises:
        RedshiftRefusalError: Redshift refuses it.

    """
    columns = {item.name for item in tree.this.expressions if isinstance(item, exp.ColumnDef)}
    primary = {
        part.name for key in tree.this.expressions if isinstance(key, exp.PrimaryKey) for part in key.expressions
    }
    unknown = sorted({*primary, *keys} - columns)
    if unknown and not tree.find(exp.LikeProperty):
        raise RedshiftRefusalError(
            f'column "{unknown[0]}" named in key does not exist', "keys name columns of the table"
        )
    lines: list[str] = []
    for item in tree.this.expressions:
        if isinstance(item, exp.ColumnDef):
            lines.append(_column(item, not_null=item.name in primary))
        elif isinstance(item, exp.LikeProperty):
            lines.append(f"LIKE {item.this.sql('postgres')} INCLUDING CONSTRAINTS")
        elif not isinstance(item, _INTERNAL_KEYS):
            raise NotLocalError(f"CREATE TABLE with {item.sql('redshift')}")
    temporary = "TEMPORARY " if tree.find(exp.TemporaryProperty) else ""
    absent = "IF NOT EXISTS " if tree.args.get("exists") else ""
    return f"CREATE {temporary}TABLE {absent}{tree.this.this.sql('postgres')} ({', '.join(lines)})"


def sort_index(tree: exp.Create, columns: Sequence[str]) -> str:
    """The statement that makes the index of a table's sort key; "" where it has none."""
    if not columns or tree.find(exp.TemporaryProperty):
        return ""
    table = tree.this.this
    name = exp.to_identifier(f"{SORT_INDEX_PREFIX}{table.name}"[:_MAX_NAME], quoted=True).sql("postgres")
    keys = ", ".join(exp.to_identifier(column, quoted=True).sql("postgres") for column in columns)
    return f"CREATE INDEX IF NOT EXISTS {name} ON {table.sql('postgres')} ({keys})"


def alter_table(tree: exp.Alter, *, in_transaction: bool) -> str:
    """The PostgreSQL statement of an ALTER TABLE: ADD, DROP or RENAME of a column, a wider VARCHAR, a table's new name.

    Raises:
        RedshiftRefusalError: Redshift refuses it.
        NotLocalError: Another action.

    """
    table = tree.this.sql("postgres")
    actions = tree.args["actions"]
    if len(actions) != 1:
        raise RedshiftRefusalError("syntax error in ALTER TABLE", "Redshift takes one action a statement")
    action = actions[0]
    if isinstance(action, exp.ColumnDef):
        kinds = {type(constraint.kind) for constraint in action.constraints}
        if exp.NotNullColumnConstraint in kinds and exp.DefaultColumnConstraint not in kinds:
            raise RedshiftRefusalError(
                "ALTER TABLE ADD COLUMN defined as NOT NULL must have a non-null default expression",
                "Redshift asks for it even while the table is empty",
            )
        return f"ALTER TABLE {table} ADD COLUMN {_column(action)}"
    if isinstance(action, exp.AlterColumn) and isinstance(action.args.get("dtype"), exp.DataType):
        length = _length(action.args["dtype"])
        if in_transaction:
            raise RedshiftRefusalError(
                "ALTER TABLE ALTER COLUMN cannot run inside a transaction block", "run it as a statement of its own"
            )
        if length is None:
            raise RedshiftRefusalError("cannot alter the type of a column", "only a VARCHAR's size can change")
        name = action.this.name
        constraint = f"{BYTES_CONSTRAINT_PREFIX}{name}"[:_MAX_NAME]
        column = exp.to_identifier(name, quoted=True).sql("postgres")
        return (
            f'ALTER TABLE {table} ALTER COLUMN {column} TYPE VARCHAR({length}), DROP CONSTRAINT IF EXISTS "{constraint}", '
            f"ADD {_bytes_check(name, length)}"
        )
    if isinstance(action, (exp.Drop, exp.RenameColumn, exp.AlterRename)):
        return str(tree.sql("postgres"))
    raise NotLocalError(f"ALTER TABLE ... {action.sql('redshift')}")
