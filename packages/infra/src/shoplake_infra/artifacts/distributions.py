"""Which installed distributions a piece of our code needs, and which files are theirs."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path

from packaging.requirements import InvalidRequirement, Requirement
from shoplake_core.errors import ConfigError

__all__ = ["Member", "canonical_name", "is_ours", "members_of", "metadata_folder", "required_distributions"]

_OURS = "shoplake"
# what an installer writes about this installation
_OF_THE_INSTALLATION = frozenset(
    {"RECORD", "INSTALLER", "REQUESTED", "direct_url.json", "uv_build.json", "uv_cache.json"}
)


@dataclass(frozen=True, slots=True, order=True)
class Member:
    """One file of an archive: its name there, and where it lies here."""

    name: str
    path: Path


def canonical_name(name: str) -> str:
    """A distribution's name as the index compares it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def is_ours(name: str) -> bool:
    """Whether the distribution is part of Shoplake."""
    return name == _OURS or name.startswith(f"{_OURS}-")


def _installed(name: str, needed_by: str) -> Distribution:
    try:
        return distribution(name)
    except PackageNotFoundError:
        raise ConfigError(
            f"{needed_by} needs the distribution {name}, which is not installed",
            hint='install all of Shoplake: pip install "shoplake"',
        ) from None


def required_distributions(
    roots: Iterable[str], *, markers: Mapping[str, str], without: frozenset[str] = frozenset()
) -> dict[str, Distribution]:
    """The roots and all that they need there, by canonical name and sorted.

    Args:
        roots: Names of distributions.
        markers: PEP 508's environment markers of the place where they will run.
        without: Canonical names that are there already; what only they need is left out, too.

    Raises:
        ConfigError: One is not installed, or its requirements cannot be read.

    """
    found: dict[str, Distribution] = {}
    waiting = [(Requirement(name), "what is shipped") for name in roots]
    while waiting:
        requirement, needed_by = waiting.pop()
        name = canonical_name(requirement.name)
        if name in without or (name in found and not requirement.extras):
            continue
        found[name] = found.get(name) or _installed(name, needed_by)
        try:
            needs = [Requirement(line) for line in found[name].requires or ()]
        except InvalidRequirement as error:
            raise ConfigError(f"{name} has an unreadable requirement: {error}", hint="install it again") from error
        extras = ("", *requirement.extras)
        waiting += [
            (need, name)
            for need in needs
            if need.marker is None or any(need.marker.evaluate({**markers, "extra": extra}) for extra in extras)
        ]
    return dict(sorted(found.items()))


def metadata_folder(of: Distribution) -> str:
    """The name of its folder of metadata in an archive."""
    name = canonical_name(of.metadata["Name"]).replace("-", "_")
    return f"{name}-{of.version}.dist-info"


def members_of(of: Distribution) -> tuple[Member, ...]:
    """Every file that is its own, sorted: its modules and metadata, without bytecode and what an installer wrote.

    One that is installed for development has its modules where its source lies.

    Raises:
        ConfigError: It has no record of its files.

    """
    if of.files is None:
        name = of.metadata["Name"]
        raise ConfigError(
            f"{name} is installed without a record of its files", hint=f"install it again: pip install {name}"
        )
    members: list[Member] = []
    for file in of.files:
        path, name = Path(str(file.locate())), file.as_posix()
        if name.startswith((".", "/")) or name.endswith(".pyc"):
            continue  # scripts beside the modules are made again where it is installed
        if "/" not in name and name.endswith(".pth"):
            members += _developed(of, path)
        elif ".dist-info/" not in name:
            members.append(Member(name, path))
        elif path.name not in _OF_THE_INSTALLATION and path.name != "WHEEL":
            members.append(Member(f"{metadata_folder(of)}/{name.partition('/')[2]}", path))
    return tuple(sorted(members))


def _developed(of: Distribution, pointer: Path) -> Iterator[Member]:
    package = canonical_name(of.metadata["Name"]).replace("-", "_")
    for line in pointer.read_text("utf-8").splitlines():
        source = Path(line.strip())
        if not line.strip() or not (source / package).is_dir():
            continue
        for path in (source / package).rglob("*"):
            if path.is_file() and "__pycache__" not in path.parts and not path.name.startswith("."):
                yield Member(path.relative_to(source).as_posix(), path)
