"""Redshift's functions that PostgreSQL lacks or answers differently, as SQL functions in one schema.

The schema stands before pg_catalog in the search path, so that `avg` of whole numbers and `date_trunc` of a date mean what
they mean on Redshift. Set for the database, so that any SQL client sees the same.
"""

from typing import Any, LiteralString

import psycopg

__all__ = ["SHIM_SCHEMA", "SHIM_STATEMENTS", "install_shims"]

SHIM_SCHEMA = "redshift_functions"
_INSTALL_LOCK = 7_205_019  # any number: keeps two connections from installing at once
_FUNCTION = "CREATE OR REPLACE FUNCTION redshift_functions."

SHIM_STATEMENTS: tuple[LiteralString, ...] = (
    "CREATE SCHEMA IF NOT EXISTS redshift_functions",
    # Redshift's clock has no zone and is UTC.
    _FUNCTION
    + "getdate() RETURNS timestamp LANGUAGE sql STABLE AS $$ SELECT date_trunc('second', now() AT TIME ZONE 'UTC') $$",
    _FUNCTION + "convert_timezone(source text, target text, t timestamp) RETURNS timestamp LANGUAGE sql STABLE AS "
    "$$ SELECT t AT TIME ZONE source AT TIME ZONE target $$",
    _FUNCTION
    + "dateadd(unit text, n bigint, t timestamp) RETURNS timestamp LANGUAGE sql IMMUTABLE AS $$ SELECT t + n * "
    "CASE WHEN unit IN ('quarter', 'quarters', 'qtr', 'q') THEN interval '3 months' ELSE ('1 ' || unit)::interval END $$",
    # Counts boundaries, not elapsed time: 23:59 to 00:01 is one day.
    _FUNCTION
    + """datediff(unit text, a timestamp, b timestamp) RETURNS bigint LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE
      WHEN unit IN ('year', 'years', 'y', 'yr') THEN extract(year FROM b)::bigint - extract(year FROM a)::bigint
      WHEN unit IN ('quarter', 'quarters', 'qtr', 'q') THEN
        (extract(year FROM b) * 4 + extract(quarter FROM b) - extract(year FROM a) * 4 - extract(quarter FROM a))::bigint
      WHEN unit IN ('month', 'months', 'mon') THEN
        (extract(year FROM b) * 12 + extract(month FROM b) - extract(year FROM a) * 12 - extract(month FROM a))::bigint
      WHEN unit IN ('day', 'days', 'd') THEN (b::date - a::date)::bigint
      WHEN unit IN ('hour', 'hours', 'h', 'hr') THEN
        (extract(epoch FROM date_trunc('hour', b) - date_trunc('hour', a)) / 3600)::bigint
      WHEN unit IN ('minute', 'minutes', 'm', 'min') THEN
        (extract(epoch FROM date_trunc('minute', b) - date_trunc('minute', a)) / 60)::bigint
      WHEN unit IN ('second', 'seconds', 's', 'sec') THEN
        extract(epoch FROM date_trunc('second', b) - date_trunc('second', a))::bigint
    END $$""",
    _FUNCTION + "date_trunc(unit text, d date) RETURNS timestamp LANGUAGE sql IMMUTABLE AS "
    "$$ SELECT pg_catalog.date_trunc(unit, d::timestamp) $$",
    _FUNCTION + "trunc(t timestamp) RETURNS date LANGUAGE sql IMMUTABLE AS $$ SELECT t::date $$",
    _FUNCTION + "last_day(t timestamp) RETURNS date LANGUAGE sql IMMUTABLE AS "
    "$$ SELECT (pg_catalog.date_trunc('month', t) + interval '1 month - 1 day')::date $$",
    _FUNCTION
    + "date_part_year(d date) RETURNS integer LANGUAGE sql IMMUTABLE AS $$ SELECT extract(year FROM d)::integer $$",
    _FUNCTION + "round(x double precision, n integer) RETURNS double precision LANGUAGE sql IMMUTABLE AS "
    "$$ SELECT pg_catalog.round(x::numeric, n)::double precision $$",
    _FUNCTION + "sha2(t text, bits integer) RETURNS text LANGUAGE sql IMMUTABLE AS $$ SELECT encode(CASE bits "
    "WHEN 224 THEN sha224(convert_to(t, 'UTF8')) WHEN 384 THEN sha384(convert_to(t, 'UTF8')) "
    "WHEN 512 THEN sha512(convert_to(t, 'UTF8')) ELSE sha256(convert_to(t, 'UTF8')) END, 'hex') $$",
    _FUNCTION + "len(t text) RETURNS integer LANGUAGE sql IMMUTABLE AS $$ SELECT length(t) $$",
    _FUNCTION
    + "nvl(a anycompatible, b anycompatible) RETURNS anycompatible LANGUAGE sql IMMUTABLE AS $$ SELECT coalesce(a, b) $$",
    # AVG of whole numbers is a whole number on Redshift, cut towards zero.
    _FUNCTION + "whole_average(total numeric, n bigint) RETURNS bigint LANGUAGE sql IMMUTABLE AS "
    "$$ SELECT CASE WHEN n > 0 THEN trunc(total / n)::bigint END $$",
    _FUNCTION + "whole_step(state numeric[], x bigint) RETURNS numeric[] LANGUAGE sql IMMUTABLE AS "
    "$$ SELECT CASE WHEN x IS NULL THEN state ELSE ARRAY[state[1] + x, state[2] + 1] END $$",
    _FUNCTION + "whole_end(state numeric[]) RETURNS bigint LANGUAGE sql IMMUTABLE AS "
    "$$ SELECT redshift_functions.whole_average(state[1], state[2]::bigint) $$",
    (
        "CREATE OR REPLACE AGGREGATE redshift_functions.avg(bigint) (SFUNC = redshift_functions.whole_step, STYPE = numeric[], "
        "FINALFUNC = redshift_functions.whole_end, INITCOND = '{0,0}')"
    ),
    _FUNCTION + "whole_step(state numeric[], x integer) RETURNS numeric[] LANGUAGE sql IMMUTABLE AS "
    "$$ SELECT redshift_functions.whole_step(state, x::bigint) $$",
    (
        "CREATE OR REPLACE AGGREGATE redshift_functions.avg(integer) (SFUNC = redshift_functions.whole_step, STYPE = numeric[], "
        "FINALFUNC = redshift_functions.whole_end, INITCOND = '{0,0}')"
    ),
    _FUNCTION + "whole_step(state numeric[], x smallint) RETURNS numeric[] LANGUAGE sql IMMUTABLE AS "
    "$$ SELECT redshift_functions.whole_step(state, x::bigint) $$",
    (
        "CREATE OR REPLACE AGGREGATE redshift_functions.avg(smallint) (SFUNC = redshift_functions.whole_step, STYPE = numeric[], "
        "FINALFUNC = redshift_functions.whole_end, INITCOND = '{0,0}')"
    ),
)
SEARCH_PATH: LiteralString = '"$user", public, redshift_functions, pg_catalog'


def install_shims(connection: psycopg.Connection[Any]) -> None:
    """Makes the functions and sets the search path and time zone of the connection's database."""
    with connection.transaction():
        connection.execute("SELECT pg_advisory_xact_lock(%s)", (_INSTALL_LOCK,))
        for statement in SHIM_STATEMENTS:
            connection.execute(statement)
        name = psycopg.sql.Identifier(connection.info.dbname)
        connection.execute(psycopg.sql.SQL("ALTER DATABASE {} SET search_path = " + SEARCH_PATH).format(name))
        connection.execute(psycopg.sql.SQL("ALTER DATABASE {} SET timezone = 'UTC'").format(name))
