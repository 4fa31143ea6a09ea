"""A project read from a folder, and from the bundle that a job is given."""

import pytest
from shoplake_core.errors import ConfigError, ContractError
from shoplake_core.project import project_from_bundle, project_from_files, project_from_folder

SILVER = 'grain = "g"\nkey = ["id"]\n[columns.id]\ntype = "int64"\n'
GOLD = 'grain = "g"\nkey = ["id"]\nreads = ["{0}"]\nscope = ["id"]\n[touched]\n{0} = "select id from changes"\n[columns.id]\ntype = "int64"\n'


def files(**extra):
    return {"shoplake.toml": "", "contracts/silver/orders.toml": SILVER} | extra


def test_a_bundle_reads_back_as_the_same_project():
    project = project_from_files(files())
    assert project_from_bundle(project.bundle()) == project


def test_a_folder_reads_as_its_files(tmp_path):
    for path, text in files().items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text)
    assert project_from_folder(tmp_path) == project_from_files(files())


def test_gold_comes_after_what_it_reads():
    given = files(
        **{
            "contracts/gold/a.toml": GOLD.format("b"),
            "gold/a.sql": "select 1",
            "contracts/gold/b.toml": GOLD.format("orders"),
            "gold/b.sql": "select 1",
        }
    )
    assert list(project_from_files(given).gold) == ["b", "a"]


@pytest.mark.parametrize(
    ("given", "error", "fault"),
    [
        pytest.param({}, ConfigError, "no shoplake.toml", id="no-project"),
        pytest.param({"shoplake.toml": ""}, ConfigError, "no contracts/silver", id="no-contract"),
        pytest.param(
            files() | {"shoplake.toml": '[tables]\ninclude=["oders"]'},
            ConfigError,
            'did you mean "orders"',
            id="unknown-table",
        ),
        pytest.param(
            files(**{"contracts/gold/a.toml": GOLD.format("oders"), "gold/a.sql": ""}),
            ContractError,
            'did you mean "orders"',
            id="unknown-read",
        ),
        pytest.param(
            files(**{"contracts/gold/a.toml": GOLD.format("orders")}), ContractError, "no gold/a.sql", id="no-sql"
        ),
        pytest.param(
            files(
                **{
                    "contracts/gold/a.toml": GOLD.format("b"),
                    "gold/a.sql": "",
                    "contracts/gold/b.toml": GOLD.format("a"),
                    "gold/b.sql": "",
                }
            ),
            ContractError,
            "in a circle",
            id="circle",
        ),
    ],
)
def test_a_wrong_project_is_refused_by_name(given, error, fault):
    with pytest.raises(error) as caught:
        project_from_files(given)
    assert fault in str(caught.value)
