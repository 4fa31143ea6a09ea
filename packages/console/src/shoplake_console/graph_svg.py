"""A run as one SVG: each state with colour, sign and word, in light and dark. Pure but for the layout that it is given."""

from collections.abc import Callable, Mapping
from xml.sax.saxutils import escape, quoteattr

from shoplake_orchestration.graph import Graph

from shoplake_console.graph_layout import Box, Layout
from shoplake_console.markup import told_seconds
from shoplake_console.run_states import SIGNS, StateStatus, StateVisit

__all__ = ["GRAPH_STYLE", "run_svg"]

_CLASSES = {status: status.value.replace(" ", "-") for status in StateStatus}
# the hues of AWS's console; text on them is dark enough to be read
GRAPH_STYLE = """
text{font:13px system-ui,sans-serif;fill:#10141a}
.small{font-size:11px;fill:#4d5666}
.box{stroke-width:1.5;fill:#fff;stroke:#8a94a6;stroke-dasharray:4 3}
.succeeded .box{fill:#d8f6d8;stroke:#1a8a1d;stroke-dasharray:none}
.running .box{fill:#d6f1fa;stroke:#0b7fa3;stroke-dasharray:none}
.failed .box{fill:#fbdad8;stroke:#c3211c;stroke-width:3;stroke-dasharray:none}
.caught-error .box{fill:#ffe6bf;stroke:#a86400;stroke-dasharray:none}
.cancelled .box{fill:#e4e7ec;stroke:#6b7484;stroke-dasharray:none}
.container>.box{fill-opacity:.35}
.selected>.box{stroke-width:4}
.line{fill:none;stroke:#8a94a6;stroke-width:1.3}
.failure{stroke-dasharray:3 4}
.ground{fill:#f6f7fa}
@media (prefers-color-scheme:dark){
text{fill:#eef1f6}.small{fill:#aab4c4}.ground{fill:#14181f}.box{fill:#1d232d;stroke:#7f8a9c}
.succeeded .box{fill:#153f1a;stroke:#4cc552}.running .box{fill:#0f3b49;stroke:#53c9ed}
.failed .box{fill:#4a1715;stroke:#ff7b76}.caught-error .box{fill:#47310a;stroke:#f0a830}
.cancelled .box{fill:#2c323d;stroke:#8d97a8}
}
"""

_ARROW = (
    '<defs><marker id="arrow" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto">'
    '<path d="M0 0L8 4L0 8z" fill="#8a94a6"/></marker></defs>'
)


def run_svg(
    graph: Graph,
    layout: Layout,
    visits: Mapping[str, StateVisit],
    *,
    title: str,
    notes: Mapping[str, str] | None = None,
    link: Callable[[str], str] | None = None,
    selected: str = "",
) -> str:
    """The picture.

    Args:
        graph: The machine's states and ways.
        layout: Where they stand.
        visits: State name -> what it did; a state that is missing was not started.
        title: What the picture is of, for readers who do not see it.
        notes: State name -> what more is told of it, such as "3 of 8".
        link: State name -> where a click on it leads. With it the picture is a part of a page: the page brings GRAPH_STYLE.
        selected: The state that the page tells of.

    """
    width, height = round(layout.width), round(layout.height)
    counts = dict.fromkeys(StateStatus, 0)
    for node in graph.nodes:
        counts[visits.get(node.name, StateVisit()).status] += 1
    words = ", ".join(f"{count} {status.value}" for status, count in counts.items() if count)
    size = f'viewBox="0 0 {width} {height}" width="{width}" height="{height}"'
    label = quoteattr(f"{title}: {words}")
    role, style = ("group", "") if link else ("img", f"<style>{GRAPH_STYLE}</style>")
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="{role}" aria-label={label}>',
        f"<title>{escape(title)}</title>{style}{_ARROW}",
        f'<rect class="ground" width="{width}" height="{height}"/>',
    ]
    holders = {node.holder for node in graph.nodes}
    ordered = sorted(graph.nodes, key=lambda node: (node.path not in holders, node.path))  # containers lie below
    for node in ordered:
        visit = visits.get(node.name, StateVisit())
        note = (notes or {}).get(node.name, "")
        state = _state(
            node.name,
            layout.boxes[node.path],
            visit,
            is_container=node.path in holders,
            note=note,
            is_selected=node.name == selected,
        )
        parts.append(f"<a href={quoteattr(link(node.name))}>{state}</a>" if link else state)
    for line in layout.lines:
        path = "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in line.points)
        failure = " failure" if line.edge.is_failure else ""
        parts.append(f'<path class="line{failure}" d="{path}" marker-end="url(#arrow)"/>')
    return "\n".join([*parts, "</svg>", ""])


def _state(name: str, box: Box, visit: StateVisit, *, is_container: bool, note: str, is_selected: bool) -> str:
    words = _detail(visit, note).replace(" · ", ", ")
    sign = SIGNS[visit.status]
    shown = f"{sign} {name}" if sign else name
    middle = box.x + box.width / 2
    top = box.y + (16 if is_container else box.height / 2 - 1)
    classes = _CLASSES[visit.status] + (" container" if is_container else "") + (" selected" if is_selected else "")
    detail = _detail(visit, note)
    return (
        f'<g class="{classes}" data-state={quoteattr(name)}><title>{escape(f"{name}: {words}")}</title>'
        f'<rect class="box" x="{box.x:.1f}" y="{box.y:.1f}" width="{box.width:.1f}" height="{box.height:.1f}" rx="6"/>'
        f'<text x="{middle:.1f}" y="{top:.1f}" text-anchor="middle">{escape(shown)}</text>'
        + (
            f'<text class="small" x="{middle:.1f}" y="{top + 14:.1f}" text-anchor="middle">{escape(detail)}</text>'
            if detail
            else ""
        )
        + "</g>"
    )


def _detail(visit: StateVisit, note: str) -> str:
    """Status, time, visits and note of a state, as the line below its name."""
    if not visit.visits:
        return visit.status.value
    times = f"{visit.visits} times" if visit.visits > 1 else ""
    return " · ".join(part for part in (visit.status.value, told_seconds(visit.seconds), times, note) if part)
