"""Where each state and each way between two states stands: elkjs lays the graph out, in this process."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

from py_mini_racer import MiniRacer
from shoplake_core.errors import ResourceError
from shoplake_orchestration.graph import Edge, Graph, Node

__all__ = ["Box", "Layout", "Line", "layout_of"]

_HEIGHT, _LETTER, _PADDING, _LEAST_WIDTH = 40, 7.4, 46, 176
_OPTIONS = {
    "elk.algorithm": "layered",
    "elk.direction": "DOWN",
    "elk.hierarchyHandling": "INCLUDE_CHILDREN",
    "elk.edgeRouting": "ORTHOGONAL",
    "elk.layered.spacing.nodeNodeBetweenLayers": "34",
    "elk.spacing.nodeNode": "26",
    "elk.padding": "[top=16,left=16,bottom=16,right=16]",
    "elk.layered.nodePlacement.strategy": "NETWORK_SIMPLEX",
    # states stand in the order in which the machine tells them: a way back goes up
    "elk.layered.cycleBreaking.strategy": "MODEL_ORDER",
    "elk.layered.considerModelOrder.strategy": "NODES_AND_EDGES",
}
_CONTAINER = {"elk.padding": "[top=36,left=16,bottom=16,right=16]"}
# what elkjs's worker expects of a browser
_SHIM = (
    "var timers=[];function setTimeout(f){timers.push(f);return timers.length}function clearTimeout(){}"
    "var self=undefined;var module={exports:{}};var exports=module.exports;var global=this;"
)
_START = "var w=new module.exports.Worker('x');var answers=[];w.onmessage=function(e){answers.push(e.data)};"
_REGISTER = "w.postMessage({id:0,cmd:'register',algorithms:['layered']});0"
# an error of its own refers to itself, so that only its words are taken
_ANSWERS = "JSON.stringify(answers.map(function(a){return a.error?{id:a.id,error:String(a.error)}:a}))"
_DRAIN = "while(timers.length){timers.shift()()};0"


@dataclass(frozen=True, slots=True)
class Box:
    """Where a state stands, in pixels from the picture's corner."""

    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True, slots=True)
class Line:
    """A way between two states, through these points."""

    edge: Edge
    points: tuple[tuple[float, float], ...]


@dataclass(frozen=True, slots=True)
class Layout:
    """A graph laid out: a box for each state by its path, a line for each way."""

    width: float
    height: float
    boxes: Mapping[str, Box]
    lines: tuple[Line, ...]


@cache
def layout_of(graph: Graph, *, with_failures: bool = False) -> Layout:
    """The layout of the graph; equal graphs are laid out once.

    Args:
        graph: States and ways.
        with_failures: Draw the ways of failures, too: with a Catch at every Task these are most of all lines.

    Raises:
        ResourceError: elkjs did not answer.

    """
    edges = [edge for edge in graph.edges if with_failures or not edge.is_failure]
    answer = _laid_out(_document(graph, edges))
    boxes: dict[str, Box] = {}
    _place(answer, 0.0, 0.0, boxes)
    by_id = {f"e{number}": edge for number, edge in enumerate(edges)}
    lines = tuple(_lines(answer, boxes, by_id))
    return Layout(answer["width"], answer["height"], boxes, lines)


def _document(graph: Graph, edges: list[Edge]) -> dict[str, Any]:
    held: dict[str, list[Node]] = {}
    for node in graph.nodes:
        held.setdefault(node.holder, []).append(node)

    def child(node: Node) -> dict[str, Any]:
        inside = held.get(node.path)
        if inside:
            return {"id": node.path, "layoutOptions": _CONTAINER, "children": [child(one) for one in inside]}
        width = max(_LEAST_WIDTH, _LETTER * len(node.name) + _PADDING)
        return {"id": node.path, "width": width, "height": _HEIGHT}

    return {
        "id": "root",
        "layoutOptions": _OPTIONS,
        "children": [child(node) for node in held.get("", ())],
        "edges": [
            {"id": f"e{number}", "sources": [edge.source], "targets": [edge.target]}
            for number, edge in enumerate(edges)
        ],
    }


def _laid_out(document: Mapping[str, Any]) -> dict[str, Any]:
    source = resources.files("shoplake_console.vendor").joinpath("elk-worker.min.js").read_text("utf-8")
    asked = json.dumps({"id": 1, "cmd": "layout", "graph": document, "layoutOptions": {}, "options": {}})
    machine = MiniRacer()
    try:
        machine.eval(_SHIM + "0")
        machine.eval(f"(function(){{{source}\n}})();0")
        machine.eval(_START + _REGISTER)
        machine.eval(f"w.postMessage({asked});0")
        machine.eval(_DRAIN)
        answers = json.loads(str(machine.eval(_ANSWERS)))
    finally:
        machine.close()  # its thread would keep the process alive
    for answer in answers:
        if answer.get("id") == 1 and "data" in answer:
            found: dict[str, Any] = answer["data"]
            return found
    raise ResourceError(f"the graph cannot be laid out: {answers[-1:]}", hint="show the run without --svg")


def _place(member: Mapping[str, Any], x: float, y: float, boxes: dict[str, Box]) -> None:
    for child in member.get("children", ()):
        box = Box(x + child["x"], y + child["y"], child["width"], child["height"])
        boxes[child["id"]] = box
        _place(child, box.x, box.y, boxes)


def _lines(answer: Mapping[str, Any], boxes: Mapping[str, Box], by_id: Mapping[str, Edge]) -> list[Line]:
    """Each edge's points, which elkjs tells from the corner of the box that holds the edge."""
    found = []
    for edge in answer["edges"]:
        container = boxes.get(edge.get("container", ""))
        left, top = (container.x, container.y) if container else (0.0, 0.0)
        for section in edge.get("sections", ()):
            points = [section["startPoint"], *section.get("bendPoints", ()), section["endPoint"]]
            found.append(Line(by_id[edge["id"]], tuple((left + p["x"], top + p["y"]) for p in points)))
    return found
