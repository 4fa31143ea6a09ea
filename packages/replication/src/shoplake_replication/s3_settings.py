"""DMS S3 settings (JSON) -> how files are cut and written. What is not honoured is refused with its path."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from shoplake_core.errors import ConfigError

from shoplake_replication.errors import UnsupportedSettingError

__all__ = ["S3Settings", "parse_s3_settings"]


@dataclass(frozen=True, slots=True, kw_only=True)
class S3Settings:
    """How bronze is written. Field comments name the DMS setting.

    Attributes:
        batch_interval_seconds: CdcMaxBatchInterval: a cut is closed so long after its first change.
        minimum_file_bytes: CdcMinFileSize (kilobytes in DMS): ... or when it holds so much.
        timestamp_column: TimestampColumnName.
        operation_in_load: IncludeOpForFullLoad.
        gzip: CompressionType is GZIP (level 1: pyarrow's own default is 15 times slower and 4 % smaller).
        parquet_version: ParquetVersion, as pyarrow names it.
        milliseconds: ParquetTimestampInMillisecond.
        statistics: EnableStatistics.
        dictionary: EncodingType is a dictionary encoding.
        dictionary_page_bytes: DictPageSizeLimit.
        data_page_bytes: DataPageSize.
        row_group_rows: RowGroupLength.

    """

    batch_interval_seconds: float = 60.0
    minimum_file_bytes: int = 32_000_000
    timestamp_column: str = "_committed_at"
    operation_in_load: bool = False
    gzip: bool = False
    parquet_version: Literal["1.0", "2.4"] = "1.0"
    milliseconds: bool = False
    statistics: bool = True
    dictionary: bool = True
    dictionary_page_bytes: int = 1_024_000
    data_page_bytes: int = 1_024_000
    row_group_rows: int = 10_024


_VERSIONS: dict[str, Literal["1.0", "2.4"]] = {"parquet-1-0": "1.0", "parquet-2-0": "2.4"}
_ONLY_VALUE: dict[str, Any] = {
    "DataFormat": "parquet",
    "UseTaskStartTimeForFullLoadTimestamp": True,
    "CdcInsertsOnly": False,
    "CdcInsertsAndUpdates": False,
    "DatePartitionEnabled": False,
    "PreserveTransactions": False,
    "AddColumnName": False,
    "GlueCatalogGeneration": False,
}
_WHY = {
    "DataFormat": "only parquet is written",
    "UseTaskStartTimeForFullLoadTimestamp": "the load's start names the epoch of its rows",
    "CdcInsertsOnly": "updates and deletes would be lost",
    "CdcInsertsAndUpdates": "deletes would be lost",
}
_SET_ELSEWHERE = frozenset({"BucketName", "BucketFolder"})
_ACCEPTED = frozenset({"ServiceAccessRoleArn"})  # AWS's way in; here the standard AWS variables say who writes


def _number(settings: Mapping[str, Any], key: str, default: float, where: str) -> float:
    value = settings.get(key, default)
    if isinstance(value, bool) or not isinstance(value, int | float) or value <= 0:
        raise ConfigError(f"{where}.{key} is {value!r}, expected a number above 0", path=f"{where}.{key}")
    return float(value)


def _flag(settings: Mapping[str, Any], key: str, default: bool, where: str) -> bool:
    value = settings.get(key, default)
    if not isinstance(value, bool):
        raise ConfigError(f"{where}.{key} is {value!r}, expected true or false", path=f"{where}.{key}")
    return value


def _choice(settings: Mapping[str, Any], key: str, choices: tuple[str, ...], where: str) -> str:
    value = str(settings.get(key, choices[0]))
    found = next((choice for choice in choices if choice.lower() == value.lower()), None)
    if found is None:
        raise UnsupportedSettingError(
            f'{where}.{key} is "{value}", expected one of {", ".join(choices)}', path=f"{where}.{key}"
        )
    return found


_KNOWN = frozenset(
    {
        *("CdcMaxBatchInterval", "CdcMinFileSize", "TimestampColumnName", "IncludeOpForFullLoad", "CompressionType"),
        *("ParquetVersion", "ParquetTimestampInMillisecond", "EnableStatistics", "EncodingType", "DictPageSizeLimit"),
        *("DataPageSize", "RowGroupLength"),
    }
)


def parse_s3_settings(settings: Any, *, bucket: str = "", folder: str = "", where: str = "s3_settings") -> S3Settings:
    """The settings of a DMS S3Settings object.

    Args:
        settings: The object.
        bucket: Where BucketName must point to, when it is given.
        folder: The same for BucketFolder.
        where: What messages call it.

    Raises:
        ConfigError: A value is of the wrong type.
        UnsupportedSettingError: A setting, or its value, is not honoured here.

    """
    if not isinstance(settings, dict):
        raise ConfigError(f"{where} must be an object", hint="see shoplake_replication.standard_settings")
    for key, value in settings.items():
        if key in _ONLY_VALUE:
            only = _ONLY_VALUE[key]
            if value != only and str(value).lower() != str(only).lower():
                why = f": {_WHY[key]}" if key in _WHY else ""
                raise UnsupportedSettingError(
                    f"{where}.{key} is {value!r}, expected {only!r}{why}",
                    hint="change or remove it",
                    path=f"{where}.{key}",
                )
        elif key in _SET_ELSEWHERE:
            expected = bucket if key == "BucketName" else folder
            if str(value).strip("/") != expected.strip("/"):
                raise ConfigError(f'{where}.{key} is "{value}" and s3 says "{expected}"', path=f"{where}.{key}")
        elif key not in _KNOWN and key not in _ACCEPTED:
            raise UnsupportedSettingError(
                f"{where}.{key} is not honoured by this replicator", hint="take it out", path=f"{where}.{key}"
            )
    name = settings.get("TimestampColumnName", "")
    if not isinstance(name, str) or not name:
        raise UnsupportedSettingError(
            f"{where}.TimestampColumnName is missing: the load's start stands there",
            hint='set it to "_committed_at"',
            path=f"{where}.TimestampColumnName",
        )
    encoding = _choice(settings, "EncodingType", ("rle-dictionary", "plain-dictionary", "plain"), where)
    return S3Settings(
        batch_interval_seconds=_number(settings, "CdcMaxBatchInterval", 60, where),
        minimum_file_bytes=int(_number(settings, "CdcMinFileSize", 32_000, where) * 1000),
        timestamp_column=name,
        operation_in_load=_flag(settings, "IncludeOpForFullLoad", False, where),
        gzip=_choice(settings, "CompressionType", ("NONE", "GZIP"), where) == "GZIP",
        parquet_version=_VERSIONS[_choice(settings, "ParquetVersion", tuple(_VERSIONS), where)],
        milliseconds=_flag(settings, "ParquetTimestampInMillisecond", False, where),
        statistics=_flag(settings, "EnableStatistics", True, where),
        dictionary=encoding != "plain",
        dictionary_page_bytes=int(_number(settings, "DictPageSizeLimit", 1_024_000, where)),
        data_page_bytes=int(_number(settings, "DataPageSize", 1_024_000, where)),
        row_group_rows=int(_number(settings, "RowGroupLength", 10_024, where)),
    )
