"""A definition as nodes and edges, for drawing."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from shoplake_orchestration.scopes import every_scope, ways_out

__all__ = ["Edge", "Graph", "Node", "graph"]


@dataclass(frozen=True, slots=True)
class Node:
    """A state; `holder` is the path of the Parallel or Map it stands in, "" for none."""

    path: str
    name: str
    kind: str
    holder: str


@dataclass(frozen=True, slots=True)
class Edge:
    """A way from one state to another, by paths; `is_failure` where a Catch leads there."""

    source: str
    target: str
    is_failure: bool


@dataclass(frozen=True, slots=True)
class Graph:
    """All states and the ways between them, each way once."""

    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]
    starts: tuple[str, ...]
    """Paths of the first state of each scope."""


def graph(definition: Mapping[str, Any]) -> Graph:
    """The graph of a definition without structure faults."""
    nodes: list[Node] = []
    edges: dict[Edge, None] = {}
    starts: list[str] = []
    for scope in every_scope(definition):
        starts.append(scope.path_of(scope.definition["StartAt"]))
        for name, state in scope.states.items():
            path = scope.path_of(name)
            nodes.append(Node(path, name, state["Type"], scope.holder))
            for place, target, _ in ways_out(state):
                edges[Edge(path, scope.path_of(target), place.startswith("Catch/"))] = None
    return Graph(tuple(nodes), tuple(edges), tuple(starts))
