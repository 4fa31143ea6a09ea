"""What lies in bronze: table roots, and the parquet files of a root that are newer than those seen before."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from shoplake_core.bronze import is_load_file

__all__ = ["Skipped", "TableFiles", "TableRoot", "new_files", "sorted_files", "table_roots"]

_FOLDER_MARKER = "_$folder$"


@dataclass(frozen=True, slots=True)
class TableRoot:
    """One table's folder: every object below it belongs to this table, whatever folders lie between."""

    schema: str
    table: str

    @property
    def prefix(self) -> str:
        """Key prefix, as DMS writes it."""
        return f"{self.schema}/{self.table}/"

    @property
    def catalog_name(self) -> str:
        """Name in the Data Catalog, which folds case."""
        return f"{self.schema}__{self.table}".lower()


@dataclass(frozen=True, slots=True)
class Skipped:
    """Objects that are no data, by reason."""

    empty: int = 0
    folder_markers: int = 0
    other: int = 0

    def __add__(self, other: "Skipped") -> "Skipped":
        return Skipped(self.empty + other.empty, self.folder_markers + other.folder_markers, self.other + other.other)


@dataclass(frozen=True, slots=True)
class TableFiles:
    """New files of one root.

    Attributes:
        names: Keys below the root, in the order of reading: loads, then changes.
        newest_load: The last load file seen, now or before.
        newest_change: The last change file seen, now or before.
        skipped: What is no data.

    """

    names: tuple[str, ...]
    newest_load: str
    newest_change: str
    skipped: Skipped


def table_roots(s3: Any, bucket: str) -> tuple[TableRoot, ...]:
    """Every `<schema>/<table>/` of the bucket; folders that begin with "_" are nobody's table."""
    roots = []
    for schema in _folders(s3, bucket, ""):
        if not schema.startswith("_"):
            roots += [TableRoot(schema, table) for table in _folders(s3, bucket, f"{schema}/")]
    return tuple(root for root in roots if not root.table.startswith("_"))


def _folders(s3: Any, bucket: str, prefix: str) -> Iterator[str]:
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix, Delimiter="/"):
        for folder in page.get("CommonPrefixes", ()):
            name = folder["Prefix"][len(prefix) :].rstrip("/")
            if name:
                yield name


def new_files(s3: Any, bucket: str, root: TableRoot, *, newest_load: str, newest_change: str) -> TableFiles:
    """The root's files after the newest ones seen before ("" where none was).

    Names increase with the time of writing, loads and changes each for themselves (docs/data-format.md), so only what
    comes after the newest is listed: the same cost after a year.

    """
    start = {"StartAfter": f"{root.prefix}{newest_change}"} if newest_change else {}
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=root.prefix, **start)
    objects = (
        (entry["Key"][len(root.prefix) :], entry["Size"]) for page in pages for entry in page.get("Contents", ())
    )
    return sorted_files(objects, newest_load=newest_load, newest_change=newest_change)


def sorted_files(objects: Iterable[tuple[str, int]], *, newest_load: str, newest_change: str) -> TableFiles:
    """Files and skipped objects among (name below the root, size in bytes)."""
    loads: list[str] = []
    changes: list[str] = []
    empty = markers = other = 0
    for name, size_bytes in objects:
        is_load = is_load_file(name.rpartition("/")[2])
        if not name or name.endswith(("/", _FOLDER_MARKER)):
            markers += 1
        elif name <= (newest_load if is_load else newest_change):
            continue
        elif not name.endswith(".parquet"):
            other += 1
        elif size_bytes == 0:
            empty += 1
        else:
            (loads if is_load else changes).append(name)
    loads.sort()
    changes.sort()
    return TableFiles(
        names=(*loads, *changes),
        newest_load=loads[-1] if loads else newest_load,
        newest_change=changes[-1] if changes else newest_change,
        skipped=Skipped(empty, markers, other),
    )
