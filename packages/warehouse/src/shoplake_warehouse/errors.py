"""What can go wrong between gold and the warehouse."""

from shoplake_core.errors import DataError, ResourceError

__all__ = [
    "ChangeFileError",
    "WarehouseAheadError",
    "WarehouseGapError",
    "WarehouseLoadError",
    "WarehouseShapeError",
    "WarehouseStatementError",
]


class WarehouseStatementError(ResourceError):
    """The warehouse refused or could not finish a statement."""

    code = "WAREHOUSE_STATEMENT"


class WarehouseShapeError(DataError):
    """A table of the warehouse differs from its contract in a way that no safe ALTER mends."""

    code = "WAREHOUSE_SHAPE"


class WarehouseGapError(DataError):
    """Batches between the newest loaded one and the offered ones are missing."""

    code = "WAREHOUSE_GAP"


class WarehouseAheadError(DataError):
    """The warehouse has loaded batches that gold does not know."""

    code = "WAREHOUSE_AHEAD"


class ChangeFileError(DataError):
    """A change file does not have the columns, order, types or rows that its table needs."""

    code = "CHANGE_FILE"


class WarehouseLoadError(DataError):
    """At least one table was not loaded; `failures` says which and why, `tables` what was loaded."""

    code = "WAREHOUSE_LOAD"
