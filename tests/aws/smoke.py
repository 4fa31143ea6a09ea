"""The opt-in smoke: a whole environment made in an AWS account, run, reconciled and taken away again, by the real command.

    SHOPLAKE_AWS_SMOKE=1 ./hatchw run aws                  in the account that is signed in; it costs some dollars
    ./hatchw run aws --target local                        the same steps on this machine; it costs nothing

Exit code 0: everything went as it should. 1: a step did not, or something may be left. 3: refused.
"""

import argparse
import json
import os
import secrets
import shutil
import signal
import string
import subprocess
import sys
import tempfile
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from shoplake.cloud import Cloud
from shoplake.narration import Narrator
from shoplake.targets import reached_cloud
from shoplake.workspace import open_workspace
from shoplake_core.clock import SystemClock
from shoplake_core.errors import CredentialError
from shoplake_core.names import FunctionName
from shoplake_infra.artifacts.platforms import Target

from tests.aws.smoke_estimate import estimate, printed
from tests.aws.smoke_project import smoke_project

_SWITCH = "SHOPLAKE_AWS_SMOKE"
_REFUSED, _FAILED = 3, 1
_PREFIX = "smoke-"
_ORDERS = 300
MOST_DOLLARS = 15.0
# what may take long on AWS: RDS and DMS are made in about ten minutes each; network interfaces hold a destroy up
_WORK_MINUTES, _DESTROY_MINUTES = 120, 60
_DESTROY_ATTEMPTS = 3


class SmokeError(Exception):
    """A step did not go as it should."""


@dataclass
class Smoke:
    """One environment in one AWS, from nothing to nothing.

    Attributes:
        target: Which AWS.
        environment: Its name, drawn for this smoke alone.
        folder: The project.
        clock: What the time limit is measured with.

    """

    target: Target
    environment: str
    folder: Path
    clock: SystemClock = field(default_factory=SystemClock)
    deadline_seconds: float = 0.0

    def command(self, *words: str) -> list[str]:
        where = ["--target", self.target.value, "--env", self.environment]
        return [sys.executable, "-m", "shoplake", "--project", str(self.folder), *words, *where]

    def shoplake(self, *words: str, answers: bool = False) -> dict[str, Any]:
        """Run the command; where it answers in JSON, what it said."""
        say(f"$ shoplake {' '.join(self.command(*words)[3:])}")
        left = self.deadline_seconds - self.clock.monotonic_seconds()
        try:
            done = subprocess.run(
                self.command(*words, *(["--json"] if answers else [])),
                stdout=subprocess.PIPE if answers else None,
                text=True,
                check=False,
                timeout=max(1.0, left),
            )
        except subprocess.TimeoutExpired:
            raise SmokeError(f"the time limit passed during: shoplake {words[0]}") from None
        if done.returncode:
            raise SmokeError(f"shoplake {words[0]} ended with {done.returncode}\n{(done.stdout or '')[-4000:]}")
        return json.loads(done.stdout) if answers else {}

    def cloud(self) -> Cloud:
        """The environment's AWS; the command's own way to it."""
        workspace = open_workspace(
            project=self.folder, start=self.folder, environment=os.environ, named=self.environment
        )
        return reached_cloud(workspace, quiet_narrator(self.clock), self.target)

    def shop(self, **event: Any) -> dict[str, Any]:
        """What the simulated shop's function answers, inside the environment's network."""
        cloud = self.cloud()
        say(f"$ invoke {cloud.names.function(FunctionName.SHOP)} {json.dumps(event)}")
        answer = cloud.aws.client("lambda").invoke(
            FunctionName=cloud.names.function(FunctionName.SHOP), Payload=json.dumps(event).encode()
        )
        found: dict[str, Any] = json.loads(answer["Payload"].read())
        if "FunctionError" in answer or not found.get("complete"):
            raise SmokeError(f"the shop's function: {found}")
        return found

    def run_and_reconcile(self) -> dict[str, int]:
        """Silver's rows by table, after a run and a reconciliation of its own that agrees."""
        self.shoplake("run", answers=True)
        outcome = self.shoplake("reconcile", answers=True)
        if not outcome["agree"]:
            raise SmokeError(f"the layers disagree: {json.dumps(outcome)[:4000]}")
        rows = {table["table"]: int(table["layers"]["silver"]["rows"]) for table in outcome["tables"]}
        say(f"  every layer agrees: {sum(rows.values()):,} rows in {len(rows)} tables of silver")
        return rows

    def work(self) -> None:
        """Everything but the end.

        Raises:
            SmokeError: A step did not go as it should.

        """
        self.shoplake("apply", "--yes")
        self.shop(action="seed", orders=_ORDERS)
        self.shoplake("doctor")
        first = self.run_and_reconcile()
        if not first.get("orders"):
            raise SmokeError(f"silver holds no orders: {first}")
        changed = self.shop(action="load", seconds=10, rate=3)
        if not changed["completed"]:
            raise SmokeError(f"the shop changed nothing: {changed}")
        second = self.run_and_reconcile()
        if sum(second.values()) <= sum(first.values()):
            raise SmokeError(f"the second run brought no rows: {first}, then {second}")
        self.shoplake("plan", "--fail-on-changes")
        say("  the second plan has no changes")

    def destroy(self) -> None:
        """Take everything away, data too; again where AWS still held something.

        Raises:
            SmokeError: It did not go.

        """
        for attempt in range(1, _DESTROY_ATTEMPTS + 1):
            try:
                self.shoplake("destroy", "--delete-data", "--yes")
                if self.shoplake("destroy", "--delete-data", "--yes", answers=True)["destroy"] == 0:
                    return
            except SmokeError as error:
                say(f"destroy, attempt {attempt} of {_DESTROY_ATTEMPTS}: {error}")
        by_hand = " ".join(self.command("destroy", "--delete-data", "--yes")[1:])
        raise SmokeError(f"SOMETHING IS LEFT, and costs: take it away with\n  python {by_hand}")


def say(text: str) -> None:
    """One line for the person, on stderr."""
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()


def quiet_narrator(clock: SystemClock) -> Narrator:
    """A narrator that nobody hears."""
    from rich.console import Console

    return Narrator(Console(quiet=True), clock)


@contextmanager
def ended_as_if_interrupted() -> Iterator[None]:
    """A SIGTERM ends the work as Ctrl-C does, so that the destroy still comes."""

    def interrupt(_number: int, _frame: object) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def refusal(target: Target, dollars: float, *, name: str) -> str:
    """Why this is not begun, with the next step; "" where it may be."""
    if not name.startswith(_PREFIX):
        return f'it would destroy the environment "{name}" with its data\n  next: name one that begins with {_PREFIX}'
    if target is Target.LOCAL:
        return ""
    if os.environ.get(_SWITCH) != "1":
        return f"this makes resources in an AWS account, which cost\n  next: set {_SWITCH}=1 to want it, or pass --target local"
    if dollars > MOST_DOLLARS:
        return f"about {dollars:.2f} $ are more than {MOST_DOLLARS:.0f} $\n  next: pass fewer --minutes"
    return ""


def main() -> int:
    parser = argparse.ArgumentParser(prog="hatch run aws", description=str(__doc__).partition("\n")[0])
    parser.add_argument("--target", choices=[t.value for t in Target], default=Target.AWS.value)
    parser.add_argument("--region", default="", help="by default eu-central-1")
    parser.add_argument("--env", default="", help="by default smoke- and four letters; it must begin with smoke-")
    parser.add_argument("--minutes", type=int, default=_WORK_MINUTES, help="the work is ended after so many")
    arguments = parser.parse_args()
    target = Target(arguments.target)
    items = estimate((arguments.minutes + _DESTROY_MINUTES) / 60)
    name = arguments.env or _PREFIX + "".join(secrets.choice(string.ascii_lowercase) for _ in range(4))
    refused = refusal(target, sum(item.dollars for item in items), name=name)
    if refused:
        say(refused)
        return _REFUSED
    folder = smoke_project(
        Path(tempfile.mkdtemp(prefix=f"shoplake-{name}-")), name, on_aws=target is Target.AWS, region=arguments.region
    )
    smoke = Smoke(target, name, folder)
    try:
        words = smoke.cloud().words
    except CredentialError as error:
        shutil.rmtree(folder)
        say(str(error))
        return _REFUSED
    say(f"{words}   project {folder}")
    if target is Target.AWS:
        say(f"stands for {arguments.minutes} minutes at most, and is then taken away:")
        for line in printed(items):
            say(line)
    return smoked(smoke, minutes=arguments.minutes)


def smoked(smoke: Smoke, *, minutes: float) -> int:
    """The exit code; whatever happens, everything is taken away."""
    failed = False
    with ended_as_if_interrupted():
        try:
            smoke.deadline_seconds = smoke.clock.monotonic_seconds() + 60 * minutes
            smoke.work()
        except (SmokeError, KeyboardInterrupt) as error:
            failed = True
            say(f"FAILED: {error or 'interrupted'}")
        except Exception:  # noqa: BLE001 - a fault of this program itself: told, and everything is taken away
            failed = True
            say(f"FAILED:\n{traceback.format_exc()}")
        finally:
            smoke.deadline_seconds = smoke.clock.monotonic_seconds() + 60 * _DESTROY_MINUTES
            try:
                smoke.destroy()
            except (SmokeError, KeyboardInterrupt) as error:
                failed = True
                say(str(error))
            if smoke.target is Target.LOCAL:
                subprocess.run([sys.executable, "-m", "shoplake", "--project", str(smoke.folder), "down"], check=False)
    if not failed:
        shutil.rmtree(smoke.folder)
    say("the smoke failed" if failed else "the smoke went well, and nothing is left")
    return _FAILED if failed else 0


if __name__ == "__main__":
    sys.exit(main())
