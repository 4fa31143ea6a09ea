"""Data sets: tables or SELECTs of a data source. Those of SPICE are counted when they are made, changed or refreshed."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from shoplake_local.quicksight.ingestions import Ingestions
from shoplake_local.quicksight.permissions import Permissions
from shoplake_local.quicksight.records import Records, answered, exists, invalid, not_found
from shoplake_local.service import UnsupportedOperationError, refuse_unsupported

__all__ = ["DataSets", "columns_of"]

_KIND = "DataSet"
_SETTINGS = frozenset({"Name", "PhysicalTableMap", "ImportMode"})
_OUTPUT_TYPES = {"BIT": "INTEGER", "BOOLEAN": "STRING", "JSON": "STRING", "SEMISTRUCT": "STRING"}


def columns_of(data_set: Mapping[str, Any]) -> dict[str, str]:
    """Column -> its type, of a stored data set."""
    return {column["Name"]: column["Type"] for column in data_set["OutputColumns"]}


@dataclass(frozen=True, slots=True)
class DataSets:
    """The operations."""

    records: Records
    permissions: Permissions
    ingestions: Ingestions

    def create(self, parameters: dict[str, Any]) -> dict[str, Any]:
        """CreateDataSet: one of SPICE begins its first ingestion."""
        supported = {"AwsAccountId", "DataSetId", "Permissions", "Tags", *_SETTINGS}
        refuse_unsupported("QuickSight's CreateDataSet", parameters, supported)
        identifier, now = parameters["DataSetId"], self.records.clock.now()
        arn = self.records.arn(_KIND, identifier)
        data_set = {"Arn": arn, "DataSetId": identifier, "CreatedTime": now, **self._set(parameters)}
        with self.records.documents.transaction():
            if self.records.find(_KIND, identifier) is not None:
                raise exists(_KIND, identifier)
            self.records.documents.put(_KIND, identifier, data_set)
            self.records.keep_tags(arn, parameters.get("Tags", []))
            self.permissions.grant(arn, parameters.get("Permissions", []))
        return answered(201, Arn=arn, DataSetId=identifier, **self._ingested(data_set, "INITIAL_INGESTION"))

    def update(self, parameters: dict[str, Any]) -> dict[str, Any]:
        """UpdateDataSet: the whole of it; one of SPICE is read again."""
        refuse_unsupported("QuickSight's UpdateDataSet", parameters, {"AwsAccountId", "DataSetId", *_SETTINGS})
        identifier = parameters["DataSetId"]
        with self.records.documents.transaction():
            data_set = self.records.get(_KIND, identifier) | self._set(parameters)
            self.records.documents.put(_KIND, identifier, data_set)
        return answered(Arn=data_set["Arn"], DataSetId=identifier, **self._ingested(data_set, "EDIT"))

    def describe(self, parameters: dict[str, Any]) -> dict[str, Any]:
        """DescribeDataSet."""
        return answered(DataSet=self.records.get(_KIND, parameters["DataSetId"]))

    def delete(self, parameters: dict[str, Any]) -> dict[str, Any]:
        """DeleteDataSet: with its refresh properties, schedules and ingestions."""
        identifier = parameters["DataSetId"]
        with self.records.documents.transaction():
            data_set = self.records.get(_KIND, identifier)
            for kind in ("RefreshSchedule", "Ingestion"):
                for key in self.records.documents.keys(kind):
                    if key.startswith(f"{identifier}/"):
                        self.records.documents.delete(kind, key)
            self.records.documents.delete("DataSetRefreshProperties", identifier)
            self.records.forget(_KIND, identifier)
        return answered(Arn=data_set["Arn"], DataSetId=identifier)

    def listing(self, parameters: dict[str, Any]) -> dict[str, Any]:
        """ListDataSets."""
        names = ("Arn", "DataSetId", "Name", "CreatedTime", "LastUpdatedTime", "ImportMode")
        found = [{name: one[name] for name in names} for one in self.records.all(_KIND)]
        page, following = self.records.listed(parameters, found, key=lambda one: one["DataSetId"])
        return answered(DataSetSummaries=page, **following)

    def _set(self, parameters: dict[str, Any]) -> dict[str, Any]:
        tables = parameters["PhysicalTableMap"]
        if len(tables) != 1:
            raise UnsupportedOperationError("data set of several physical tables in QuickSight")
        columns = [column for table in tables.values() for column in self._columns(table)]
        names = [column["Name"] for column in columns]
        if len(set(names)) != len(names):
            raise invalid("A data set has two columns of one name.")
        return {
            "Name": parameters["Name"],
            "PhysicalTableMap": tables,
            "ImportMode": parameters["ImportMode"],
            "OutputColumns": columns,
            "LastUpdatedTime": self.records.clock.now(),
        }

    def _columns(self, table: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
        if len(table) != 1 or not table.keys() <= {"CustomSql", "RelationalTable"}:
            raise UnsupportedOperationError(f"{', '.join(sorted(table)) or 'nothing'} as a table of a data set")
        ((_, source),) = table.items()
        start = self.records.arn("DataSource", "")
        arn = source["DataSourceArn"]
        if not arn.startswith(start) or self.records.find("DataSource", arn.removeprefix(start)) is None:
            raise not_found("DataSource", arn)
        declared = source.get("InputColumns", source.get("Columns", []))
        if not declared:
            raise invalid("A data set needs its columns.")
        for column in declared:
            yield {"Name": column["Name"], "Type": _OUTPUT_TYPES.get(column["Type"], column["Type"])}

    def _ingested(self, data_set: dict[str, Any], what: str) -> dict[str, str]:
        if data_set["ImportMode"] != "SPICE":
            return {}
        begun = self.ingestions.begin(data_set, what)
        return {"IngestionArn": begun["Arn"], "IngestionId": begun["IngestionId"]}
