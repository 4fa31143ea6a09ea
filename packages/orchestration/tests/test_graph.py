from typing import Any

from shoplake_orchestration.graph import Edge, Node, graph


def test_a_definition_becomes_nodes_edges_and_starts(machine: dict[str, Any]) -> None:
    drawn = graph(machine)

    inside = "/States/Load each/ItemProcessor/States"
    assert Node(f"{inside}/Load", "Load", "Task", "/States/Load each") in drawn.nodes
    assert len(drawn.nodes) == 11
    assert drawn.starts == (
        "/States/Ask",
        "/States/Both/Branches/0/States/Left",
        "/States/Both/Branches/1/States/Right",
        f"{inside}/Load",
    )
    assert {edge for edge in drawn.edges if edge.source == "/States/Ask"} == {
        Edge("/States/Ask", "/States/Any", is_failure=False),
        Edge("/States/Ask", "/States/Failed", is_failure=True),
    }
    assert Edge(f"{inside}/Load", f"{inside}/Load failed", is_failure=True) in drawn.edges
