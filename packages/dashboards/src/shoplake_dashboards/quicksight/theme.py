"""The page's colours as a QuickSight theme."""

from collections.abc import Mapping
from typing import Any

from shoplake_dashboards.vega.common import DARK, LIGHT

__all__ = ["theme_configuration"]


def theme_configuration(*, dark: bool = False) -> dict[str, Any]:
    """A ThemeConfiguration; its base theme is `MIDNIGHT` for dark, else `CLASSIC`. Hex digits are upper case: QuickSight
    takes no others.
    """
    colours: Mapping[str, str] = {name: str(value).upper() for name, value in (DARK if dark else LIGHT).items()}
    accent, ink, surface = colours["@accent"], colours["@ink"], colours["@surface"]
    on_accent = colours["@on_accent"]
    danger, warning, success = ("#FF9A90", "#F2C46D", "#6FD195") if dark else ("#B3261E", "#8A5A00", "#146C37")
    on_signal = colours["@on_accent"]
    return {
        "DataColorPalette": {
            "Colors": [accent, colours["@muted"], colours["@accent2"], colours["@accent3"], colours["@accent4"], ink],
            "MinMaxGradient": [colours["@soft"], accent],
            "EmptyFillColor": colours["@grid"],
        },
        "UIColorPalette": {
            "PrimaryForeground": ink,
            "PrimaryBackground": surface,
            "SecondaryForeground": colours["@muted"],
            "SecondaryBackground": colours["@grid"],
            "Accent": accent,
            "AccentForeground": on_accent,
            "Danger": danger,
            "DangerForeground": on_signal,
            "Warning": warning,
            "WarningForeground": on_signal,
            "Success": success,
            "SuccessForeground": on_signal,
            "Dimension": ink,
            "DimensionForeground": surface,
            "Measure": accent,
            "MeasureForeground": on_accent,
        },
        "Sheet": {
            "Tile": {"Border": {"Show": True}},
            "TileLayout": {"Gutter": {"Show": True}, "Margin": {"Show": True}},
        },
    }
