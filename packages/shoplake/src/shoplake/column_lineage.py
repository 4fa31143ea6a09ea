"""Which columns a column is made of, from a project's contracts and gold SQL; and which tiles show it. Pure.

Silver's columns come from one column of MySQL each: the contracts say so. Of gold's SQL the columns are worked out by sqlglot; where
it cannot read a model, the model's tables are what is known.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from shoplake_core.contracts import TableContract
from shoplake_core.project import Project
from shoplake_dashboards.tree import Dashboard, Dataset, HeatMap, Visual, named_dimensions, named_measures

__all__ = ["ColumnRef", "Lineage", "TileRef", "project_lineage", "tiles_by_column"]

_SCOPE = "scope"  # a model's view of the groups to rebuild
_CHANGES = "changes"  # the view over a change set in `touched`


@dataclass(frozen=True, slots=True, order=True)
class ColumnRef:
    """A column of a silver or gold table; column "" for the table as a whole."""

    table: str
    column: str = ""


@dataclass(frozen=True, slots=True, order=True)
class TileRef:
    """A tile of a dashboard."""

    dashboard: str
    tile: str
    title: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Lineage:
    """What gold is made of.

    Attributes:
        origins: Gold column -> the columns that it is made of; none where the model makes it from nothing, such as a count.
        by_table: Gold table -> why only the tables that it reads are known.

    """

    origins: Mapping[ColumnRef, tuple[ColumnRef, ...]] = field(default_factory=dict)
    by_table: Mapping[str, str] = field(default_factory=dict)

    def uses(self, ref: ColumnRef) -> tuple[ColumnRef, ...]:
        """The gold columns that are made of that column, near ones only."""
        return tuple(sorted(made for made, of in self.origins.items() if ref in of))


def project_lineage(project: Project, tables: Collection[str]) -> Lineage:
    """The lineage of some gold tables of the project; a model that cannot be read is known by its tables."""
    origins: dict[ColumnRef, tuple[ColumnRef, ...]] = {}
    by_table = {}
    contracts = {**project.silver, **project.gold}
    for name in tables:
        contract = project.gold[name]
        try:
            origins |= _model(contract, project.gold_sql[name], contracts)
        except Exception as error:  # noqa: BLE001 - whatever a foreign parser raises on SQL that Spark takes
            by_table[name] = f"its SQL cannot be followed column by column ({type(error).__name__})"
    return Lineage(origins=origins, by_table=by_table)


def _model(
    contract: TableContract, sql: str, contracts: Mapping[str, TableContract]
) -> dict[ColumnRef, tuple[ColumnRef, ...]]:
    schema = {name: list(contracts[name].column_names) for name in contract.reads}
    if contract.scope:
        schema[_SCOPE] = list(contract.scope)
    found = _origins(sql, schema, contract.column_names)
    scope = _scope_origins(contract, contracts) if contract.scope else {}
    return {
        ColumnRef(contract.name, column): tuple(
            sorted(
                {one for leaf in leaves for one in (scope.get(leaf.column, {leaf}) if leaf.table == _SCOPE else {leaf})}
            )
        )
        for column, leaves in found.items()
    }


def _scope_origins(contract: TableContract, contracts: Mapping[str, TableContract]) -> dict[str, set[ColumnRef]]:
    """Column of the view `scope` -> what its values are, by the statements that say which groups a change touches."""
    found: dict[str, set[ColumnRef]] = {column: set() for column in contract.scope}
    schema = {name: list(contracts[name].column_names) for name in contract.reads}
    statements = {"": contract.everything} if contract.everything else dict(contract.touched)
    for changed, sql in statements.items():
        views = schema | ({_CHANGES: [*contracts[changed].column_names, "_op"]} if changed else {})
        for column, leaves in _origins(sql, views, contract.scope, by_place=True).items():
            found[column] |= {
                ColumnRef(changed, leaf.column) if leaf.table == _CHANGES else leaf
                for leaf in leaves
                if leaf.column != "_op"
            }
    return found


def _origins(
    sql: str, schema: Mapping[str, list[str]], columns: Iterable[str], *, by_place: bool = False
) -> dict[str, set[ColumnRef]]:
    """Column of the statement -> the columns of `schema` that it is made of; `by_place` where it names them otherwise."""
    import sqlglot  # noqa: PLC0415 - half a second that only the console's data pages need
    from sqlglot import exp  # noqa: PLC0415
    from sqlglot.lineage import lineage  # noqa: PLC0415
    from sqlglot.optimizer.qualify import qualify  # noqa: PLC0415
    from sqlglot.optimizer.scope import build_scope  # noqa: PLC0415

    types = {table: dict.fromkeys(names, "string") for table, names in schema.items()}
    settings: dict[str, Any] = {"schema": types, "dialect": "spark"}
    statement = qualify(
        sqlglot.parse_one(sql, dialect="spark"), validate_qualify_columns=False, identify=False, **settings
    )
    named = [str(one) for one in statement.named_selects] if by_place and isinstance(statement, exp.Query) else []
    nodes = lineage(None, statement, scope=build_scope(statement), trim_selects=False, copy=False, **settings)
    found: dict[str, set[ColumnRef]] = {}
    for number, column in enumerate(columns):
        node = nodes[named[number] if number < len(named) else column]
        found[column] = {
            ColumnRef(leaf.source.name, leaf.name.rpartition(".")[2].strip('`"'))
            for leaf in node.walk()
            if not leaf.downstream and isinstance(leaf.source, exp.Table) and leaf.source.name in schema
        }
    return found


def tiles_by_column(dashboards: Mapping[str, Dashboard]) -> dict[ColumnRef, tuple[TileRef, ...]]:
    """Gold column -> the tiles whose numbers, splits, conditions or periods it is in."""
    found: dict[ColumnRef, set[TileRef]] = {}
    for name, dashboard in dashboards.items():
        for visual in dashboard.visuals:
            dataset = dashboard.dataset(visual.dataset)
            for column in {*_columns_of(visual), *_columns_of_dataset(dataset)}:
                for table in _tables_with(dataset, column):
                    found.setdefault(ColumnRef(table, column), set()).add(TileRef(name, visual.id, visual.title))
    return {ref: tuple(sorted(tiles)) for ref, tiles in found.items()}


def _columns_of(visual: Visual) -> Iterator[str]:
    for _, measure in named_measures(visual):
        for aggregate in (measure.value, *((measure.per,) if measure.per else ())):
            yield aggregate.column
            yield from (condition.column for condition in aggregate.where)
    yield from (dimension.column for _, dimension in named_dimensions(visual))
    if isinstance(visual, HeatMap) and visual.month:
        yield visual.month


def _columns_of_dataset(dataset: Dataset) -> Iterator[str]:
    if dataset.date:
        yield dataset.date
    yield from (condition.column for condition in dataset.where)
    for join in dataset.joins:
        yield from join.on


def _tables_with(dataset: Dataset, column: str) -> list[str]:
    joined = [join.table for join in dataset.joins if column in join.columns]
    keyed = [join.table for join in dataset.joins if column in join.on]
    return joined or [dataset.table, *keyed]
