"""IAM's decision over policy documents: explicit deny, else allow, else implicit deny. Knows nothing of HTTP or storage.

Source: "Policy evaluation logic" and "IAM JSON policy elements" of the IAM User Guide, for identity-based policies.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from enum import Enum
from functools import cache
from typing import Any

from shoplake_local.service import UnsupportedOperationError

__all__ = ["Decision", "conditions_hold", "decide", "statements", "text_matches"]

_OPERATORS = ("StringEquals", "StringNotEquals", "StringLike", "StringNotLike", "ArnEquals", "ArnLike", "Bool")


class Decision(Enum):
    """What the policies say of a request."""

    ALLOWED = "allowed"
    EXPLICITLY_DENIED = "with an explicit deny in an identity-based policy"
    NOT_ALLOWED = "because no identity-based policy allows the {action} action"


def decide(
    documents: Iterable[Mapping[str, Any]],
    action: str,
    *,
    resources: Sequence[str] | None,
    context: Mapping[str, str],
) -> Decision:
    """Whether the documents allow the action on every one of the resources.

    Args:
        documents: The role's policies.
        action: Such as "glue:StartJobRun".
        resources: ARNs that the request is about; None where they are not known: then every Allow of the action
            counts, and a Deny only where it is for all resources.
        context: Condition keys of the request, lower case.

    Raises:
        UnsupportedOperationError: A condition decides that is not evaluated here.

    """
    matching = [
        statement
        for document in documents
        for statement in statements(document)
        if _names(statement, "Action", action, ignore_case=True)
    ]
    denies = [statement for statement in matching if statement["Effect"] == "Deny"]
    allows = [statement for statement in matching if statement["Effect"] == "Allow"]
    if resources is None:
        if any(_as_list(one.get("Resource")) == ["*"] and conditions_hold(one, context) for one in denies):
            return Decision.EXPLICITLY_DENIED
        return Decision.ALLOWED if any(conditions_hold(one, context) for one in allows) else Decision.NOT_ALLOWED
    for resource in resources:
        if any(_names(one, "Resource", resource) and conditions_hold(one, context) for one in denies):
            return Decision.EXPLICITLY_DENIED
    for resource in resources:
        if not any(_names(one, "Resource", resource) and conditions_hold(one, context) for one in allows):
            return Decision.NOT_ALLOWED
    return Decision.ALLOWED


def statements(document: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The document's statements: one alone needs no list."""
    return _as_list(document.get("Statement", []))


def text_matches(pattern: str, text: str, *, ignore_case: bool = False) -> bool:
    """Whether the text fits a pattern with * (any text) and ? (one character)."""
    return _compiled(pattern, ignore_case).fullmatch(text) is not None


@cache
def _compiled(pattern: str, ignore_case: bool) -> re.Pattern[str]:
    parts = ("." if part == "?" else ".*" if part == "*" else re.escape(part) for part in re.split(r"([*?])", pattern))
    return re.compile("".join(parts), re.DOTALL | (re.IGNORECASE if ignore_case else 0))


def _names(statement: Mapping[str, Any], element: str, text: str, *, ignore_case: bool = False) -> bool:
    if element in statement:
        return any(text_matches(one, text, ignore_case=ignore_case) for one in _as_list(statement[element]))
    if f"Not{element}" in statement:
        return not any(text_matches(one, text, ignore_case=ignore_case) for one in _as_list(statement[f"Not{element}"]))
    return False


def conditions_hold(statement: Mapping[str, Any], context: Mapping[str, str]) -> bool:
    """Whether the statement counts for a request with these condition keys (lower case).

    Raises:
        UnsupportedOperationError: An operator or key that is not evaluated here.

    """
    for written, tests in statement.get("Condition", {}).items():
        operator = written.removesuffix("IfExists")
        if operator not in _OPERATORS:
            raise UnsupportedOperationError(f'policy condition "{written}"')
        for key, wanted in tests.items():
            if key.lower() not in context:
                raise UnsupportedOperationError(f'policy condition on "{key}"')
            if not _condition_holds(operator, context[key.lower()], _as_list(wanted)):
                return False
    return True


def _condition_holds(operator: str, found: str, wanted: Sequence[Any]) -> bool:
    texts = [str(one).lower() if isinstance(one, bool) else str(one) for one in wanted]
    if operator == "Bool":
        return found.lower() in {text.lower() for text in texts}
    if operator in {"StringEquals", "StringNotEquals"}:
        return (found in texts) is (operator == "StringEquals")
    return any(text_matches(text, found) for text in texts) is (operator != "StringNotLike")


def _as_list(value: Any) -> list[Any]:
    if value is None:
        return []
    return list(value) if isinstance(value, list | tuple) else [value]
