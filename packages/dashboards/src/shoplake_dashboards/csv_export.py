"""The rows of a tile as CSV: exact numbers, one header line, UTF-8. A text that a spreadsheet would run as a formula is
written with an apostrophe before it.
"""

import csv
import io
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from shoplake_dashboards.page_data import PageData
from shoplake_dashboards.sql import dimensions_at
from shoplake_dashboards.tree import Kpi, Table, Visual, measures_of

__all__ = ["tile_csv"]

_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float | Decimal):
        return format(value, "f") if isinstance(value, Decimal) else str(value)
    if isinstance(value, date | datetime):
        return value.isoformat()
    text = str(value)
    return f"'{text}" if text.startswith(_FORMULA_STARTS) else text


def tile_csv(visual: Visual, data: PageData) -> str:
    """The tile's rows, as CSV with CRLF line ends; only the header where it is empty or failed."""
    tile = data.tiles[visual.id]
    dimensions, measures = dimensions_at(visual, data.state), measures_of(visual)
    keys = [f"d{i}" for i in range(len(dimensions))] + [f"v{i}" for i in range(len(measures))]
    heads = [dimension.label for dimension in dimensions] + [measure.label for measure in measures]
    out = io.StringIO()
    writer = csv.writer(out)
    period = data.state.period
    if isinstance(visual, Table) and visual.compare and period is not None:
        keys.append("p0")
        heads.append(f"{measures[visual.sort_by].label}, period before")
    if isinstance(visual, Kpi) and visual.compare and period is not None:
        writer.writerow(["Period", *map(_cell, heads)])
        for name, rows in (("chosen", tile.main), ("before", tile.prior)):
            for row in rows:
                writer.writerow([name, *(_cell(row[key]) for key in keys)])
        return out.getvalue()
    writer.writerow(map(_cell, heads))
    for row in tile.main:
        writer.writerow([_cell(row[key]) for key in keys])
    return out.getvalue()
