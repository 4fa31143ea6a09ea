"""Where a frame's branches are in the definition, and how a task's resource is named."""

from collections.abc import Mapping
from typing import Any

from shoplake_local.stepfunctions.frames import Frame

__all__ = ["resource_names", "scope_below"]


def scope_below(scope: Mapping[str, Any], frame: Frame, number: int) -> Mapping[str, Any]:
    """The scope of a branch or iteration of the frame's state."""
    state = scope["States"][frame.state]
    below: Mapping[str, Any] = state["ItemProcessor"] if state["Type"] == "Map" else state["Branches"][number]
    return below


def resource_names(state: Mapping[str, Any]) -> dict[str, str]:
    """How the history names a resource: "arn:aws:states:::glue:startJobRun.sync" is glue and startJobRun.sync."""
    parts = state["Resource"].removeprefix("arn:aws:states:::").rsplit(":", 1)
    return {"resourceType": parts[0], "resource": parts[1]}
