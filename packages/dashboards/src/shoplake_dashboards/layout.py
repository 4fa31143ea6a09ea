"""Where the visuals of a sheet stand on a grid of 36 columns: left to right, a new row where one does not fit. QuickSight's
grid has the same columns, so both renderings place alike.
"""

from dataclasses import dataclass

from shoplake_dashboards.tree import Sheet

__all__ = ["COLUMNS", "ROW_PIXELS", "Placement", "placed"]

COLUMNS = 36
ROW_PIXELS = 40


@dataclass(frozen=True, slots=True, kw_only=True)
class Placement:
    """One visual's rectangle, in grid columns and rows from 0."""

    visual_id: str
    column: int
    row: int
    width: int
    height: int


def placed(sheet: Sheet) -> tuple[Placement, ...]:
    """Every visual of the sheet with its place."""
    found: list[Placement] = []
    column = row = tallest = 0
    for visual in sheet.visuals:
        if column + visual.width > COLUMNS:
            column, row, tallest = 0, row + tallest, 0
        found.append(Placement(visual_id=visual.id, column=column, row=row, width=visual.width, height=visual.height))
        column += visual.width
        tallest = max(tallest, visual.height)
    return tuple(found)
