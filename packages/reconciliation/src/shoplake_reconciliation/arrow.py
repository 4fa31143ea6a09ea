"""What this package uses of pyarrow under types that hold: pyarrow's stubs know less than pyarrow does."""

from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute

__all__ = ["Column", "Values", "as_arrow", "pc"]

pc: Any = pyarrow.compute

if TYPE_CHECKING:
    Values: TypeAlias = pa.Array[Any]
    Column: TypeAlias = pa.Array[Any] | pa.ChunkedArray[Any]
else:
    Values = pa.Array
    Column = pa.Array | pa.ChunkedArray


def as_arrow(values: np.ndarray) -> Any:
    """The Arrow array of a numpy array: row numbers for `take`, a mask for `filter`."""
    return pa.array(values)
