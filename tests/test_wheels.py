"""Every package builds a wheel that holds its code and the one version, and imports from that wheel alone."""

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FOLDERS = sorted(path.parent.name for path in ROOT.glob("packages/*/pyproject.toml"))
VERSION = {}
exec((ROOT / "VERSION.py").read_text(), VERSION)


@pytest.mark.parametrize("folder", FOLDERS)
def test_a_wheel_builds_and_imports(folder, tmp_path):
    built = subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)],
        cwd=ROOT / "packages" / folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert built.returncode == 0, built.stderr
    (wheel,) = tmp_path.glob("*.whl")
    module = wheel.name.split("-")[0]
    assert wheel.name.split("-")[1] == VERSION["__version__"]
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path / "site")
    code = f"import sys; sys.path.insert(0, {str(tmp_path / 'site')!r}); import {module}; print({module}.__file__)"
    done = subprocess.run([sys.executable, "-I", "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert Path(done.stdout.strip()).is_relative_to(tmp_path / "site")
    modules = {
        p.relative_to(ROOT / f"packages/{folder}/src").as_posix()
        for p in (ROOT / f"packages/{folder}/src").rglob("*.py")
    }
    assert modules <= set(zipfile.ZipFile(wheel).namelist()), "the wheel holds every module"
