"""The run's machine as a picture: laid out, drawn, and safe with any name."""

from itertools import combinations, pairwise
from xml.etree import ElementTree as ET

import pytest
from shoplake_console.graph_layout import layout_of
from shoplake_console.graph_svg import run_svg
from shoplake_console.graph_text import run_lines
from shoplake_console.run_states import StateStatus, StateVisit
from shoplake_orchestration.graph import graph
from shoplake_orchestration.run_machine import run_machine

SVG = "{http://www.w3.org/2000/svg}"
HOSTILE = ("</script><b>", "\"quoted\" & 'single'", "עברית العربية", "naïve 🛒 state", "a" * 80)


@pytest.fixture(scope="module")
def machine():
    return graph(run_machine().to_asl())


def overlaps(one, other):
    return (
        one.x < other.x + other.width
        and other.x < one.x + one.width
        and one.y < other.y + other.height
        and other.y < one.y + one.height
    )


def test_no_two_states_of_a_scope_overlap_and_each_lies_within_its_holder(machine):
    layout = layout_of(machine)
    by_holder = {}
    for node in machine.nodes:
        box = layout.boxes[node.path]
        by_holder.setdefault(node.holder, []).append(box)
        if node.holder:
            holder = layout.boxes[node.holder]
            assert holder.x <= box.x
            assert box.x + box.width <= holder.x + holder.width
            assert holder.y <= box.y
            assert box.y + box.height <= holder.y + holder.height
    for boxes in by_holder.values():
        assert not any(overlaps(one, other) for one, other in combinations(boxes, 2))
    assert len(layout.lines) == sum(not edge.is_failure for edge in machine.edges)
    assert layout.boxes["/States/Where to begin"].y == min(box.y for box in layout.boxes.values())
    assert layout_of(machine) is layout, "laid out once"


def test_every_state_is_drawn_with_its_word(machine):
    visits = {
        "Take the run lock": StateVisit(status=StateStatus.SUCCEEDED, visits=1, seconds=1.25),
        "Shape silver into gold": StateVisit(status=StateStatus.FAILED, visits=2, seconds=60),
    }
    svg = ET.fromstring(run_svg(machine, layout_of(machine), visits, title="Run 7"))
    states = {group.get("data-state"): group for group in svg.iter(f"{SVG}g")}
    assert set(states) == {node.name for node in machine.nodes}
    failed = states["Shape silver into gold"]
    assert failed.get("class") == "failed"
    assert "failed, 1 min 00 s, 2 times" in failed.find(f"{SVG}title").text
    assert "1 failed" in svg.get("aria-label")
    lines = dict(zip((node.name for node in machine.nodes), run_lines(machine, visits), strict=False))
    assert any(
        status is StateStatus.FAILED and "Shape silver into gold" in text for status, text in run_lines(machine, visits)
    )
    assert len(run_lines(machine, visits)) == len(machine.nodes) == len(lines)


def test_any_name_is_drawn_as_text_and_nothing_else():
    names = list(HOSTILE)
    states = {name: {"Type": "Pass", "Next": after} for name, after in pairwise(names)}
    states[names[-1]] = {"Type": "Succeed"}
    drawn = graph({"StartAt": names[0], "States": states})
    text = run_svg(drawn, layout_of(drawn), {}, title="</title><script>alert(1)</script>")
    svg = ET.fromstring(text)
    assert {group.get("data-state") for group in svg.iter(f"{SVG}g")} == set(HOSTILE)
    assert "<script" not in text
