import base64
import csv
import hashlib
import io
import os
import zipfile
from importlib.metadata import distribution

import pytest
from shoplake_core.errors import ConfigError
from shoplake_infra.artifacts.wheels import wheel_of

FILES = {"shoplake_a/__init__.py": "x = 1\n" * 50, "shoplake_a/data, with comma.toml": "a = 1\n"}


def test_equal_content_gives_equal_bytes_however_it_is_installed(site, tmp_path):
    site.install("shoplake-a", files=FILES, editable=True)
    first = wheel_of(distribution("shoplake-a"), tmp_path / "one")
    os.utime(site.sources / "shoplake-a" / "shoplake_a" / "__init__.py", (1, 1))
    assert wheel_of(distribution("shoplake-a"), tmp_path / "two").path.read_bytes() == first.path.read_bytes()
    (site.folder / "_editable_impl_shoplake_a.pth").unlink()
    site.install("shoplake-a", files=FILES)
    assert wheel_of(distribution("shoplake-a"), tmp_path / "three").sha256 == first.sha256
    assert (first.what, first.name) == ("wheel-shoplake-a", "shoplake_a-1.0-py3-none-any.whl")
    assert first.size_bytes == first.path.stat().st_size


def test_its_record_tells_every_file(site, tmp_path):
    site.install("shoplake-a", files=FILES)
    with zipfile.ZipFile(wheel_of(distribution("shoplake-a"), tmp_path).path) as wheel:
        rows = list(csv.reader(io.StringIO(wheel.read("shoplake_a-1.0.dist-info/RECORD").decode())))
        assert [row[0] for row in rows] == wheel.namelist()
        for name, digest, size in rows[:-1]:
            content = wheel.read(name)
            found = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).decode().rstrip("=")
            assert (digest, int(size)) == (f"sha256={found}", len(content))
        assert rows[-1][1:] == ["", ""]


def test_changed_code_is_another_wheel_and_unchanged_code_is_not_built_again(site, tmp_path):
    site.install("shoplake-a", files=FILES, editable=True)
    first = wheel_of(distribution("shoplake-a"), tmp_path)
    written = first.path.stat().st_mtime_ns
    assert wheel_of(distribution("shoplake-a"), tmp_path).path.stat().st_mtime_ns == written
    site.install("shoplake-a", files=FILES | {"shoplake_a/new.py": ""}, editable=True)
    second = wheel_of(distribution("shoplake-a"), tmp_path)
    assert second.path != first.path
    assert first.path.exists()


def test_a_wheel_of_a_platform_keeps_its_tags(site, tmp_path):
    site.install("fast", tag="cp313-cp313-manylinux_2_17_x86_64\nTag: cp313-cp313-manylinux2014_x86_64")
    name = wheel_of(distribution("fast"), tmp_path).name
    assert name == "fast-1.0-cp313-cp313-manylinux_2_17_x86_64.manylinux2014_x86_64.whl"
    (site.folder / "fast-1.0.dist-info" / "WHEEL").unlink()
    with pytest.raises(ConfigError, match="not installed from a wheel"):
        wheel_of(distribution("fast"), tmp_path)
