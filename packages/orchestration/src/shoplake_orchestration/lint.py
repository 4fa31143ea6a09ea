"""The findings about a definition in Amazon States Language, each as "<path>: <what>".

`structure_faults` is what Step Functions (or a strict engine) must refuse when a machine is created;
`house_faults` is this project's own policy. Both take a parsed definition and look at all of it.
"""

from collections.abc import Mapping
from typing import Any

from shoplake_orchestration.expressions import expression_faults
from shoplake_orchestration.integrations import integration_faults
from shoplake_orchestration.structure import form_faults

__all__ = ["structure_faults"]


def structure_faults(definition: Mapping[str, Any]) -> tuple[str, ...]:
    """What makes the definition invalid: forms, targets, names, integrations and their arguments, expressions."""
    return (*form_faults(definition), *integration_faults(definition), *expression_faults(definition))
