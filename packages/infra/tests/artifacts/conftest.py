"""Distributions made by hand: installed from a wheel, or for development, in a folder on the path of this process."""

import shutil
from dataclasses import dataclass
from importlib import invalidate_caches
from pathlib import Path

import pytest


@dataclass
class Site:
    """A folder of installed distributions."""

    folder: Path
    sources: Path

    def install(self, name, *, files=None, requires=(), version="1.0", editable=False, tag="py3-none-any"):
        """Lay a distribution; `files`: path in the site -> text."""
        files = {f"{name.replace('-', '_')}/__init__.py": ""} if files is None else files
        where = self.sources / name if editable else self.folder
        for path, text in files.items():
            (where / path).parent.mkdir(parents=True, exist_ok=True)
            (where / path).write_text(text)
        info = f"{name.replace('-', '_')}-{version}.dist-info"
        shutil.rmtree(self.folder / info, ignore_errors=True)
        (self.folder / info).mkdir()
        needs = "".join(f"Requires-Dist: {line}\n" for line in requires)
        metadata = f"Metadata-Version: 2.4\nName: {name}\nVersion: {version}\n{needs}"
        own = {
            "METADATA": metadata,
            "WHEEL": f"Wheel-Version: 1.0\nGenerator: other\nRoot-Is-Purelib: true\nTag: {tag}\n",
            "INSTALLER": "pip\n",
            "direct_url.json": "{}",
        }
        recorded = list(files)
        if editable:
            pointer = f"_editable_impl_{name.replace('-', '_')}.pth"
            (self.folder / pointer).write_text(str(where))
            recorded = [pointer]
        for file, text in own.items():
            (self.folder / info / file).write_text(text)
        recorded += [f"{info}/{file}" for file in (*own, "RECORD")]
        recorded += [f"{name.replace('-', '_')}/__pycache__/__init__.cpython-311.pyc", "../../../bin/tool"]
        (self.folder / info / "RECORD").write_text("".join(f'"{path}",,\n' for path in recorded))
        invalidate_caches()


@pytest.fixture
def site(tmp_path, monkeypatch):
    folder = tmp_path / "site"
    folder.mkdir()
    monkeypatch.syspath_prepend(str(folder))
    return Site(folder, tmp_path / "sources")
