import sys
import zipfile
from importlib.metadata import distribution

import pytest
from shoplake_core.errors import ConfigError
from shoplake_infra.artifacts import downloads
from shoplake_infra.artifacts.downloads import downloaded_wheels, unpacked_members
from shoplake_infra.artifacts.platforms import AWS_PLATFORM


def test_a_wheel_is_laid_as_an_installation_would(tmp_path):
    path = tmp_path / "a-1.0-py3-none-any.whl"
    names = ["a/__init__.py", "a-1.0.data/platlib/b.py", "a-1.0.data/scripts/tool", "a-1.0.dist-info/METADATA"]
    with zipfile.ZipFile(path, "w") as wheel:
        for name in [*names, "a-1.0.dist-info/RECORD", "a-1.0.dist-info/WHEEL"]:
            wheel.writestr(name, name)
    for _ in range(2):
        members = unpacked_members(path, tmp_path / "unpacked")
        assert [member.name for member in members] == ["a-1.0.dist-info/METADATA", "a/__init__.py", "b.py"]
        assert members[-1].path.read_text() == "a-1.0.data/platlib/b.py"


def test_what_is_kept_is_not_fetched_again_and_without_pip_the_next_step_is_told(site, tmp_path, monkeypatch):
    site.install("fast")
    needed = {"fast": distribution("fast")}
    monkeypatch.setattr(downloads.importlib.util, "find_spec", lambda _name: None)
    monkeypatch.setenv("PATH", "")
    with pytest.raises(ConfigError, match=f"there is none here\n  next: install it: {sys.executable} -m ensurepip"):
        downloaded_wheels(needed, tmp_path, AWS_PLATFORM)
    kept = tmp_path / "linux-x86_64-cp313" / "fast==1.0" / "fast-1.0-cp313-cp313-manylinux_2_28_x86_64.whl"
    kept.parent.mkdir()
    kept.touch()
    assert downloaded_wheels(needed, tmp_path, AWS_PLATFORM) == {"fast": kept}
