"""Which files give the crawler something to do."""

import pyarrow as pa
import pytest
from shoplake_functions.glue_columns import fits_table

CASES = {
    "equal": (pa.int32(), "int", True),
    "the table is wider": (pa.int16(), "bigint", True),
    "the file is wider": (pa.int64(), "int", False),
    "unsigned in what Hive has for it": (pa.uint64(), "decimal(20,0)", True),
    "whole digits count, not precision": (pa.decimal128(12, 2), "decimal(12,4)", False),
    "decimal in a wider one": (pa.decimal128(12, 2), "decimal(14,4)", True),
    "another kind": (pa.string(), "int", False),
    "a zoned timestamp": (pa.timestamp("us", "UTC"), "timestamp", True),
    "a type that bronze never has": (pa.list_(pa.int8()), "array<tinyint>", False),
}


@pytest.mark.parametrize(("kind", "column", "fits"), CASES.values(), ids=CASES)
def test_a_column_fits_where_the_table_holds_its_values(kind, column, fits):
    assert fits_table(pa.schema([("Total", kind)]), {"total": column}) is fits


def test_a_column_that_the_table_lacks_does_not_fit_and_one_that_the_file_lacks_does():
    assert not fits_table(pa.schema([("note", pa.string())]), {})
    assert fits_table(pa.schema([]), {"note": "string"})
