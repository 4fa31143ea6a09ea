"""Keeps a job or function from importing Shoplake from this machine: only what was shipped with it counts, as on AWS.

This file is copied as `sitecustomize.py` into a folder on the process's PYTHONPATH, so that the processes that it starts
in turn (Spark's Python workers) are guarded, too. Only the standard library is there.
"""

import importlib.machinery
import os
import sys
from collections.abc import Sequence
from types import ModuleType

__all__ = ["CODE_FOLDERS", "ImportGuard"]

CODE_FOLDERS = "LOCAL_AWS_CODE_FOLDERS"
_GUARDED = "shoplake"


class ImportGuard:
    """Finds `shoplake*` in the given folders and nowhere else; leaves every other name to the finders after it."""

    def __init__(self, folders: Sequence[str]) -> None:
        self._folders = list(folders)

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        """The module's place, None for a name that is not guarded.

        Raises:
            ModuleNotFoundError: A guarded name that was not shipped.

        """
        if not name.startswith(_GUARDED):
            return None
        spec = importlib.machinery.PathFinder.find_spec(name, self._folders if path is None else path, target)
        if spec is None:
            raise ModuleNotFoundError(f"No module named {name!r} in what was shipped with this code", name=name)
        return spec


if __name__ == "sitecustomize":
    sys.meta_path.insert(0, ImportGuard([part for part in os.environ.get(CODE_FOLDERS, "").split(os.pathsep) if part]))
