"""The repository's own shape: environments, versions and packages say the same thing."""

import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
HATCH = tomllib.loads((ROOT / "hatch.toml").read_text())
PACKAGES = {p.parent.name: tomllib.loads(p.read_text())["project"] for p in ROOT.glob("packages/*/pyproject.toml")}
FOLDER_OF = {project["name"]: folder for folder, project in PACKAGES.items()}


def in_repo(requirements: list[str]) -> list[tuple[str, set[str]]]:
    """(folder, extras) of each requirement that is a package of ours."""
    found = []
    for requirement in requirements:
        name, extras = re.match(r"([a-z0-9-]+)(?:\[([a-z,]+)\])?", requirement).groups()
        if name in FOLDER_OF:
            found.append((FOLDER_OF[name], set((extras or "").split(",")) - {""}))
    return found


def closure(folder: str) -> set[str]:
    """Folders that a package and its tests need, itself included."""
    seen, todo = set(), [(folder, {"test"})]
    while todo:
        member, extras = todo.pop()
        project = PACKAGES[member]
        if member not in seen or extras:
            seen.add(member)
            todo += [(f, e) for f, e in in_repo(project.get("dependencies", [])) if f not in seen or e]
            for extra in extras:
                todo += [
                    (f, e)
                    for f, e in in_repo(project.get("optional-dependencies", {}).get(extra, []))
                    if f not in seen or e
                ]
    return seen


@pytest.mark.parametrize("folder", sorted(PACKAGES))
def test_a_package_environment_holds_exactly_what_the_package_declares(folder):
    members = {Path(m["path"]).name for m in HATCH["envs"][folder]["workspace"]["members"]}
    assert members == closure(folder)


def test_the_default_environment_holds_every_package():
    assert {Path(m["path"]).name for m in HATCH["envs"]["default"]["workspace"]["members"]} == set(PACKAGES)


@pytest.mark.parametrize("folder", sorted(PACKAGES))
def test_every_package_takes_the_one_version(folder):
    data = tomllib.loads((ROOT / f"packages/{folder}/pyproject.toml").read_text())
    assert data["tool"]["hatch"]["version"]["path"] == "../../VERSION.py"


def test_every_third_party_requirement_is_pinned():
    pinned = {
        re.match(r"[a-z0-9_.-]+", line.lower()).group().replace("_", "-")
        for line in (ROOT / "constraints.txt").read_text().splitlines()
        if line and not line.startswith("#")
    }
    wanted = {
        re.match(r"[A-Za-z0-9_.-]+", r).group().lower().replace("_", "-")
        for project in PACKAGES.values()
        for r in [
            *project.get("dependencies", []),
            *(x for e in project.get("optional-dependencies", {}).values() for x in e),
        ]
    }
    assert {name for name in wanted if name not in FOLDER_OF} <= pinned
