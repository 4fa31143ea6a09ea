"""The smoke refuses before it makes anything. Its steps are run by hand: `./hatchw run aws --target local`."""

import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from shoplake.workspace import open_workspace
from shoplake_infra.artifacts.platforms import Target

from tests.aws import smoke
from tests.aws.smoke_estimate import estimate, printed
from tests.aws.smoke_project import smoke_project

ROOT = Path(__file__).parents[2]


def smoked(tmp_path, *words, **variables):
    """The program without credentials and without a way to find any."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "SHOPLAKE_"))}
    nowhere = {"AWS_EC2_METADATA_DISABLED": "true", "HOME": str(tmp_path), "TMPDIR": str(tmp_path)}
    return subprocess.run(
        [sys.executable, "-m", "tests.aws.smoke", *words],
        cwd=ROOT,
        env=environment | nowhere | variables,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def test_nobody_spends_money_by_accident_and_nothing_is_left_of_a_refusal(tmp_path):
    unasked = smoked(tmp_path)
    assert (unasked.returncode, unasked.stdout) == (3, "")
    assert "next: set SHOPLAKE_AWS_SMOKE=1 to want it, or pass --target local" in unasked.stderr
    nobody = smoked(tmp_path, SHOPLAKE_AWS_SMOKE="1")
    assert nobody.returncode == 3
    assert "no AWS credentials were found" in nobody.stderr
    assert "next: sign in" in nobody.stderr
    assert list(tmp_path.glob("shoplake-*")) == []


def test_an_estimate_beyond_the_budget_is_refused_and_a_laptop_costs_nothing(monkeypatch):
    monkeypatch.setenv("SHOPLAKE_AWS_SMOKE", "1")
    by_hours = {hours: sum(item.dollars for item in estimate(hours)) for hours in (1, 3, 48)}
    assert by_hours[1] < by_hours[3] < smoke.MOST_DOLLARS < by_hours[48]
    assert smoke.refusal(Target.AWS, by_hours[3], name="smoke-abcd") == ""
    assert "next: pass fewer --minutes" in smoke.refusal(Target.AWS, by_hours[48], name="smoke-abcd")
    monkeypatch.delenv("SHOPLAKE_AWS_SMOKE")
    assert smoke.refusal(Target.LOCAL, by_hours[48], name="smoke-abcd") == ""
    assert "it would destroy" in smoke.refusal(Target.LOCAL, by_hours[1], name="prod")
    assert printed(estimate(3))[-1].endswith(f"{by_hours[3]:.2f} $  at most, about")


def test_its_environment_is_small_of_its_own_and_plays_the_shop(tmp_path):
    folder = smoke_project(tmp_path / "p", "smoke-abcd", on_aws=True, region="eu-west-1")
    workspace = open_workspace(project=folder, start=folder, environment={}, named="smoke-abcd")
    deployment, config = workspace.deployment, workspace.project.config
    assert (config.environment, config.region, config.flush_interval_seconds) == ("smoke-abcd", "eu-west-1", 10.0)
    assert (deployment.new_rds_instance, deployment.new_rds_class) == (True, "db.t4g.micro")
    assert (deployment.simulated_shop, deployment.scheduled, deployment.alert_emails) == (True, False, ())
    default = tomllib.loads((folder / "shoplake.toml").read_text())
    assert default["project"]["environment"] != "smoke-abcd"


class Scripted(smoke.Smoke):
    """A smoke whose commands end as they are told to."""

    def __init__(self, *ends):
        super().__init__(Target.AWS, "smoke-abcd", Path("p"))
        self.ends, self.words = list(ends), []

    def shoplake(self, *words, answers=False):
        self.words.append(words[0])
        end = self.ends.pop(0)
        if end is not None:
            raise end
        return {"destroy": 0}


@pytest.mark.parametrize(
    ("ends", "words", "code"),
    [
        ([smoke.SmokeError("apply ended with 4"), None, None], ["apply", *["destroy"] * 2], 1),
        ([KeyboardInterrupt(), None, None], ["apply", *["destroy"] * 2], 1),
        ([smoke.SmokeError("x"), smoke.SmokeError("held"), None, None], ["apply", *["destroy"] * 3], 1),
        ([ValueError("a fault of its own"), None, None], ["apply", *["destroy"] * 2], 1),
    ],
    ids=["a failed step", "an interruption", "a destroy that AWS holds up", "a fault of its own"],
)
def test_whatever_happens_everything_is_taken_away(ends, words, code):
    scripted = Scripted(*ends)
    assert smoke.smoked(scripted, minutes=1) == code
    assert scripted.words == words


def test_what_could_not_be_taken_away_is_said_with_the_command_that_does(capsys):
    held = [smoke.SmokeError("held")] * 4
    assert smoke.smoked(Scripted(*held), minutes=1) == 1
    assert "SOMETHING IS LEFT" in (said := capsys.readouterr().err)
    assert "-m shoplake --project p destroy --delete-data --yes --target aws --env smoke-abcd" in said
