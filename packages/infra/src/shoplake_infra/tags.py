"""The tags that say a resource is ours, and AWS's two ways to write tags as a list."""

from collections.abc import Iterable, Mapping

__all__ = ["OWNER_TAGS", "foreign_tags", "owned", "owner_tags", "tag_list", "tag_mapping"]

OWNER_TAGS = ("Project", "Environment", "ManagedBy")
_MANAGED_BY = "shoplake"


def owner_tags(project: str, environment: str, *, layer: str | None = None) -> dict[str, str]:
    """The tags of a resource of this project and environment."""
    tags = {"Project": project, "Environment": environment, "ManagedBy": _MANAGED_BY}
    return tags | {"Layer": layer} if layer else tags


def owned(desired: Mapping[str, str], observed: Mapping[str, str]) -> bool:
    """Whether what was observed carries our tags: of this project and environment, managed by us."""
    return all(name in desired and observed.get(name) == desired[name] for name in OWNER_TAGS)


def foreign_tags(desired: Mapping[str, str], observed: Mapping[str, str]) -> dict[str, str]:
    """What others put beside our tags: kept where a call sets all tags at once. AWS's own are never written."""
    return {name: value for name, value in observed.items() if name not in desired and not name.startswith("aws:")}


def tag_list(tags: Mapping[str, str], *, key: str = "Key", value: str = "Value") -> list[dict[str, str]]:
    """The tags as most services want them."""
    return [{key: name, value: text} for name, text in sorted(tags.items())]


def tag_mapping(tags: Iterable[Mapping[str, str]], *, key: str = "Key", value: str = "Value") -> dict[str, str]:
    """The tags as most services answer them."""
    return {tag[key]: tag[value] for tag in tags}
