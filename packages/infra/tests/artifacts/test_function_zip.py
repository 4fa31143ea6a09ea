import zipfile
from importlib.metadata import distribution

import pytest
from shoplake_core.errors import ConfigError
from shoplake_infra.artifacts import function_zip as module
from shoplake_infra.artifacts.distributions import Member
from shoplake_infra.artifacts.function_zip import function_members, function_zip
from shoplake_infra.artifacts.imports import refuse_open_set
from shoplake_infra.artifacts.stripping import is_stripped


def members(tmp_path, **files):
    found = []
    for number, (name, text) in enumerate(files.items()):
        path = tmp_path / f"{len(list(tmp_path.iterdir()))}-{number}"
        path.write_text(text)
        found.append(Member(name, path))
    return found


def test_others_are_stripped_and_ours_is_whole(tmp_path):
    ours = members(tmp_path, **{"shoplake_a/tests/data.h": "kept"})
    others = members(tmp_path, **{"numpy/tests/x.py": "", "numpy/core.h": "", "numpy/core.py": "n"})
    made = function_zip(function_members(ours, others), tmp_path / "cache", content=["a"])
    with zipfile.ZipFile(made.path) as archive:
        assert archive.namelist() == ["numpy/core.py", "shoplake_a/tests/data.h"]
        assert {info.date_time for info in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}
        assert {info.external_attr >> 16 for info in archive.infolist()} == {0o100644}


@pytest.mark.parametrize(
    ("name", "stripped"),
    [
        ("pyarrow/libarrow_flight.so.2600", True),
        ("pyarrow/libarrow_python.so", True),
        ("pyarrow/libarrow_python.so.2600.1.0", True),
        ("pyarrow/libarrow_python.so.2600", False),
        ("pyarrow/libarrow.so.2600", False),
        ("pyarrow/lib.cpython-313-x86_64-linux-gnu.so", False),
        ("pyarrow/libarrow_substrait.so.2600", False),
        ("pyarrow/include/arrow/api.h", True),
        ("pyiceberg/catalog/glue.py", False),
    ],
)
def test_of_pyarrow_what_is_loaded_stays(name, stripped):
    assert is_stripped(name) is stripped


def test_more_than_lambda_takes_is_refused_with_the_biggest_parts(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "MOST_UNZIPPED_BYTES", 2 * 2**20)
    big = members(tmp_path, **{"numpy/a.py": "a" * 2**21, "faker/b.py": "b" * 2**20})
    with pytest.raises(ConfigError, match=r"is 3\.0 MiB unzipped, and Lambda takes 2; .* numpy 2\.0, faker 1\.0"):
        function_members([], big)


def test_two_files_of_one_name_are_refused_unless_equal(tmp_path):
    one, same = members(tmp_path, **{"a/b.py": "x"}), members(tmp_path, **{"a/b.py": "x"})
    assert len(function_members(one, same)) == 1
    with pytest.raises(ConfigError, match="two distributions bring different files"):
        function_members(one, members(tmp_path, **{"a/b.py": "y"}))


def test_an_import_that_would_fail_there_is_told_with_its_place(site):
    code = "import json, boto3\nfrom pathlib import Path\nfrom . import x\n\ndef f():\n    from pandas.io import y\n    import other\n"
    site.install("shoplake-a", files={"shoplake_a/__init__.py": code}, editable=True)
    site.install("other", files={"other.py": "import whatever\n"})
    shipped = [distribution("shoplake-a"), distribution("other")]
    with pytest.raises(ConfigError) as failed:
        refuse_open_set("the job", shipped, provided=frozenset({"boto3"}))
    assert "the job would not find all its modules: shoplake_a/__init__.py:6 imports pandas\n" in str(failed.value)
    refuse_open_set("the job", shipped, provided=frozenset({"boto3", "pandas"}))
