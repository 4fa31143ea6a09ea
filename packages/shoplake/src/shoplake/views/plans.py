"""A plan as people read it: signs, colours, and a count at the end."""

from rich.console import Console
from rich.markup import escape
from shoplake_infra.plan import Plan

from shoplake.views.tables import data_console

__all__ = ["print_plan"]

_STYLES = {"+": "green", "~": "yellow", "-": "red"}


def print_plan(plan: Plan, console: Console | None = None) -> None:
    """Print the plan; sign and colour say the same."""
    out = console or data_console()
    for line in plan.lines():
        style = _STYLES.get(line[:1])
        text = escape(line)
        out.print(f"[{style}]{text}[/{style}]" if style and line[1:2] == " " else text, highlight=False, soft_wrap=True)
