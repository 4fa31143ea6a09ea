"""docs/errors.md has every code, with the exit code that the class has, and no other."""

import importlib
import pkgutil
import re
from pathlib import Path

from shoplake_core.errors import ShoplakeError

ROOT = Path(__file__).parents[1]
PACKAGES = sorted(path.name for path in ROOT.glob("packages/*/src/*") if path.is_dir())


def subclasses(kind):
    return {kind} | {deeper for child in kind.__subclasses__() for deeper in subclasses(child)}


def codes_in_code():
    for package in PACKAGES:
        for module in pkgutil.walk_packages(importlib.import_module(package).__path__, f"{package}."):
            if not module.name.endswith("__main__") and "testing" not in module.name:
                importlib.import_module(module.name)
    own = [kind for kind in subclasses(ShoplakeError) if "code" in vars(kind) and kind.code != "SHOPLAKE"]
    return {kind.code: kind.exit_code for kind in own}


def test_every_code_is_documented_with_its_exit_code():
    rows = re.findall(r"^\| `([A-Z_]+)` \| (\d) \|", (ROOT / "docs/errors.md").read_text(), re.MULTILINE)
    assert {code: int(exit_code) for code, exit_code in rows} == codes_in_code()
