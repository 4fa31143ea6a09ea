"""S3 statements of policies in SeaweedFS's words: never more than they say, as near as its few actions come to it.

SeaweedFS 4.48 knows Read, Write, List and Tagging on patterns. What goes together there and not in AWS:
Read also gives tags and old versions of the same objects, Write also deletes (so it needs PutObject and DeleteObject)
and gives tags at a PUT, List also lists versions. Bucket settings and HeadBucket take more than any of them.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

from shoplake_local.identity.policies import conditions_hold, statements, text_matches
from shoplake_local.service import UnsupportedOperationError

__all__ = ["StoreGrants", "store_grants"]

_ARN = "arn:aws:s3:::"
_PREFIX_KEY = "s3:prefix"
_TAG_KEYS = ("aws:resourcetag/", "s3:existingobjecttag/")


class _Verb(Enum):
    """What SeaweedFS grants: its word, what AWS must allow for it, and what it gives beside that."""

    READ = ("Read", ("s3:GetObject",), ("s3:GetObjectTagging", "s3:GetObjectVersion"))
    WRITE = (
        "Write",
        ("s3:PutObject", "s3:DeleteObject"),
        ("s3:PutObjectTagging", "s3:DeleteObjectVersion", "s3:AbortMultipartUpload"),
    )
    TAGGING = ("Tagging", ("s3:PutObjectTagging", "s3:DeleteObjectTagging"), ())
    LIST = ("List", ("s3:ListBucket",), ("s3:ListBucketVersions", "s3:ListBucketMultipartUploads"))

    def __init__(self, word: str, needed: tuple[str, ...], included: tuple[str, ...]) -> None:
        self.word = word
        self.needed = needed
        self.included = included


_TOLD_APART = frozenset(action for verb in _Verb for action in verb.needed)
_GIVEN_ALONG = frozenset(action for verb in _Verb for action in verb.included)


@dataclass(frozen=True, slots=True)
class StoreGrants:
    """What a role may do at the object store.

    Attributes:
        actions: SeaweedFS's words, sorted.
        left_out: What the policies allow and SeaweedFS cannot say, each with the reason.

    """

    actions: tuple[str, ...]
    left_out: tuple[str, ...]


def store_grants(documents: Iterable[Mapping[str, Any]], *, context: Mapping[str, str]) -> StoreGrants:
    """The grants of a role with these policies.

    Args:
        documents: The role's policies.
        context: Condition keys (lower case) that every request of the role has.

    """
    every = [statement for document in documents for statement in statements(document)]
    left_out: list[str] = []
    allowed: dict[str, set[str]] = {action: set() for action in _TOLD_APART}
    for statement in every:
        if statement["Effect"] == "Allow":
            _take(statement, allowed, left_out, context)
    denies = [one for one in every if one["Effect"] == "Deny" and _may_hold(one, context)]
    actions = set()
    for verb in _Verb:
        patterns = _together([allowed[action] for action in verb.needed])
        lone = set().union(*(allowed[action] for action in verb.needed)) - patterns
        left_out += [
            f"{verb.word} on {pattern}: it needs {' and '.join(verb.needed)} there"
            for pattern in sorted(lone)
            if not any(_covers(whole, pattern) for whole in patterns) and len(verb.needed) > 1
        ]
        for pattern in sorted(patterns):
            if any(_denies(one, verb, pattern) for one in denies):
                left_out.append(f"{verb.word} on {pattern}: a Deny may concern it")
            else:
                actions.add(f"{verb.word}:{pattern}")
    return StoreGrants(tuple(sorted(actions)), tuple(dict.fromkeys(left_out)))


def _take(
    statement: Mapping[str, Any], allowed: dict[str, set[str]], left_out: list[str], context: Mapping[str, str]
) -> None:
    named = [action for action in sorted(_TOLD_APART) if _concerns(statement, action)]
    left_out += [
        f"{action}: it has no word for it"
        for action in _as_list(statement.get("Action"))
        if action.lower().startswith("s3:") and "*" not in action and action not in _TOLD_APART | _GIVEN_ALONG
    ]
    if not named:
        return
    what = ", ".join(named)
    if "NotResource" in statement:
        left_out.append(f"{what}: a NotResource")
        return
    conditions, prefixes = _without_prefix(statement.get("Condition", {}))
    if any(key.lower().startswith(_TAG_KEYS) for tests in conditions.values() for key in tests):
        left_out.append(f"{what}: a condition on tags")  # conditions_hold would not ask it without a resource
        return
    try:
        if not conditions_hold({"Condition": conditions}, context):
            return
    except UnsupportedOperationError as error:
        left_out.append(f"{what}: {error}")
        return
    for resource in _as_list(statement.get("Resource")):
        for action in named:
            if action != "s3:ListBucket":
                found = [] if prefixes is not None else _object_patterns(resource)
            else:
                found = _bucket_patterns(resource, prefixes)
            allowed[action].update(found)
            if not found and _is_meant(action, resource):
                left_out.append(f"{action} on {resource}: it cannot name that")


def _without_prefix(conditions: Mapping[str, Any]) -> tuple[dict[str, Any], list[str] | None]:
    """The conditions without the one on s3:prefix by StringLike, and its patterns, which SeaweedFS can check."""
    others: dict[str, Any] = {}
    prefixes: list[str] | None = None
    for operator, tests in conditions.items():
        kept = dict(tests)
        if operator == "StringLike":
            for key in [key for key in tests if key.lower() == _PREFIX_KEY]:
                prefixes = [str(one) for one in _as_list(kept.pop(key))]
        if kept:
            others[operator] = kept
    return others, prefixes


def _object_patterns(resource: str) -> list[str]:
    """SeaweedFS's pattern of an ARN's objects: with a wildcard, and never the bucket itself ("?*" is any object)."""
    text = "*" if resource == "*" else resource.removeprefix(_ARN)
    if (resource != "*" and text == resource) or "${" in text:
        return []
    if "/" not in text:
        return [f"{text}/?*"] if text.endswith("*") else []
    bucket, _, key = text.partition("/")
    if "*" not in key and "?" not in key:
        return []  # SeaweedFS takes an action without a wildcard as a bucket's name
    return [f"{bucket}/{_at_least_one(key)}"]


def _bucket_patterns(resource: str, prefixes: list[str] | None) -> list[str]:
    text = "*" if resource == "*" else resource.removeprefix(_ARN)
    if (resource != "*" and text == resource) or "${" in text or "/" in text:
        return []
    is_one = "*" not in text and "?" not in text
    if prefixes is None:
        # a wildcard within the name would match within the prefix of a listing, too
        return [text] if is_one or (text.count("*") == 1 and text.endswith("*") and "?" not in text) else []
    if not is_one:
        return []
    patterns = [one for one in prefixes if ("*" in one or "?" in one) and "${" not in one]
    return [f"{text}/{_at_least_one(one)}" for one in patterns]


def _at_least_one(pattern: str) -> str:
    return f"?{pattern}" if pattern.startswith("*") else pattern


def _is_meant(action: str, resource: str) -> bool:
    """Whether the action can be about such a resource at all: policies name buckets and objects side by side."""
    return resource.startswith(_ARN) and ("/" in resource) is (action != "s3:ListBucket")


def _together(groups: list[set[str]]) -> set[str]:
    """The patterns on which every one of the groups agrees."""
    found = groups[0]
    for group in groups[1:]:
        found = {one for one in found if any(_covers(other, one) for other in group)} | {
            other for other in group if any(_covers(one, other) for one in found)
        }
    return found


def _covers(wide: str, narrow: str) -> bool:
    """Whether everything that the narrow pattern matches is matched by the wide one; False where that is not plain."""
    if wide == narrow:
        return True
    for end, least in (("?*", 1), ("*", 0)):
        start = wide.removesuffix(end)
        if start != wide:
            fits = "*" not in start and "?" not in start and narrow.startswith(start)
            return fits and len(narrow) >= len(start) + least and (least == 0 or narrow[len(start)] != "*")
    return False


def _may_hold(statement: Mapping[str, Any], context: Mapping[str, str]) -> bool:
    try:
        return conditions_hold(statement, context)
    except UnsupportedOperationError:
        return True


def _denies(statement: Mapping[str, Any], verb: _Verb, pattern: str) -> bool:
    """Whether the Deny may take away anything of the grant."""
    if not any(_concerns(statement, action) for action in (*verb.needed, *verb.included)):
        return False
    if "Resource" not in statement:
        return True
    granted = _ARN + (pattern.partition("/")[0] if verb is _Verb.LIST else pattern)
    return any(_may_overlap(denied, granted) for denied in _as_list(statement["Resource"]))


def _may_overlap(one: str, other: str) -> bool:
    if "*" not in other and "?" not in other:
        return text_matches(one, other)
    starts = [_literal_start(text) for text in (one, other)]
    return starts[0].startswith(starts[1]) or starts[1].startswith(starts[0])


def _literal_start(pattern: str) -> str:
    return pattern.partition("*")[0].partition("?")[0]


def _concerns(statement: Mapping[str, Any], action: str) -> bool:
    if "Action" in statement:
        return any(text_matches(one, action, ignore_case=True) for one in _as_list(statement["Action"]))
    return not any(text_matches(one, action, ignore_case=True) for one in _as_list(statement.get("NotAction")))


def _as_list(value: Any) -> list[Any]:
    if value is None:
        return []
    return list(value) if isinstance(value, list | tuple) else [value]
