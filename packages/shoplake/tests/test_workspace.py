"""Where the project and its state lie."""

from pathlib import Path

import pytest
from shoplake.workspace import open_workspace
from shoplake_core.errors import ConfigError

CONTRACT = 'grain = "g"\nkey = ["id"]\n[columns.id]\ntype = "int64"\n'


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "contracts/silver").mkdir(parents=True)
    (tmp_path / "contracts/silver/orders.toml").write_text(CONTRACT)
    (tmp_path / "shoplake.toml").write_text("")
    return tmp_path


def test_the_project_is_found_from_a_folder_below_it(project):
    workspace = open_workspace(project=None, start=project / "contracts" / "silver", environment={})
    assert (workspace.folder, workspace.state_folder) == (project, project / ".shoplake")


def test_the_reference_project_is_found_from_the_top_of_the_repository():
    top = Path(__file__).parents[3]
    assert open_workspace(project=None, start=top, environment={}).folder == top / "shop"


def test_the_environment_moves_the_state(project, tmp_path):
    environment = {"SHOPLAKE_STATE": str(tmp_path / "elsewhere"), "SHOPLAKE_MYSQL_URL": "mysql://u:p@h"}
    workspace = open_workspace(project=project, start=project, environment=environment)
    assert (workspace.state_folder, workspace.mysql_url) == (tmp_path / "elsewhere", "mysql://u:p@h")


def test_no_project_is_told_with_the_flag_that_names_one(tmp_path):
    with pytest.raises(ConfigError, match="--project"):
        open_workspace(project=None, start=tmp_path, environment={})
