"""IAM's decision over policy documents: explicit deny, else allow, else implicit deny. Knows nothing of HTTP or storage.

Source: "Policy evaluation logic" and "IAM JSON policy elements" of the IAM User Guide, for identity-based policies.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from enum import Enum
from functools import cache, partial
from typing import Any

from shoplake_local.service import UnsupportedOperationError

__all__ = ["Decision", "conditions_hold", "decide", "no_tags", "statements", "text_matches"]

_OPERATORS = ("StringEquals", "StringNotEquals", "StringLike", "StringNotLike", "ArnEquals", "ArnLike", "Bool")
_NEGATED = ("StringNotEquals", "StringNotLike")
_RESOURCE_TAG = "aws:resourcetag/"
_VARIABLE = re.compile(r"\$\{([^}]+)\}")


def no_tags(resource: str) -> Mapping[str, str]:
    """For services whose tags nobody can be asked for.

    Raises:
        UnsupportedOperationError: Always.

    """
    raise UnsupportedOperationError(f'tags of "{resource}", on which a policy decides')


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
    tags_of: Callable[[str], Mapping[str, str]] = no_tags,
) -> Decision:
    """Whether the documents allow the action on every one of the resources.

    Args:
        documents: The role's policies.
        action: Such as "glue:StartJobRun".
        resources: ARNs that the request is about; None where they are not known: then every Allow of the action
            counts, and a Deny only where it is for all resources.
        context: Condition keys of the request, lower case.
        tags_of: The tags of a resource. Conditions on them are not asked where the resource is not known.

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
        if any(
            _names(one, "Resource", resource) and conditions_hold(one, context, partial(tags_of, resource))
            for one in denies
        ):
            return Decision.EXPLICITLY_DENIED
    for resource in resources:
        if not any(
            _names(one, "Resource", resource) and conditions_hold(one, context, partial(tags_of, resource))
            for one in allows
        ):
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


def conditions_hold(
    statement: Mapping[str, Any], context: Mapping[str, str], tags_of_it: Callable[[], Mapping[str, str]] | None = None
) -> bool:
    """Whether the statement counts for a request with these condition keys (lower case) about a thing with these tags.

    Raises:
        UnsupportedOperationError: An operator or key that is not evaluated here.

    """
    for written, tests in statement.get("Condition", {}).items():
        operator = written.removesuffix("IfExists")
        if operator not in _OPERATORS:
            raise UnsupportedOperationError(f'policy condition "{written}"')
        for key, wanted in tests.items():
            texts = [_with_variables(one, context) for one in _as_list(wanted)]
            if key.lower().startswith(_RESOURCE_TAG):
                if tags_of_it is None:
                    continue
                tag, tags = key[len(_RESOURCE_TAG) :], tags_of_it()
                if tag not in tags and written.endswith("IfExists"):
                    continue
                if tag not in tags and operator not in _NEGATED:
                    return False
                found = tags.get(tag, "")
            elif key.lower() in context:
                found = context[key.lower()]
            else:
                raise UnsupportedOperationError(f'policy condition on "{key}"')
            if not _condition_holds(operator, found, texts):
                return False
    return True


def _with_variables(wanted: Any, context: Mapping[str, str]) -> str:
    if isinstance(wanted, bool):
        return str(wanted).lower()

    def value(match: re.Match[str]) -> str:
        key = match[1].lower()
        if key not in context:
            raise UnsupportedOperationError(f'policy variable "{match[0]}"')
        return context[key]

    return _VARIABLE.sub(value, str(wanted))


def _condition_holds(operator: str, found: str, texts: Sequence[str]) -> bool:
    if operator == "Bool":
        return found.lower() in {text.lower() for text in texts}
    if operator in {"StringEquals", "StringNotEquals"}:
        return (found in texts) is (operator == "StringEquals")
    return any(text_matches(text, found) for text in texts) is (operator != "StringNotLike")


def _as_list(value: Any) -> list[Any]:
    if value is None:
        return []
    return list(value) if isinstance(value, list | tuple) else [value]
