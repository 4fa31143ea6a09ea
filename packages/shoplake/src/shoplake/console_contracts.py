"""What a project's contracts, SQL and dashboards say of its tables, as the console shows it: columns, rules, and their ways."""

from collections.abc import Mapping, Sequence
from threading import Lock
from urllib.parse import quote

from shoplake_console.data_port import ColumnEntry, DataLayer, Place, TableEntry, TablePage
from shoplake_core.contracts import CaseFold, ColumnContract, Pii, TableContract, Violation
from shoplake_core.errors import ConfigError

from shoplake.column_lineage import ColumnRef, Lineage, TileRef, project_lineage, tiles_by_column
from shoplake.dashboard_pages import project_dashboards
from shoplake.workspace import Workspace

__all__ = ["ConsoleContracts"]


class ConsoleContracts:
    """The tables of one project, without asking any server.

    Args:
        workspace: The project.

    """

    def __init__(self, workspace: Workspace) -> None:
        self._project = workspace.project
        self._workspace = workspace
        self._lock = Lock()
        self._known: dict[str, Lineage] = {}

    def names(self, layer: DataLayer) -> Sequence[str]:
        """The tables of a layer; bronze's are named as in MySQL."""
        if layer is DataLayer.BRONZE:
            return [contract.source_name for contract in self._project.silver.values()]
        return list(self._contracts(layer))

    def _contracts(self, layer: DataLayer) -> dict[str, TableContract]:
        return dict(self._project.silver if layer is DataLayer.SILVER else self._project.gold)

    def entry(self, layer: DataLayer, name: str) -> TableEntry:
        """The table without its numbers (KeyError if there is none of that name)."""
        return TableEntry(layer=layer, name=name, grain=self._contracts(layer)[name].grain)

    def page(self, layer: DataLayer, name: str) -> TablePage:
        """The table without its numbers (KeyError if there is none of that name)."""
        schema = self._project.config.source_schema
        if layer is DataLayer.BRONZE:
            cleaned = [n for n, contract in self._project.silver.items() if contract.source_name == name]
            return TablePage(
                entry=TableEntry(layer=layer, name=name),
                source=name,
                upstream=[Place(f"MySQL {schema}.{name}")],
                downstream=[_table_place(DataLayer.SILVER, n) for n in cleaned],
            )
        contract = self._contracts(layer)[name]
        reading = [n for n, gold in self._project.gold.items() if name in gold.reads]
        lineage = self._lineage(self._made_of(name))
        tiles = self._tiles()
        reached = {name, *self._made_of(name)}
        own_tiles = sorted({tile for ref, found in tiles.items() if ref.table in reached for tile in found})
        if layer is DataLayer.SILVER:
            upstream = [_table_place(DataLayer.BRONZE, contract.source_name)]
        else:
            upstream = [self._place(ColumnRef(read)) for read in contract.reads]
        return TablePage(
            entry=self.entry(layer, name),
            doc=contract.doc,
            source=contract.source_name,
            columns=[self._column(layer, contract, column, lineage, tiles) for column in contract.columns],
            upstream=upstream,
            downstream=[_table_place(DataLayer.GOLD, reader) for reader in reading],
            tiles=[_tile_place(tile) for tile in own_tiles],
            lineage_note=_note(layer, name, lineage),
            tests=[(test.name, test.severity.value) for test in contract.tests],
        )

    def _made_of(self, name: str) -> list[str]:
        """The gold tables that a table's rows are in, itself among them, each after all that it reads."""
        found = [name] if name in self._project.gold else []
        for reader, gold in self._project.gold.items():
            if reader not in found and {name, *found} & set(gold.reads):
                found.append(reader)
        return found

    def _lineage(self, tables: Sequence[str]) -> Lineage:
        """What those gold tables are made of; each model is followed once, for it takes a moment."""
        with self._lock:
            for name in tables:
                if name not in self._known:
                    self._known[name] = project_lineage(self._project, [name])
            known = [self._known[name] for name in tables]
        return Lineage(
            origins={made: of for one in known for made, of in one.origins.items()},
            by_table={name: why for one in known for name, why in one.by_table.items()},
        )

    def _tiles(self) -> dict[ColumnRef, tuple[TileRef, ...]]:
        try:
            return tiles_by_column(project_dashboards(self._workspace))
        except ConfigError:
            return {}  # the page of dashboards says which file is wrong

    def _column(
        self,
        layer: DataLayer,
        contract: TableContract,
        column: ColumnContract,
        lineage: Lineage,
        tiles: dict[ColumnRef, tuple[TileRef, ...]],
    ) -> ColumnEntry:
        ref = ColumnRef(contract.name, column.name)
        note = ""
        if layer is DataLayer.SILVER:
            words = f"{contract.source_name}.{column.source_name}"
            origins = [Place(words, f"/data/bronze/{quote(contract.source_name, safe='')}")]
        else:
            origins = [self._place(one) for one in lineage.origins.get(ref, ())]
            if not origins:
                note = (
                    "see the tables above"
                    if contract.name in lineage.by_table
                    else "the model: a count, a constant or a calendar"
                )
        return ColumnEntry(
            name=column.name,
            type=str(column.stored_type) if column.pii is Pii.NONE else f"mask of {column.type}",
            marks=_marks(contract, column),
            rules=_rules(column),
            doc=column.doc,
            origins=tuple(origins),
            origins_note=note,
            uses=tuple(self._place(one) for one in lineage.uses(ref)),
            tiles=tuple(_tile_place(tile) for tile in sorted(_shown_in(ref, lineage, tiles))),
        )

    def _place(self, ref: ColumnRef) -> Place:
        layer = DataLayer.GOLD if ref.table in self._project.gold else DataLayer.SILVER
        return _table_place(layer, ref.table, ref.column)


def _shown_in(ref: ColumnRef, lineage: Lineage, tiles: Mapping[ColumnRef, tuple[TileRef, ...]]) -> set[TileRef]:
    """The tiles that show the column, or a gold column that it went into on whatever way."""
    reached, found = {ref}, set(tiles.get(ref, ()))
    ahead = [ref]
    while ahead:
        for made in lineage.uses(ahead.pop()):
            if made not in reached:
                reached.add(made)
                ahead.append(made)
                found |= set(tiles.get(made, ()))
    return found


def _table_place(layer: DataLayer, name: str, column: str = "") -> Place:
    address = f"/data/{layer}/{quote(name, safe='')}"
    if column:
        return Place(f"{name}.{column}", f"{address}#column-{quote(column, safe='')}")
    return Place(f"{layer} {name}", address)


def _tile_place(tile: TileRef) -> Place:
    return Place(tile.title, f"/dashboards/{quote(tile.dashboard, safe='')}#{quote(tile.tile, safe='')}")


def _note(layer: DataLayer, name: str, lineage: Lineage) -> str:
    if layer is DataLayer.SILVER:
        return "Column by column: from MySQL as the contract says, into gold as far as its SQL can be followed."
    if name in lineage.by_table:
        return f"Table by table: {lineage.by_table[name]}. Tiles are known column by column."
    return (
        "Column by column, by following the model's SQL; conditions and joins that only choose rows are not followed."
    )


def _marks(contract: TableContract, column: ColumnContract) -> tuple[str, ...]:
    marks = ["key"] if column.name in contract.key else []
    if column.nullable:
        marks.append("may be null")
    if column.pii is not Pii.NONE:
        marks.append(f"masked: {column.pii.value.replace('_', ' ')}")
    return tuple(marks)


def _rules(column: ColumnContract) -> tuple[str, ...]:
    """What is done to the column and checked, in the order in which it happens."""
    rules = ["trimmed"] if column.trim else []
    if column.case is not CaseFold.KEEP:
        rules.append(f"{column.case.value} case")
    if column.blank_is_null:
        rules.append("blank is null")
    if column.formats:
        rules.append(f"read as {' or '.join(column.formats)}")
    checks = [f"one of {', '.join(column.accepted)}"] if column.accepted else []
    checks += [f"looks like {column.pattern}"] if column.pattern else []
    checks += [f"at least {column.minimum}"] if column.minimum else []
    checks += [f"at most {column.maximum}"] if column.maximum else []
    if checks or column.formats:
        rules += checks
        rules.append("else null" if column.violation is Violation.NULL else "else the row is refused")
    return tuple(rules)
