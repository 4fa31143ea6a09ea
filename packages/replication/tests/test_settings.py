"""DMS documents: honoured, or refused with the path."""

import json
import re

import pytest
from shoplake_core.errors import ConfigError
from shoplake_replication import standard_s3_settings, standard_table_mappings
from shoplake_replication.config import parse_config
from shoplake_replication.errors import UnsupportedSettingError
from shoplake_replication.s3_settings import parse_s3_settings
from shoplake_replication.table_mappings import HeaderColumn, parse_table_mappings


def _rule(action="include", schema="shop", table="%", **more):
    return {
        "rule-type": "selection",
        "rule-id": "1",
        "rule-name": "n",
        "object-locator": {"schema-name": schema, "table-name": table},
        "rule-action": action,
        **more,
    }


def _transformation(action, target, **more):
    return _rule(action) | {"rule-type": "transformation", "rule-target": target, **more}


def test_standard_mappings_capture_the_tables_and_the_marker_with_our_header_columns():
    mappings = parse_table_mappings(standard_table_mappings("shop", ["orders", "order_items"]))
    assert mappings.route("shop", "orders").source == "shop.orders"
    assert mappings.route("shop", "customers") is None
    assert mappings.route("shoplake", "marker") is not None
    assert mappings.header_name("shop", "orders", HeaderColumn.SEQUENCE) == "_sequence"
    assert mappings.header_name("shop", "orders", HeaderColumn.STREAM_POSITION) == "_stream_position"


def test_standard_settings_are_honoured():
    settings = parse_s3_settings(standard_s3_settings(flush_interval_seconds=0.5))
    assert settings.batch_interval_seconds == 0.5
    assert settings.row_group_rows == 10_000
    assert settings.operation_in_load


@pytest.mark.parametrize(
    ("rules", "captured", "left"),
    [
        ([_rule(table="ord%")], ["orders", "order_items"], ["customers"]),
        ([_rule(table="o_ders")], ["orders"], ["order_items"]),
        ([_rule(table="order[_]items")], ["order_items"], ["orderXitems"]),
        ([_rule(), _rule("exclude", table="%_log")], ["orders"], ["access_log"]),
        ([_rule(table="ORDERS")], ["orders"], []),
        ([_rule(table="a.b")], ["a.b"], ["axb"]),
    ],
    ids=["percent", "underscore", "bracket", "exclude wins", "letters' case", "a dot is a dot"],
)
def test_wildcards_select_as_in_dms(rules, captured, left):
    mappings = parse_table_mappings({"rules": rules})
    assert all(mappings.route("shop", table) for table in captured)
    assert not any(mappings.route("shop", table) for table in left)


def test_rename_of_schema_and_table():
    rules = [
        _rule(),
        _transformation("rename", "schema", value="store"),
        _transformation("rename", "table", value="t2"),
    ]
    route = parse_table_mappings({"rules": rules}).route("shop", "t1")
    assert (route.target_schema, route.target_table) == ("store", "t2")


@pytest.mark.parametrize(
    ("rules", "path"),
    [
        ([_rule(filters=[{"filter-type": "source"}])], "rules[0].filters"),
        ([_rule("explicit")], "rules[0].rule-action"),
        ([_rule(**{"load-order": "1"})], "rules[0].load-order"),
        ([_rule(), {"rule-type": "table-settings"}], "rules[1]"),
        ([_rule(), _transformation("remove-column", "column", value="x")], "rules[1]"),
        ([_rule(), _transformation("convert-lowercase", "table")], "rules[1]"),
        (
            [_rule(), _transformation("add-column", "column", value="x", expression="$name || 'x'")],
            "rules[1].expression",
        ),
        (
            [
                _rule(),
                _transformation(
                    "add-column", "column", value="x", expression="$AR_H_CHANGE_SEQ", **{"data-type": {"type": "int8"}}
                ),
            ],
            "rules[1].data-type",
        ),
    ],
    ids=[
        "filter",
        "explicit",
        "load-order",
        "table-settings",
        "remove-column",
        "lower-case",
        "expression",
        "data-type",
    ],
)
def test_what_is_not_honoured_in_mappings_is_refused_with_its_path(rules, path):
    with pytest.raises(UnsupportedSettingError, match=re.escape(path)):
        parse_table_mappings({"rules": rules})


@pytest.mark.parametrize(
    "change",
    [
        {"DataFormat": "csv"},
        {"CdcInsertsOnly": True},
        {"CdcInsertsAndUpdates": True},
        {"DatePartitionEnabled": True},
        {"PreserveTransactions": True},
        {"UseTaskStartTimeForFullLoadTimestamp": False},
        {"CompressionType": "SNAPPY"},
        {"ParquetVersion": "parquet-3-0"},
        {"MaxFileSize": 100},
        {"CdcPath": "changes"},
        {"EncryptionMode": "SSE_KMS"},
        {"TimestampColumnName": ""},
    ],
    ids=lambda change: next(iter(change)),
)
def test_what_is_not_honoured_in_s3_settings_is_refused_with_its_path(change):
    with pytest.raises(UnsupportedSettingError, match=re.escape(f"s3_settings.{next(iter(change))}")):
        parse_s3_settings(standard_s3_settings() | change)


@pytest.mark.parametrize("change", [{"CdcMaxBatchInterval": 0}, {"IncludeOpForFullLoad": "yes"}, {"BucketName": "b2"}])
def test_wrong_values_are_refused(change):
    with pytest.raises(ConfigError, match=next(iter(change))):
        parse_s3_settings(standard_s3_settings() | change, bucket="b1")


def _document(**change):
    return {
        "source": {"host": "h", "user": "u"},
        "table_mappings": standard_table_mappings("shop"),
        "s3": {"bucket": "b"},
        "s3_settings": standard_s3_settings(),
        "state_dir": "/nowhere",
        **change,
    }


def test_configuration_is_read_and_hides_the_password():
    config = parse_config(json.dumps(_document()), password="pw-1234")
    assert (config.source.port, config.server_id) == (3306, 0)
    assert "pw-1234" not in repr(config)


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ({"souce": {}}, "config.souce"),
        ({"source": {"host": "h", "user": "u", "password": "x"}}, "config.source.password"),
        ({"s3": {}}, "config.s3.bucket"),
        ({"server_id": -1}, "config.server_id"),
        ({"table_mappings": {"rules": []}}, "config.table_mappings selects no table"),
    ],
    ids=["unknown key", "password in the file", "missing bucket", "negative id", "nothing selected"],
)
def test_wrong_configuration_is_refused_with_its_path(change, path):
    with pytest.raises(ConfigError, match=re.escape(path)):
        parse_config(json.dumps(_document(**change)), password="")


def test_settings_shape_the_files(rig):
    rig.settings |= {"CompressionType": "GZIP", "ParquetVersion": "parquet-2-0", "ParquetTimestampInMillisecond": True}
    rig.settings |= {"IncludeOpForFullLoad": False, "EncodingType": "plain", "EnableStatistics": False}
    rig.sql(
        "CREATE TABLE t (id int unsigned PRIMARY KEY, d datetime(6))", "INSERT INTO t VALUES (1, '2026-01-01 00:00:00')"
    )
    rig.load()
    import io

    import pyarrow.parquet as pq

    file = pq.ParquetFile(io.BytesIO(rig.get(rig.files("t")[0])))
    assert file.schema_arrow.names[0] == "id"
    assert str(file.schema_arrow.field("d").type) == "timestamp[ms, tz=UTC]"
    column = file.metadata.row_group(0).column(0)
    assert column.compression == "GZIP"
    assert not column.is_stats_set
    assert not {"PLAIN_DICTIONARY", "RLE_DICTIONARY"} & set(column.encodings)
