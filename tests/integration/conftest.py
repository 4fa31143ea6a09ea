"""One whole laptop for the tests that cross packages: a copy of the reference project, driven by the real command."""

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import pymysql
import pytest
from shoplake.cloud import laptop_cloud
from shoplake.laptop import open_laptop
from shoplake.workspace import open_workspace

ROOT = Path(__file__).parents[2]
MEMORY_DISK = Path("/dev/shm")


@dataclass
class Shoplake:
    """The command on one project folder."""

    folder: Path
    environment: dict[str, str]

    def call(
        self, *words: str, check: bool = True, timeout_seconds: float = 540, **environment: str
    ) -> subprocess.CompletedProcess[str]:
        """Run the command; where `check` is set, a failure shows what it said."""
        done = subprocess.run(
            self._command(*words),
            capture_output=True,
            text=True,
            check=False,
            timeout=timeout_seconds,
            env=self.environment | environment,
        )
        if check and done.returncode:
            pytest.fail(
                f"shoplake {' '.join(words)} ended with {done.returncode}\n{done.stdout[-4000:]}\n{done.stderr[-8000:]}"
            )
        return done

    def _command(self, *words: str) -> list[str]:
        return [sys.executable, "-m", "shoplake", "--project", str(self.folder), *words]

    def start(
        self, *words: str, stdout: int = subprocess.DEVNULL, stderr: int = subprocess.DEVNULL
    ) -> subprocess.Popen[str]:
        """The command, running; what nobody reads goes nowhere, so that it never waits for a reader."""
        return subprocess.Popen(self._command(*words), stdout=stdout, stderr=stderr, text=True, env=self.environment)

    def json(self, *words: str, **environment: str) -> dict[str, Any]:
        """What the command prints on stdout, as JSON."""
        return json.loads(self.call(*words, "--json", **environment).stdout)

    @property
    def state(self) -> Path:
        return self.folder / ".shoplake"

    def processes(self) -> list[psutil.Process]:
        """Every process of this project: those that name its state, and the servers that `status` knows."""
        found = {}
        for process in psutil.process_iter(["cmdline"]):
            words = " ".join(process.info["cmdline"] or ())
            if str(self.state) in words and process.pid != os.getpid():
                found[process.pid] = process
        for server in self.json("status")["servers"]:
            if server["pid"] and psutil.pid_exists(server["pid"]):
                found[server["pid"]] = psutil.Process(server["pid"])
        return list(found.values())


def command_on(folder: Path) -> Shoplake:
    """The command on a project folder, with nothing of the caller's own settings."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("SHOPLAKE_", "AWS_"))}
    return Shoplake(folder, environment | {"COLUMNS": "160"})


# enough of the shop for what these tests are about: each further table and model costs every run a second or two of two
# cores, and has its own tests; the demo's test takes all of it
CORE_GOLD = {"dim_product", "fct_order", "fct_sales_event"}
LEFT_OUT = {"addresses", "inventory_levels", "stock_movements"}


def make_project(folder: Path, *, whole: bool = False) -> Shoplake:
    """A copy of the reference project without state; its core alone, or as a whole."""
    shutil.copytree(ROOT / "shop", folder, ignore=shutil.ignore_patterns(".shoplake"))
    if not whole:
        for path in [*folder.glob("contracts/gold/*.toml"), *folder.glob("gold/*.sql")]:
            if path.stem not in CORE_GOLD:
                path.unlink()
        for name in LEFT_OUT:
            (folder / f"contracts/silver/{name}.toml").unlink()
        (folder / "metrics.toml").unlink()
        shutil.rmtree(folder / "dashboards")
    return command_on(folder)


@pytest.fixture
def whole_shop(tmp_path):
    """The reference project as it is, with dashboards in QuickSight too; its servers end with the test."""
    project = make_project(tmp_path / "whole", whole=True)
    with (project.folder / "shoplake.toml").open("a", encoding="utf-8") as settings:
        settings.write("\n[dashboards]\nenabled = true\n")
    yield project
    project.call("down", check=False)


@pytest.fixture(scope="session")
def shoplake_on():
    """Folder -> the command on the project in it."""
    return command_on


@pytest.fixture
def shoplake(tmp_path):
    """A project of this test alone; its servers end with it."""
    project = make_project(tmp_path / "shop")
    yield project
    project.call("down", check=False)


@dataclass(frozen=True)
class Inside:
    """What lies behind the command: the servers, the AWS on them, and their clients."""

    laptop: Any
    cloud: Any

    @property
    def names(self):
        return self.cloud.names

    def silver_table(self, name):
        """An Iceberg table of silver, as PyIceberg reads it."""
        from shoplake_reconciliation.iceberg_tables_aws import open_table
        from shoplake_reconciliation.objects_aws import AwsTargets

        return open_table(AwsTargets(self.laptop.control, self.laptop.object_store), self.names.silver_database, name)

    def masking_key(self):
        from shoplake_core.masking import masking_key_from_hex

        secrets = self.cloud.aws.client("secretsmanager")
        return masking_key_from_hex(secrets.get_secret_value(SecretId=self.names.masking_secret)["SecretString"])

    def mysql(self):
        """A connection to the shop's MySQL."""
        at = self.laptop.mysql
        return pymysql.connect(
            host=at.host, port=at.port, user=at.user, password=at.password, autocommit=True, charset="utf8mb4"
        )


@pytest.fixture(scope="session")
def inside():
    """Command -> what lies behind it, with every server up."""

    def opened(shoplake):
        workspace = open_workspace(project=shoplake.folder, start=shoplake.folder, environment={})
        laptop = open_laptop(workspace, on_progress=lambda _: None)
        return Inside(laptop, laptop_cloud(workspace, laptop.control, clock=laptop.clock))

    return opened


@pytest.fixture(scope="session")
def running_shop(tmp_path_factory):
    """A small shop carried to the warehouse once, shared by the tests that leave it reconcilable."""
    project = make_project(tmp_path_factory.mktemp("running") / "shop")
    project.call("seed", "--orders", "400", "--seed", "11")
    project.call("run")
    yield project
    project.call("down", check=False)
