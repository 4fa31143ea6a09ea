"""What is new in bronze: the marker, files that silver has not taken, and shapes that the catalogue does not know.

Cheap on purpose, since it is asked every few seconds: of each table one metadata file, its consumed record, and a listing
that begins a day before the last file taken.
"""

import io
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from botocore.exceptions import ClientError
from shoplake_core.bronze import epoch_prefix, epoch_record_from_json, is_load_file, table_prefix
from shoplake_core.contracts import TableContract
from shoplake_core.errors import DataError
from shoplake_core.names import ResourceNames

from shoplake_functions.glue_columns import fits_table
from shoplake_functions.iceberg_batches import object_at, table_batches
from shoplake_functions.run_lock import Outcome, read_lock
from shoplake_functions.source_marker import marker_files

__all__ = ["BronzeReader", "BronzeState"]

_SUFFIX = ".parquet"
_TAIL_BYTES = 64 * 1024
_NAME_SECONDS = "%Y%m%d-%H%M%S"
_NAME_DIGITS = len("yyyymmdd-HHMMSS")
_WINDOW = timedelta(days=1)  # the consumed record keeps the names of the day before its watermark


@dataclass(frozen=True, slots=True, kw_only=True)
class BronzeState:
    """What is new.

    Attributes:
        marker_arrived: Whether a file of the marker table holds the token.
        new_files: Files of captured tables that silver has not taken; the load of an empty table, which has none, counts one.
        new_shapes: Tables whose newest file does not fit the catalogue.
        last_outcome: How the last run ended.

    """

    marker_arrived: bool
    new_files: int
    new_shapes: tuple[str, ...]
    last_outcome: Outcome


def _day_before(watermark: str) -> str:
    try:
        written = datetime.strptime(watermark[:_NAME_DIGITS], _NAME_SECONDS)  # noqa: DTZ007 - a name, not an instant
    except ValueError as error:
        raise DataError(
            f'change file "{watermark}" is not named yyyymmdd-HHMMSSmmm.parquet', hint="see who wrote it"
        ) from error
    return (written - _WINDOW).strftime(_NAME_SECONDS)


@dataclass(frozen=True, slots=True, kw_only=True)
class BronzeReader:
    """Looks at one environment's bronze.

    Attributes:
        names: Its resources.
        schema: The MySQL schema.
        glue: A boto3 Glue client.
        s3: A boto3 S3 client.

    """

    names: ResourceNames
    schema: str
    glue: Any
    s3: Any

    def state(self, contracts: Mapping[str, TableContract], *, token: str, after: str) -> BronzeState:
        """What is new; until the marker has arrived, nothing but that it has not.

        Args:
            contracts: Silver contracts by name.
            token: What the marker's row holds.
            after: Key that the marker's file comes after.

        Raises:
            DataError: Silver's record of what it took is not what was committed.

        """
        outcome = read_lock(self.s3, self.names.artifacts_bucket)[0].last_outcome
        if not self._marker_arrived(token, after):
            return BronzeState(marker_arrived=False, new_files=0, new_shapes=(), last_outcome=outcome)
        new_files, new_shapes = 0, []
        for contract in contracts.values():
            count, newest = self._new_files(contract)
            new_files += count
            if not self._known(contract, newest):
                new_shapes.append(contract.name)
        return BronzeState(marker_arrived=True, new_files=new_files, new_shapes=tuple(new_shapes), last_outcome=outcome)

    def _content(self, key: str) -> bytes:
        return object_at(self.s3, f"s3://{self.names.bronze_bucket}/{key}")

    def _marker_arrived(self, token: str, after: str) -> bool:
        for key in marker_files(self.s3, self.names.bronze_bucket, after=after):
            tokens = pq.read_table(io.BytesIO(self._content(key)), columns=["token"]).column("token")
            if token in tokens.to_pylist():
                return True
        return False

    def _listed(self, prefix: str, *, after: str = "") -> list[dict[str, Any]]:
        pages = self.s3.get_paginator("list_objects_v2").paginate(
            Bucket=self.names.bronze_bucket, Prefix=prefix, StartAfter=f"{prefix}{after}"
        )
        return [entry for page in pages for entry in page.get("Contents", ())]

    def _consumed(self, contract: TableContract) -> dict[str, Any]:
        batches = table_batches(self.glue, self.s3, database=self.names.silver_database, table=contract.name)
        if not batches:
            return {"watermark": "", "files": {}, "epochs": []}
        properties = batches[0].properties
        content = object_at(self.s3, properties["shoplake.consumed"])
        if sha256(content).hexdigest() != properties["shoplake.consumed-sha256"]:
            raise DataError(
                f"{properties['shoplake.consumed']} is not the object that was committed with {contract.name}",
                hint="restore the object: without it nobody knows which files were taken",
            )
        record: dict[str, Any] = json.loads(content)
        return record

    def _new_files(self, contract: TableContract) -> tuple[int, tuple[str, ...]]:
        """How many files silver has not taken; and the keys of the newest change file and of the newest load file."""
        consumed = self._consumed(contract)
        prefix = table_prefix(self.schema, contract.source_name)
        start = _day_before(consumed["watermark"]) if consumed["watermark"] else ""
        listed = [
            entry["Key"].removeprefix(prefix)
            for entry in self._listed(prefix, after=start)
            if entry["Size"] > 0 and entry["Key"].endswith(_SUFFIX)
        ]
        loads = [name for name in listed if is_load_file(name)]
        changes = [name for name in listed if not is_load_file(name)]
        count = len([name for name in changes if name not in consumed["files"]])
        for entry in self._listed(epoch_prefix(self.schema, contract.source_name)):
            epoch, _, kind = entry["Key"].rpartition("/")[2].partition(".")
            if kind == "json" and epoch not in consumed["epochs"]:
                count += max(1, len(epoch_record_from_json(self._content(entry["Key"]).decode()).files))
        return count, tuple(f"{prefix}{max(names)}" for names in (changes, loads) if names)

    def _known(self, contract: TableContract, newest: tuple[str, ...]) -> bool:
        """Whether the catalogue has the columns of those files."""
        if not newest:
            return True
        table = f"{self.schema}__{contract.source_name}".lower()
        try:
            found = self.glue.get_table(DatabaseName=self.names.bronze_database, Name=table)["Table"]
        except ClientError as error:
            if error.response["Error"]["Code"] == "EntityNotFoundException":
                return False
            raise
        columns = {column["Name"].lower(): column["Type"] for column in found["StorageDescriptor"]["Columns"]}
        return all(fits_table(self._footer_schema(key), columns) for key in newest)

    def _footer_schema(self, key: str) -> pa.Schema:
        """The file's schema, from its last bytes: four of length and four of magic end a footer."""
        tail = self._tail(key, _TAIL_BYTES)
        footer_bytes = int.from_bytes(tail[-8:-4], "little") + 8
        return pq.read_schema(io.BytesIO(tail if footer_bytes <= len(tail) else self._tail(key, footer_bytes)))

    def _tail(self, key: str, size_bytes: int) -> bytes:
        answer = self.s3.get_object(Bucket=self.names.bronze_bucket, Key=key, Range=f"bytes=-{size_bytes}")
        body: bytes = answer["Body"].read()
        return body
