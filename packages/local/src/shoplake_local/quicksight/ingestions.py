"""Ingestions into SPICE: the rows of a data set are counted in the warehouse; none of them is kept."""

import logging
import queue
import threading
import uuid
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

from shoplake_local.quicksight.records import Records, answered, exists, invalid
from shoplake_local.quicksight.warehouse_aws import RowCount, SourceError
from shoplake_local.service import ServiceError

__all__ = ["Ingestions"]

_KIND = "Ingestion"
_ENDED = frozenset({"COMPLETED", "FAILED", "CANCELLED"})
_MOST_A_DAY = 32  # by hand, of one data set, in Enterprise edition
_DAY = timedelta(hours=24)
_UNITS = {"HOUR": "HOUR", "DAY": "DAY", "WEEK": "WEEK"}
_CLOSE_SECONDS = 1.0  # a query under way is not waited for
_log = logging.getLogger(__name__)


class Ingestions:
    """The operations, and the thread that counts: one ingestion at a time, also those that a kill cut off.

    Args:
        records: Where ingestions are kept.
        count: Data source, SELECT and condition -> its rows, and those that the condition holds for.

    """

    def __init__(self, records: Records, count: Callable[..., RowCount]) -> None:
        self._records = records
        self._count = count
        self._asked: queue.SimpleQueue[tuple[str, str] | None] = queue.SimpleQueue()
        self._worker = threading.Thread(target=self._work, name="quicksight-ingestions", daemon=True)
        for key in records.documents.keys(_KIND):
            if (records.documents.get(_KIND, key) or {})["IngestionStatus"] not in _ENDED:
                self._asked.put(_parts(key))
        self._worker.start()

    def close(self) -> None:
        """End the thread; what it has not counted is counted when the front is there again."""
        self._asked.put(None)
        self._worker.join(_CLOSE_SECONDS)

    def begin(self, data_set: Mapping[str, Any], what: str, *, identifier: str = "") -> dict[str, Any]:
        """A new ingestion of that request type."""
        identifier = identifier or str(uuid.uuid4())
        data_set_id = data_set["DataSetId"]
        ingestion = {
            "Arn": f"{data_set['Arn']}/ingestion/{identifier}",
            "IngestionId": identifier,
            "IngestionStatus": "QUEUED",
            "CreatedTime": self._records.clock.now(),
            "RequestSource": "MANUAL",
            "RequestType": what,
        }
        self._records.documents.put(_KIND, f"{data_set_id}/{identifier}", ingestion)
        self._asked.put((data_set_id, identifier))
        return ingestion

    def create(self, parameters: dict[str, Any]) -> dict[str, Any]:
        """CreateIngestion: 32 of a data set in any 24 hours, as on AWS."""
        data_set_id, identifier = parameters["DataSetId"], parameters["IngestionId"]
        what = parameters.get("IngestionType", "FULL_REFRESH")
        with self._records.documents.transaction():
            data_set = self._records.get("DataSet", data_set_id)
            if data_set["ImportMode"] != "SPICE":
                raise invalid(f"{data_set_id} is not a SPICE dataset.")
            if what == "INCREMENTAL_REFRESH" and self._window(data_set_id) is None:
                raise invalid(f"The data set {data_set_id} has no look-back window for an incremental refresh.")
            since = self._records.clock.now() - _DAY
            others = self._records.all(_KIND, under=f"{data_set_id}/")
            if identifier in {one["IngestionId"] for one in others}:
                raise exists(_KIND, identifier)
            by_hand = [one for one in others if one["RequestType"].endswith("_REFRESH") and one["CreatedTime"] > since]
            if len(by_hand) >= _MOST_A_DAY:
                message = f"A data set can be refreshed {_MOST_A_DAY} times in 24 hours."
                raise ServiceError("LimitExceededException", message, 409)
            begun = self.begin(data_set, what, identifier=identifier)
        names = {"Arn": begun["Arn"], "IngestionId": identifier}
        return answered(201, **names, IngestionStatus="INITIALIZED")

    def describe(self, parameters: dict[str, Any]) -> dict[str, Any]:
        """DescribeIngestion."""
        self._records.get("DataSet", parameters["DataSetId"])
        return answered(Ingestion=self._records.get(_KIND, _key(parameters)))

    def listing(self, parameters: dict[str, Any]) -> dict[str, Any]:
        """ListIngestions."""
        self._records.get("DataSet", parameters["DataSetId"])
        found = self._records.all(_KIND, under=f"{parameters['DataSetId']}/")
        page, following = self._records.listed(parameters, found, key=lambda one: one["IngestionId"])
        return answered(Ingestions=page, **following)

    def cancel(self, parameters: dict[str, Any]) -> dict[str, Any]:
        """CancelIngestion."""
        with self._records.documents.transaction():
            ingestion = self._records.get(_KIND, _key(parameters))
            if ingestion["IngestionStatus"] in _ENDED:
                raise invalid(f"The ingestion {ingestion['IngestionId']} has ended already.")
            error = {"Type": "INGESTION_CANCELED", "Message": "Ingestion canceled."}
            ended = {"IngestionStatus": "CANCELLED", "ErrorInfo": error}
            self._records.documents.put(_KIND, _key(parameters), ingestion | ended)
        return answered(Arn=ingestion["Arn"], IngestionId=ingestion["IngestionId"])

    def _work(self) -> None:
        while (asked := self._asked.get()) is not None:
            try:
                self._ingest(*asked)
            except Exception:  # noqa: BLE001 - the thread lives on; this one is counted after the next start
                _log.exception("the ingestion %s of %s was not counted", asked[1], asked[0])

    def _ingest(self, data_set_id: str, identifier: str) -> None:
        begun = self._records.clock.now()
        if not self._moved(data_set_id, identifier, {"IngestionStatus": "RUNNING"}):
            return
        try:
            ended = self._counted(data_set_id, identifier)
        except SourceError as error:
            ended = {"IngestionStatus": "FAILED", "ErrorInfo": {"Type": error.kind, "Message": str(error)}}
        except ServiceError as error:
            ended = {"IngestionStatus": "FAILED", "ErrorInfo": {"Type": "DATA_SET_DELETED", "Message": error.message}}
        seconds = int((self._records.clock.now() - begun).total_seconds())
        self._moved(data_set_id, identifier, ended | {"IngestionTimeInSeconds": seconds})

    def _moved(self, data_set_id: str, identifier: str, members: Mapping[str, Any]) -> bool:
        with self._records.documents.transaction():
            ingestion = self._records.find(_KIND, f"{data_set_id}/{identifier}")
            if ingestion is None or ingestion["IngestionStatus"] in _ENDED:
                return False  # cancelled, or its data set was deleted
            self._records.documents.put(_KIND, f"{data_set_id}/{identifier}", {**ingestion, **members})
            return True

    def _counted(self, data_set_id: str, identifier: str) -> dict[str, Any]:
        data_set = self._records.get("DataSet", data_set_id)
        ((_, table),) = data_set["PhysicalTableMap"].items()
        ((_, place),) = table.items()
        source = self._records.find("DataSource", place["DataSourceArn"].rpartition("/")[2])
        if source is None:
            raise SourceError("DATA_SOURCE_NOT_FOUND", f"The data source {place['DataSourceArn']} is not there.")
        what = self._records.get(_KIND, f"{data_set_id}/{identifier}")["RequestType"]
        window = self._window(data_set_id) if what == "INCREMENTAL_REFRESH" else None
        rows = self._count(source, _select(data_set, table), recent=_recent(window))
        ingested = rows.recent if window else rows.total
        info = {"RowsIngested": ingested, "RowsDropped": 0, "TotalRowsInDataset": rows.total}
        return {"IngestionStatus": "COMPLETED", "RowInfo": info}

    def _window(self, data_set_id: str) -> dict[str, Any] | None:
        properties = self._records.documents.get("DataSetRefreshProperties", data_set_id) or {}
        window: dict[str, Any] | None = (
            properties.get("RefreshConfiguration", {}).get("IncrementalRefresh", {}).get("LookbackWindow")
        )
        return window


def _select(data_set: Mapping[str, Any], table: Mapping[str, Any]) -> str:
    """The declared columns of the table: one that is not there fails the ingestion, as it does on AWS."""
    columns = ", ".join(_quoted(column["Name"]) for column in data_set["OutputColumns"])
    if "CustomSql" in table:
        return f"SELECT {columns} FROM ({table['CustomSql']['SqlQuery']}) AS source"
    relation = table["RelationalTable"]
    name = ".".join(_quoted(relation[part]) for part in ("Schema", "Name") if part in relation)
    return f"SELECT {columns} FROM {name}"


def _recent(window: Mapping[str, Any] | None) -> str:
    if window is None:
        return "1 = 1"
    column, unit = _quoted(window["ColumnName"]), _UNITS[window["SizeUnit"]]
    return f"{column} >= DATEADD({unit}, -{int(window['Size'])}, GETDATE())"


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _key(parameters: Mapping[str, Any]) -> str:
    return f"{parameters['DataSetId']}/{parameters['IngestionId']}"


def _parts(key: str) -> tuple[str, str]:
    data_set_id, _, identifier = key.partition("/")
    return data_set_id, identifier
