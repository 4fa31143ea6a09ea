"""The closed lists of what the local warehouse lets through: types and functions that Redshift has and that give the same
answer here. What is not listed is refused, so that a statement which runs here also runs there.

Known differences that no list can close: numeric division shows more digits here; PERCENTILE_CONT and MEDIAN of a numeric
are doubles here.
"""

from sqlglot import exp

__all__ = ["COLUMN_TYPES", "FUNCTIONS", "NOT_FUNCTIONS", "UNSUPPORTED_DATE_PARTS"]

_T = exp.DataType.Type

_FUNCTION_NAMES = """
count sum avg min max stddev stddev_samp stddev_pop variance var_samp var_pop median percentile_cont
percentile_disc listagg bool_and bool_or any_value row_number rank dense_rank percent_rank cume_dist ntile lag lead
first_value last_value nth_value
coalesce nvl nvl2 nullif decode greatest least cast convert
getdate dateadd date_add datediff date_diff date_part date_part_year date_trunc extract last_day convert_timezone
to_char to_date to_timestamp trunc
abs ceil ceiling floor round mod power pow sqrt exp ln log sign random pi degrees radians sin cos tan asin acos
atan atan2 to_number
len length char_length character_length octet_length lower upper initcap trim btrim ltrim rtrim substring substr
left right replace position strpos charindex concat lpad rpad repeat reverse split_part translate ascii chr md5
sha2 regexp_replace regexp_substr regexp_count quote_ident quote_literal
current_schema current_database version
"""

_OTHER_WORDS = """
if elsif elseif while loop return raise exit perform execute begin declare
check pivot unpivot and or not in exists any some all select from where on using values over as by having when then
else case join union intersect except minus distinct key unique references distkey sortkey identity default limit
offset set with partition group rollup cube sets between like ilike is filter within insert returns table into int
integer bigint smallint decimal numeric real float double precision char character varchar nvarchar nchar bpchar
varying text date time timetz timestamp timestamptz interval super varbyte varbinary boolean
"""

COLUMN_TYPES = frozenset(
    {
        _T.SMALLINT,
        _T.INT,
        _T.BIGINT,
        _T.DECIMAL,
        _T.FLOAT,
        _T.DOUBLE,
        _T.BOOLEAN,
        _T.CHAR,
        _T.NCHAR,
        _T.BPCHAR,
        _T.VARCHAR,
        _T.NVARCHAR,
        _T.TEXT,
        _T.DATE,
        _T.TIME,
        _T.TIMETZ,
        _T.TIMESTAMP,
        _T.TIMESTAMPTZ,
        _T.INTERVAL,
        _T.SUPER,
        _T.VARBINARY,
    }
)

FUNCTIONS = frozenset(_FUNCTION_NAMES.split())

# Words that may stand before "(" and call nothing.
NOT_FUNCTIONS = frozenset(_OTHER_WORDS.split())

# Where Redshift's week starts is not settled here, and nothing of ours needs it.
UNSUPPORTED_DATE_PARTS = frozenset({"WEEK", "WEEKS", "W"})
