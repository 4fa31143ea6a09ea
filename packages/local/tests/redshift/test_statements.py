import pytest
from shoplake_local.service import ServiceError


def test_a_query_gives_typed_fields(warehouse):
    described = warehouse.run(
        "SELECT 1::int AS a, 2::bigint AS b, 1.50::numeric(10,2) AS c, 'x'::varchar(3) AS d, true AS e, NULL::date AS f, "
        "'2024-01-02 03:04:05.5'::timestamp AS g, 0.5::float8 AS h, '2024-01-02'::date AS i"
    )
    assert (described["Status"], described["HasResultSet"], described["ResultRows"]) == ("FINISHED", True, 1)
    answer = warehouse.service.call("GetStatementResult", {"Id": described["Id"]})
    assert answer["Records"] == [
        [
            {"longValue": 1},
            {"longValue": 2},
            {"stringValue": "1.50"},
            {"stringValue": "x"},
            {"booleanValue": True},
            {"isNull": True},
            {"stringValue": "2024-01-02 03:04:05.5"},
            {"doubleValue": 0.5},
            {"stringValue": "2024-01-02"},
        ]
    ]
    assert [c["typeName"] for c in answer["ColumnMetadata"]] == [
        "int4", "int8", "numeric", "varchar", "bool", "date", "timestamp", "float8", "date",
    ]  # fmt: skip
    assert [c["label"] for c in answer["ColumnMetadata"]] == list("abcdefghi")


def test_an_unknown_id_is_not_found(warehouse):
    with pytest.raises(ServiceError) as caught:
        warehouse.service.call("DescribeStatement", {"Id": "00000000-0000-0000-0000-000000000000"})
    assert caught.value.code == "ResourceNotFoundException"
