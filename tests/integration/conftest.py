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
import pytest

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


def make_project(folder: Path) -> Shoplake:
    """A copy of the reference project, without state."""
    shutil.copytree(ROOT / "shop", folder, ignore=shutil.ignore_patterns(".shoplake"))
    return command_on(folder)


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


@pytest.fixture(scope="session")
def running_shop(tmp_path_factory):
    """A small shop carried to the warehouse once, shared by the tests that leave it reconcilable."""
    project = make_project(tmp_path_factory.mktemp("running") / "shop")
    project.call("seed", "--orders", "400", "--seed", "11")
    project.call("run")
    yield project
    project.call("down", check=False)
