"""A run as lines of text, for a terminal: every state in the machine's order with its sign, word and time. Pure."""

from collections.abc import Iterator, Mapping

from shoplake_orchestration.graph import Graph

from shoplake_console.run_states import SIGNS, StateStatus, StateVisit

__all__ = ["GraphLine", "run_lines"]

GraphLine = tuple[StateStatus, str]


def run_lines(graph: Graph, visits: Mapping[str, StateVisit]) -> tuple[GraphLine, ...]:
    """(status, text) of each state, those inside a Parallel or Map set in below it."""
    width = max((len(node.name) + 2 * node.path.count("/States/") for node in graph.nodes), default=0)
    return tuple(_lines(graph, visits, holder="", depth=0, width=width))


def _lines(
    graph: Graph, visits: Mapping[str, StateVisit], *, holder: str, depth: int, width: int
) -> Iterator[GraphLine]:
    for node in graph.nodes:
        if node.holder != holder:
            continue
        visit = visits.get(node.name, StateVisit())
        times = f"  {visit.visits} times" if visit.visits > 1 else ""
        detail = f"{visit.status.value:<12} {visit.seconds:>8.1f} s{times}" if visit.visits else visit.status.value
        name = f"{'  ' * depth}{node.name}"
        yield visit.status, f"{SIGNS[visit.status] or ' '} {name:<{width}}  {detail}"
        yield from _lines(graph, visits, holder=node.path, depth=depth + 1, width=width)
