"""The findings about a definition in Amazon States Language, each as "<path>: <what>".

`structure_faults` is what Step Functions (or a strict engine) must refuse when a machine is created;
`house_faults` is this project's own policy. Both take a parsed definition and look at all of it.
"""

from collections.abc import Collection, Mapping
from typing import Any

from shoplake_orchestration.expressions import expression_faults
from shoplake_orchestration.house import policy_faults
from shoplake_orchestration.integrations import integration_faults
from shoplake_orchestration.structure import form_faults

__all__ = ["house_faults", "lint", "structure_faults"]


def structure_faults(definition: Mapping[str, Any]) -> tuple[str, ...]:
    """What makes the definition invalid: forms, targets, names, integrations and their arguments, expressions."""
    return (*form_faults(definition), *integration_faults(definition), *expression_faults(definition))


def house_faults(definition: Mapping[str, Any], *, fails_on_purpose: Collection[str] = ()) -> tuple[str, ...]:
    """What breaks our policy: timeouts, retries, catches, unbound tokens, variables that nothing assigns.

    Args:
        definition: The bound definition.
        fails_on_purpose: States whose failure is meant to end the execution: they need no Catch.

    """
    return tuple(policy_faults(definition, fails_on_purpose=fails_on_purpose))


def lint(definition: Mapping[str, Any], *, fails_on_purpose: Collection[str] = ()) -> tuple[str, ...]:
    """Both: what makes the definition invalid, then what breaks our policy."""
    return structure_faults(definition) + house_faults(definition, fails_on_purpose=fails_on_purpose)
