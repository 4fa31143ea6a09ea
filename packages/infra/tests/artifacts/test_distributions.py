import pytest
from shoplake_core.errors import ConfigError
from shoplake_infra.artifacts.distributions import members_of, required_distributions
from shoplake_infra.artifacts.platforms import AWS_PLATFORM

MARKERS = AWS_PLATFORM.markers


def test_what_is_needed_there_is_found_through_markers_and_extras(site):
    site.install(
        "shoplake-a",
        requires=[
            "Shoplake_B[fast]>=1",
            "old-only ; python_version < '3.12'",
            "windows-only ; sys_platform == 'win32'",
            "sdk",
        ],
    )
    site.install("shoplake-b", requires=["deep ; extra == 'fast'", "slow ; extra == 'slow'"])
    site.install("deep", requires=["shoplake-a"])
    site.install("sdk", requires=["only-of-the-sdk"])
    found = required_distributions(["shoplake-a"], markers=MARKERS, without=frozenset({"sdk"}))
    assert list(found) == ["deep", "shoplake-a", "shoplake-b"]


def test_a_distribution_that_is_missing_is_named_with_who_needs_it(site):
    site.install("shoplake-a", requires=["nowhere-to-be-found"])
    with pytest.raises(ConfigError, match="shoplake-a needs the distribution nowhere-to-be-found"):
        required_distributions(["shoplake-a"], markers=MARKERS)
    with pytest.raises(ConfigError, match=r"what is shipped needs .* shoplake-zzz"):
        required_distributions(["shoplake-zzz"], markers=MARKERS)


@pytest.mark.parametrize("editable", [False, True], ids=["from a wheel", "for development"])
def test_its_files_are_its_modules_and_its_metadata(site, editable):
    files = {"shoplake_a/__init__.py": "", "shoplake_a/py.typed": "", "shoplake_a/jobs/one.py": "1"}
    site.install("shoplake-a", files=files, editable=editable)
    (distribution,) = required_distributions(["shoplake-a"], markers=MARKERS).values()
    members = members_of(distribution)
    assert [member.name for member in members] == [
        "shoplake_a-1.0.dist-info/METADATA",
        "shoplake_a/__init__.py",
        "shoplake_a/jobs/one.py",
        "shoplake_a/py.typed",
    ]
    assert members[2].path.read_text() == "1"
