"""`iam-policy`: the rights of the person who applies."""

import json
from typing import Annotated

import typer
from shoplake_core.names import ResourceNames
from shoplake_infra.applier import applier_policy, in_managed_policies

from shoplake.cli import InEnvironment, app, session


@app.command("iam-policy")
def iam_policy(
    account: Annotated[str, typer.Option("--account", help="The AWS account's number, of twelve digits.")],
    env: InEnvironment = "",
) -> None:
    """Print the IAM policies that `plan`, `apply` and `destroy --target aws` need, as JSON; it asks nobody."""
    with session(environment=env, announce=False) as (workspace, _):
        config = workspace.project.config
        policies = in_managed_policies(applier_policy(ResourceNames(config.environment, account, config.region)))
        names = (f"shoplake-{config.environment}-applier-{number}" for number in range(1, len(policies) + 1))
        typer.echo(json.dumps({"schema_version": 1, "policies": dict(zip(names, policies, strict=True))}, indent=1))
