"""Markers in a real MySQL, their files in a real object store."""

from datetime import UTC, datetime

from shoplake_functions.source_marker import commit_source_marker, marker_files
from shoplake_mysql.connections import fetch_all

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)


def commit(mysql_server, s3, names):
    return commit_source_marker(mysql_server.endpoint, s3=s3, bucket=names.bronze_bucket, now=NOW)


def test_a_marker_is_committed_and_its_file_is_listed_after_the_newest_before(mysql_server, connection, s3, names):
    keys = [f"shoplake/marker/{name}.parquet" for name in ("20261125-110000000", "20261125-115959000", "LOAD00000001")]
    for key in keys:
        s3.put_object(Bucket=names.bronze_bucket, Key=key, Body=b"x")
    marker = commit(mysql_server, s3, names)
    assert marker.after == keys[1]
    assert fetch_all(connection, "SELECT COUNT(*) FROM shoplake.marker WHERE token = %s", (marker.token,)) == [(1,)]
    s3.put_object(Bucket=names.bronze_bucket, Key="shoplake/marker/20261125-120001000.parquet", Body=b"x")
    assert marker_files(s3, names.bronze_bucket, after=marker.after) == ["shoplake/marker/20261125-120001000.parquet"]
    assert commit(mysql_server, s3, names).token != marker.token
    for key in [*keys, "shoplake/marker/20261125-120001000.parquet"]:
        s3.delete_object(Bucket=names.bronze_bucket, Key=key)


def test_without_any_file_of_the_last_day_the_listing_begins_a_day_ago(mysql_server, s3, names):
    assert commit(mysql_server, s3, names).after == "shoplake/marker/20261124-120000"
