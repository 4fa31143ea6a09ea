"""From a command's flags to the AWS it works on: servers up and provisioned on a laptop, credentials checked for an account."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256

from botocore.exceptions import ClientError
from shoplake_core.clock import SystemClock
from shoplake_core.endpoints import MySqlEndpoint
from shoplake_engines.private_files import read_json, write_private_json
from shoplake_infra.artifacts.platforms import Target
from shoplake_infra.plan import PlannedChange
from shoplake_infra.planning import plan
from shoplake_infra.resource import Ref, Resource

from shoplake.cloud import Cloud, account_cloud, laptop_cloud
from shoplake.estate import applied, desired_estate
from shoplake.laptop import Laptop, open_laptop
from shoplake.narration import Narrator
from shoplake.workspace import Workspace

__all__ = [
    "LocalCloud",
    "bring_up",
    "forget_applied",
    "login_writer",
    "open_cloud",
    "prepared_laptop",
    "reached_cloud",
    "write_source_login",
]

_APPLIED = "applied.json"


@dataclass(frozen=True, slots=True)
class LocalCloud:
    """The servers of a laptop, and the AWS on them."""

    laptop: Laptop
    cloud: Cloud


def bring_up(workspace: Workspace, narrator: Narrator, *, number: int = 1, count: int = 2) -> LocalCloud:
    """The laptop with its servers up; nothing is provisioned."""
    with narrator.step(number, count, "servers up") as talk:
        laptop = open_laptop(workspace, on_progress=talk.note)
        talk.result = "MySQL, object store, warehouse, AWS"
    return LocalCloud(laptop, laptop_cloud(workspace, laptop.control, clock=laptop.clock))


def prepared_laptop(workspace: Workspace, narrator: Narrator, *, number: int = 1, count: int = 2) -> LocalCloud:
    """The laptop with its servers up and its environment as desired: two steps, of which the second may be nothing."""
    local = bring_up(workspace, narrator, number=number, count=count)
    with narrator.step(number + 1, count, "environment as desired") as talk:
        talk.result = _provision(local, talk.note)
    return local


def open_cloud(workspace: Workspace, narrator: Narrator, target: Target) -> Cloud:
    """The AWS of that target, ready for a command; on a laptop it is brought up and provisioned first.

    Raises:
        CredentialError: No credentials open an account.

    """
    if target is Target.LOCAL:
        return prepared_laptop(workspace, narrator).cloud
    cloud = account_cloud(workspace, clock=SystemClock())
    narrator.say(cloud.words)
    return cloud


def reached_cloud(workspace: Workspace, narrator: Narrator, target: Target) -> Cloud:
    """The AWS of that target as it is: on a laptop its servers are up, and nothing is provisioned by this.

    Raises:
        CredentialError: No credentials open an account.

    """
    if target is Target.LOCAL:
        laptop = open_laptop(workspace, on_progress=lambda _: None)
        return laptop_cloud(workspace, laptop.control, clock=laptop.clock)
    cloud = account_cloud(workspace, clock=SystemClock())
    narrator.say(cloud.words)
    return cloud


def forget_applied(workspace: Workspace) -> None:
    """Let the next command that needs the environment plan it anew."""
    (workspace.state_folder / _APPLIED).unlink(missing_ok=True)


def _provision(local: LocalCloud, note: Callable[[str], None]) -> str:
    """Plan and apply, where what is desired is not what was applied last; in words, what was done."""
    workspace, cloud = local.cloud.workspace, local.cloud
    path = workspace.state_folder / _APPLIED
    note("building what is shipped")
    desired = desired_estate(cloud)
    fingerprint = _fingerprint(desired)
    last = read_json(path)
    if last.get(cloud.names.environment) == fingerprint:
        write_source_login(cloud, local.laptop.mysql)
        return f"{len(desired)} resources, nothing to change"
    note("reading what is there")
    to_do = plan(desired, cloud.aws)
    total = len(to_do.changes)
    count = 0
    heard = login_writer(local)

    def done(change: PlannedChange) -> None:
        nonlocal count
        count += 1
        note(f"{count} of {total}: {change.resource.address}")
        heard(change)

    applied(to_do, cloud, done=done)
    write_source_login(cloud, local.laptop.mysql)
    write_private_json(path, {**last, cloud.names.environment: fingerprint})
    return to_do.lines()[-1] if to_do.changes else f"{len(desired)} resources, nothing to change"


def _fingerprint(desired: tuple[Resource, ...]) -> str:
    return sha256(
        json.dumps([[r.address, _plain(r.properties), dict(r.tags)] for r in desired], sort_keys=True).encode()
    ).hexdigest()


def _plain(value: object) -> object:
    if isinstance(value, Ref):
        return f"{value.address}.{value.attribute}"
    if isinstance(value, dict) or hasattr(value, "items"):
        return {str(name): _plain(member) for name, member in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(member) for member in value]
    return value if isinstance(value, str | int | float | bool | None) else str(value)


def login_writer(local: LocalCloud) -> Callable[[PlannedChange], None]:
    """Hears of applied changes and writes MySQL's login into its secret as soon as that is there: replication is tested with it."""
    write_source_login(local.cloud, local.laptop.mysql)

    def heard(change: PlannedChange) -> None:
        if change.resource.address == f"secret {local.cloud.names.source_secret}":
            write_source_login(local.cloud, local.laptop.mysql)

    return heard


def write_source_login(cloud: Cloud, mysql: MySqlEndpoint) -> None:
    """Write where the laptop's MySQL is and who logs in into the source's secret, where that says something else."""
    secrets = cloud.aws.client("secretsmanager")
    login = {"host": mysql.host, "port": mysql.port, "username": mysql.user, "password": mysql.password}
    try:
        held = json.loads(secrets.get_secret_value(SecretId=cloud.names.source_secret)["SecretString"])
    except ClientError as error:
        if error.response["Error"]["Code"] != "ResourceNotFoundException":
            raise
        return  # it is not provisioned yet
    if held != login:
        secrets.put_secret_value(SecretId=cloud.names.source_secret, SecretString=json.dumps(login))
