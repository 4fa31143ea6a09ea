"""`init`: a first project from a MySQL schema."""

import os
from pathlib import Path
from typing import Annotated, Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import pymysql
import typer
from shoplake_core.endpoints import MySqlEndpoint, parse_mysql_url
from shoplake_core.errors import ConfigError, SourceError
from shoplake_core.names import MARKER_TABLE
from shoplake_core.project import CONFIG_FILE_NAME, project_from_folder
from shoplake_core.suggestions import did_you_mean
from shoplake_mysql.connections import connect
from shoplake_mysql.tables import list_tables, read_table_shape

from shoplake.cli import app, told
from shoplake.scaffold.contract_texts import CarriedTable, carried_table
from shoplake.scaffold.project_files import project_files

_URL = "SHOPLAKE_MYSQL_URL"


@app.command()
def init(
    folder: Annotated[Path, typer.Argument(help="The project's folder; it is made where it is not there.")],
    schema: Annotated[str, typer.Option("--schema", help="The MySQL schema; needed where the user sees several.")] = "",
    table: Annotated[list[str] | None, typer.Option("--table", help="Only this table; may come again.")] = None,
    time_zone: Annotated[str, typer.Option("--time-zone", help="Where the shop's day begins.")] = "UTC",
    gold: Annotated[bool, typer.Option(help="Carry each table on to the warehouse as it is.")] = True,
) -> None:
    """Write a first project from the MySQL at SHOPLAKE_MYSQL_URL: a contract a table; --table adds one to a project."""
    with told() as narrator:
        _checked_zone(time_zone)
        schema = _schema_of_project(folder, asked=schema, tables=table or []) or schema
        endpoint = _source_endpoint()
        connection = connect(endpoint)
        try:
            schema = _chosen_schema(connection, schema, endpoint)
            tables, refused = _carried(connection, schema, table or [])
        finally:
            connection.close()
        written, kept = _write(folder, dict(project_files(schema, tables, time_zone=time_zone, gold=gold)))
        project = project_from_folder(folder)
        columns = sum(len(t.columns) for t in tables)
        narrator.say(f"{schema} at {endpoint.host}:{endpoint.port}: {len(tables)} tables, {columns} columns")
        for name, why in refused:
            narrator.say(f"left out: {name}: {why}")
        for carried in tables:
            masked = [f"{c.name} ({c.pii.value})" for c in carried.columns if c.pii.value != "none"]
            if masked:
                narrator.say(f"masked: {carried.name}: {', '.join(masked)}")
            if carried.left_out:
                narrator.say(f"not carried: {carried.name}: {', '.join(carried.left_out)}")
        narrator.say(f"{written} files written, {kept} kept, in {folder}: {len(project.silver)} contracts")
        narrator.say(f"next: look at what is masked, then  cd {folder} && shoplake doctor && shoplake run")


def _schema_of_project(folder: Path, *, asked: str, tables: list[str]) -> str:
    """The schema of the project that is there; "" where there is none."""
    if not (folder / CONFIG_FILE_NAME).exists():
        return ""
    if not tables:
        raise ConfigError(
            f"{folder} holds a project already",
            hint="name the tables to add to it, as in --table orders, or name another folder",
        )
    schema = project_from_folder(folder).config.source_schema
    if asked not in {"", schema}:
        raise ConfigError(f"the project in {folder} reads schema {schema}, not {asked}", hint="leave --schema out")
    return schema


def _source_endpoint() -> MySqlEndpoint:
    url = os.environ.get(_URL, "")
    if not url:
        raise ConfigError(
            f"{_URL} is not set: init reads the tables of a MySQL that runs",
            hint=f"export {_URL}=mysql://user:password@host:3306",
        )
    return parse_mysql_url(url)


def _checked_zone(name: str) -> None:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise ConfigError(
            f'--time-zone: "{name}" is no IANA time zone', hint='write one such as "Europe/Berlin"'
        ) from error


def _chosen_schema(connection: "pymysql.connections.Connection[Any]", asked: str, endpoint: MySqlEndpoint) -> str:
    found = sorted({schema for schema, name in list_tables(connection) if name != MARKER_TABLE})
    if asked in found:
        return asked
    if not asked and len(found) == 1:
        return found[0]
    if not found:
        raise ConfigError(
            f"{endpoint.user} sees no table at {endpoint.host}:{endpoint.port}",
            hint="GRANT SELECT ON the_schema.* TO the user",
        )
    if asked:
        raise ConfigError(
            f'{endpoint.user} sees no table of a schema "{asked}"{did_you_mean(asked, found)}',
            hint=f"--schema one of {', '.join(found)}",
        )
    raise ConfigError(f"there are {len(found)} schemas", hint=f"--schema one of {', '.join(found)}")


def _carried(
    connection: "pymysql.connections.Connection[Any]", schema: str, only: list[str]
) -> tuple[list[CarriedTable], list[tuple[str, str]]]:
    """The tables that can be carried exactly, and those that cannot, each with its reason."""
    names = [name for _, name in list_tables(connection, schema) if name != MARKER_TABLE]
    for name in only:
        if name not in names:
            raise ConfigError(f'no table {schema}."{name}"{did_you_mean(name, names)}', hint="check --table")
    carried: dict[str, CarriedTable] = {}
    refused: list[tuple[str, str]] = []
    for name in [n for n in names if not only or n in only]:
        try:
            shape = read_table_shape(connection, schema, name)
        except SourceError as error:
            refused.append((name, error.message))
            continue
        if not shape.primary_key:
            refused.append((name, "no primary key, so its rows cannot be told apart"))
            continue
        table = carried_table(shape)
        if table.name in carried:
            refused.append(
                (name, f"its name in silver, {table.name}, is also that of {carried[table.name].shape.name}")
            )
            continue
        carried[table.name] = table
    if not carried:
        reasons = "; ".join(f"{name}: {why}" for name, why in refused)
        raise ConfigError(
            f"no table of {schema} can be carried: {reasons}",
            hint="give the tables primary keys, or name another --schema",
        )
    return list(carried.values()), refused


def _write(folder: Path, files: dict[str, str]) -> tuple[int, int]:
    """(files written, files kept): what is there is the user's."""
    written = kept = 0
    for path, text in files.items():
        target = folder / path
        if target.exists():
            kept += 1
            continue
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")
        written += 1
    return written, kept
