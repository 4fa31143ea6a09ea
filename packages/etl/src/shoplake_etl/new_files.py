"""Which bronze files a silver table has not taken yet: the loads of new epochs, and change files past the record."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from shoplake_core.bronze import EpochRecord, epoch_prefix, epoch_record_from_json, is_load_file, table_prefix
from shoplake_core.errors import DataError, ResourceError

from shoplake_etl.consumed import Consumed, listing_start
from shoplake_etl.objects import ObjectInfo, ObjectStore

__all__ = ["NewFiles", "find_new_files"]

_SUFFIX = ".parquet"
_LOADS = "LOAD"
_THREADS = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class NewFiles:
    """A table's bronze files that were not taken yet.

    Attributes:
        loads: Files of new epochs.
        changes: Change files.
        epochs: Every epoch record known, oldest first.
        new_epochs: Those that were not taken.
        skipped: Empty objects and markers that were passed over.

    """

    loads: tuple[ObjectInfo, ...]
    changes: tuple[ObjectInfo, ...]
    epochs: tuple[EpochRecord, ...]
    new_epochs: tuple[EpochRecord, ...]
    skipped: int

    @property
    def files(self) -> tuple[ObjectInfo, ...]:
        """All new files."""
        return (*self.loads, *self.changes)

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to take: not even the load of an empty table."""
        return not self.files and not self.new_epochs

    @property
    def newest_epoch(self) -> str:
        """The newest epoch known."""
        return self.epochs[-1].epoch


def _epochs(store: ObjectStore, bronze: str, schema: str, table: str) -> tuple[EpochRecord, ...]:
    listed = [o.url for o in store.objects(f"{bronze}/{epoch_prefix(schema, table)}") if o.name.endswith(".json")]
    if not listed:
        raise ResourceError(
            f"{schema}.{table} has no complete load in bronze",
            hint="wait for the replication to finish its load, then run again",
            table=table,
        )
    with ThreadPoolExecutor(max_workers=_THREADS, thread_name_prefix="epochs") as pool:
        records = pool.map(lambda url: epoch_record_from_json(store.read(url).decode()), listed)
        return tuple(sorted(records, key=lambda record: record.epoch))


def _changes(store: ObjectStore, folder: str, consumed: Consumed) -> tuple[list[ObjectInfo], int]:
    new, skipped = [], 0
    for item in store.objects(folder, start_after=listing_start(consumed.watermark)):
        if is_load_file(item.name):
            break  # names are listed in order: change files begin with a digit, and no other follows
        if item.size_bytes == 0 or not item.name.endswith(_SUFFIX):
            skipped += 1
            continue
        taken = consumed.files.get(item.name)
        if taken is None:
            listing_start(item.name)  # refuses what is not named as a change file
            new.append(item)
        elif taken != item.etag:
            raise DataError(
                f"{item.url} was changed after it was taken (ETag {taken}, now {item.etag})",
                hint="bronze is never edited: restore the object, or reload the table",
                file=item.name,
            )
    return new, skipped


def _loads(store: ObjectStore, folder: str, epochs: Sequence[EpochRecord]) -> list[ObjectInfo]:
    if not any(record.files for record in epochs):
        return []
    listed = {_LOADS + item.name: item for item in store.objects(folder + _LOADS)}
    found = []
    for record in epochs:
        for file in record.files:
            item = listed.get(file.name)
            if item is None or item.etag.strip('"') != file.etag.strip('"'):
                state = "is missing" if item is None else f"has ETag {item.etag}, and the load wrote {file.etag}"
                raise DataError(
                    f"{folder}{file.name} of epoch {record.epoch} {state}",
                    hint="bronze is never edited: restore the object, or reload the table",
                    file=file.name,
                    epoch=record.epoch,
                )
            found.append(ObjectInfo(item.url, file.name, item.etag, item.size_bytes, item.modified_at))
    return found


def find_new_files(store: ObjectStore, *, bronze: str, schema: str, table: str, consumed: Consumed) -> NewFiles:
    """What to take next.

    Args:
        store: Where bronze is.
        bronze: Its root URL.
        schema: MySQL schema.
        table: MySQL table.
        consumed: What was taken so far.

    Raises:
        ResourceError: The table has no complete load yet.
        DataError: A file that was taken, or that an epoch names, is missing or differs.

    """
    epochs = _epochs(store, bronze, schema, table)
    new_epochs = tuple(record for record in epochs if record.epoch not in consumed.epochs)
    folder = f"{bronze}/{table_prefix(schema, table)}"
    changes, skipped = _changes(store, folder, consumed)
    return NewFiles(
        loads=tuple(_loads(store, folder, new_epochs)),
        changes=tuple(changes),
        epochs=epochs,
        new_epochs=new_epochs,
        skipped=skipped,
    )
