"""How a data set of SPICE is refreshed: its look-back window, and schedules, which are kept and never fire here."""

from dataclasses import dataclass
from typing import Any

from shoplake_local.quicksight.records import Records, answered, exists, invalid, not_found

__all__ = ["Refreshes"]

_PROPERTIES, _SCHEDULE = "DataSetRefreshProperties", "RefreshSchedule"
_MOST_SCHEDULES = 5


@dataclass(frozen=True, slots=True)
class Refreshes:
    """The operations."""

    records: Records

    def put_properties(self, parameters: dict[str, Any]) -> dict[str, Any]:
        """PutDataSetRefreshProperties."""
        data_set = self._spice(parameters)
        properties = parameters[_PROPERTIES]
        window = properties.get("RefreshConfiguration", {}).get("IncrementalRefresh", {}).get("LookbackWindow")
        if window is not None:
            types = {column["Name"]: column["Type"] for column in data_set["OutputColumns"]}
            if types.get(window["ColumnName"]) != "DATETIME":
                raise invalid(f"The look-back window's column {window['ColumnName']} is no DATETIME of the data set.")
        self.records.documents.put(_PROPERTIES, parameters["DataSetId"], properties)
        return answered()

    def properties(self, parameters: dict[str, Any]) -> dict[str, Any]:
        """DescribeDataSetRefreshProperties."""
        return answered(**{_PROPERTIES: self._properties(parameters)})

    def delete_properties(self, parameters: dict[str, Any]) -> dict[str, Any]:
        """DeleteDataSetRefreshProperties."""
        self._properties(parameters)
        self.records.documents.delete(_PROPERTIES, parameters["DataSetId"])
        return answered()

    def create_schedule(self, parameters: dict[str, Any]) -> dict[str, Any]:
        """CreateRefreshSchedule."""
        with self.records.documents.transaction():
            others = self._schedules(parameters)
            if self._key(parameters) in {f"{parameters['DataSetId']}/{one['ScheduleId']}" for one in others}:
                raise exists(_SCHEDULE, parameters["Schedule"]["ScheduleId"])
            if len(others) >= _MOST_SCHEDULES:
                raise invalid(f"A data set has at most {_MOST_SCHEDULES} refresh schedules.")
            return self._put_schedule(parameters)

    def update_schedule(self, parameters: dict[str, Any]) -> dict[str, Any]:
        """UpdateRefreshSchedule."""
        with self.records.documents.transaction():
            self._schedules(parameters)
            self.records.get(_SCHEDULE, self._key(parameters))
            return self._put_schedule(parameters)

    def schedule(self, parameters: dict[str, Any]) -> dict[str, Any]:
        """DescribeRefreshSchedule."""
        self._schedules(parameters)
        found = self.records.get(_SCHEDULE, self._key(parameters))
        return answered(RefreshSchedule=found, Arn=found["Arn"])

    def schedules(self, parameters: dict[str, Any]) -> dict[str, Any]:
        """ListRefreshSchedules."""
        return answered(RefreshSchedules=self._schedules(parameters))

    def delete_schedule(self, parameters: dict[str, Any]) -> dict[str, Any]:
        """DeleteRefreshSchedule."""
        with self.records.documents.transaction():
            found = self.records.get(_SCHEDULE, self._key(parameters))
            self.records.documents.delete(_SCHEDULE, self._key(parameters))
        return answered(ScheduleId=found["ScheduleId"], Arn=found["Arn"])

    def _put_schedule(self, parameters: dict[str, Any]) -> dict[str, Any]:
        data_set, wanted = self._spice(parameters), parameters["Schedule"]
        interval = wanted["ScheduleFrequency"]["Interval"]
        incremental = wanted["RefreshType"] == "INCREMENTAL_REFRESH"
        if incremental:
            self._properties(parameters)
        if interval == "MINUTE15" and not incremental:
            raise invalid("Every 15 minutes is for incremental refreshes only.")
        arn = f"{data_set['Arn']}/refresh-schedule/{wanted['ScheduleId']}"
        self.records.documents.put(_SCHEDULE, self._key(parameters), {**wanted, "Arn": arn})
        return answered(ScheduleId=wanted["ScheduleId"], Arn=arn)

    def _properties(self, parameters: dict[str, Any]) -> dict[str, Any]:
        self._spice(parameters)
        found = self.records.documents.get(_PROPERTIES, parameters["DataSetId"])
        if found is None:
            raise not_found("Refresh properties of the data set", parameters["DataSetId"])
        return found

    def _schedules(self, parameters: dict[str, Any]) -> list[dict[str, Any]]:
        self.records.get("DataSet", parameters["DataSetId"])
        return self.records.all(_SCHEDULE, under=f"{parameters['DataSetId']}/")

    def _spice(self, parameters: dict[str, Any]) -> dict[str, Any]:
        data_set = self.records.get("DataSet", parameters["DataSetId"])
        if data_set["ImportMode"] != "SPICE":
            raise invalid(f"{parameters['DataSetId']} is not a SPICE dataset.")
        return data_set

    def _key(self, parameters: dict[str, Any]) -> str:
        schedule = parameters.get("ScheduleId") or parameters["Schedule"]["ScheduleId"]
        return f"{parameters['DataSetId']}/{schedule}"
