"""What the console asks of whoever knows the dashboards. The command `shoplake` answers with queries on the warehouse."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

__all__ = ["DashboardDocument", "DashboardEntry", "DashboardSource"]


@dataclass(frozen=True, slots=True, kw_only=True)
class DashboardEntry:
    """One dashboard.

    Attributes:
        name: As in its address.
        title: Its title.
        question: What it answers.
        sheets: Titles of its sheets.
        tiles: Tile id -> title, sheet by sheet.

    """

    name: str
    title: str
    question: str
    sheets: tuple[str, ...] = ()
    tiles: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class DashboardDocument:
    """One sheet of a dashboard as a reader has chosen it.

    Attributes:
        html: The whole document; it says itself what the address held and it could not use.
        query: The choices, as the shortest query string (with `?`) that means them.
        has_faults: Whether the address held what the dashboard does not have.
        is_down: Whether no tile could be read.

    """

    html: str
    query: str
    has_faults: bool = False
    is_down: bool = False


class DashboardSource(Protocol):
    """The dashboards of one project, with what the warehouse of one environment holds now. Each call may be made from any
    thread; it raises a ShoplakeError that names the thing.
    """

    def listed(self) -> Sequence[DashboardEntry]:
        """The dashboards, as their files are now."""
        ...

    def page(self, name: str, query: str) -> DashboardDocument:
        """A dashboard with the choices of a query string; it never raises for what the warehouse lacks."""
        ...

    def csv(self, name: str, tile: str, query: str) -> str:
        """The rows of one of its tiles."""
        ...

    def assets(self) -> Mapping[str, bytes]:
        """File name -> content of what the pages load from `/assets/`; a name is never given to another content."""
        ...
