"""The one place where the job reads its arguments and environment, and where it tells how the reconciliation ended."""

import argparse
import json
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError
from shoplake_core.clock import Clock
from shoplake_core.endpoints import AwsEndpoint
from shoplake_core.errors import (
    ConfigError,
    CredentialError,
    DisagreementError,
    ShoplakeError,
)
from shoplake_core.masking import MaskingKey, masking_key_from_hex
from shoplake_core.names import ResourceNames
from shoplake_core.project import Project, project_from_bundle
from shoplake_core.run_lock import RUN_LOCK_KEY, require_holder

from shoplake_reconciliation.functions_aws import Functions, lambda_client
from shoplake_reconciliation.objects_aws import AwsTargets
from shoplake_reconciliation.reconciler import reconcile
from shoplake_reconciliation.report import ReconcileReport
from shoplake_reconciliation.request import ReconcileRequest
from shoplake_reconciliation.source_calls_aws import SourceCalls
from shoplake_reconciliation.warehouse_query_aws import DataApiQuery, data_api_client

__all__ = ["JOB", "Arguments", "arguments_from", "run_job"]

JOB = "reconcile"
_SECRET_FIELD = "masking_key"  # noqa: S105 - a field's name, not a secret
_S3_URL, _GLUE_URL = "AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL_GLUE"


@dataclass(frozen=True, slots=True, kw_only=True)
class Arguments:
    """What the job was started with; Glue's own arguments beside them are passed over.

    Attributes:
        project: `s3://` URL of the project bundle.
        names: The environment's resources.
        run_id: The run.
        summary: `s3://` URL that the report is left at.
        masking_secret: Name of the secret with the masking key.
        execution_arn: The execution that holds the run lock; "" outside of a run.
        bronze_wait_seconds: How long bronze may take to hold a marker.

    """

    project: str
    names: ResourceNames
    run_id: str
    summary: str
    masking_secret: str
    execution_arn: str
    bronze_wait_seconds: float


def arguments_from(argv: Sequence[str]) -> Arguments:
    """The arguments in Glue's form: `--NAME value`."""
    parser = argparse.ArgumentParser(allow_abbrev=False)
    for name in ("project", "environment", "account", "region", "run_id", "summary", "masking_secret"):
        parser.add_argument(f"--{name}", required=True)
    parser.add_argument("--execution_arn", default="", help="which must hold the run lock; outside of a run none")
    parser.add_argument("--bronze_wait_seconds", type=float, default=1800.0, help="how long bronze may lag")
    known, _ = parser.parse_known_args(argv)
    given = vars(known)
    names = ResourceNames(*(given.pop(name) for name in ("environment", "account", "region")))
    return Arguments(names=names, **given)


def run_job(
    argv: Sequence[str],
    environment: Mapping[str, str],
    *,
    clock: Clock,
    lambda_of: Callable[[str], Any] = lambda_client,
) -> int:
    """The exit code; 0 where all layers agree. The report lies at `--summary` whether they do or not.

    Args:
        argv: The arguments.
        environment: The process's variables: where S3 and Glue are, when that is not AWS.
        clock: For waiting.
        lambda_of: Makes the client that calls functions, for a region.

    """
    try:
        arguments = arguments_from(argv)
        report = _reconciled(arguments, environment, clock, lambda_of(arguments.names.region))
    except ShoplakeError as error:
        return _told(error)
    sys.stdout.write(f"{JOB}: {len(report.tables)} tables agree at {report.cut.position}\n")
    return 0


def _told(error: ShoplakeError) -> int:
    next_step = f"; next: {error.hint}" if error.hint else ""
    sys.stderr.write(f"{JOB}: {error.code}: {' '.join(f'{error.message}{next_step}'.split())}\n")
    return error.exit_code


def _reconciled(arguments: Arguments, environment: Mapping[str, str], clock: Clock, lambda_: Any) -> ReconcileReport:
    names = arguments.names
    targets = _targets(environment, names.region)
    if arguments.execution_arn:
        require_holder(targets.objects.content(names.artifacts_bucket, RUN_LOCK_KEY), arguments.execution_arn)
    project = _project(arguments.project, targets)
    source = SourceCalls(
        functions=Functions(client=lambda_, names=names, clock=clock),
        objects=targets.objects,
        run_id=arguments.run_id,
        execution_arn=arguments.execution_arn,
        bronze_wait_seconds=arguments.bronze_wait_seconds,
        clock=clock,
    )
    report = reconcile(
        ReconcileRequest(
            names=names,
            schema=project.config.source_schema,
            silver=project.silver,
            gold=project.gold,
            glue=targets.glue,
            object_store=targets.object_store,
            query_warehouse=DataApiQuery(client=data_api_client(names.region), names=names, clock=clock),
        ),
        read_source=source.read,
        wait_until_bronze_holds=source.wait_until_bronze_holds,
        masking_key=_masking_key(arguments),
        progress=_say,
    )
    document = {"job": JOB, "run_id": arguments.run_id, **report.as_json()}
    targets.objects.put(*_place(arguments.summary), json.dumps(document, indent=2).encode())
    if not report.agree:
        wrong = [f"{table.table} ({len(table.findings)})" for table in report.tables if not table.agree]
        raise DisagreementError(
            f"the layers disagree, with this many findings: {', '.join(wrong)}; all of them: {arguments.summary}",
            hint="reload the tables that lost a change",
        )
    return report


def _say(line: str) -> None:
    sys.stdout.write(f"progress: {line}\n")
    sys.stdout.flush()


def _targets(environment: Mapping[str, str], region: str) -> AwsTargets:
    """S3 and Glue, of AWS or where the variables say; credentials are the role's own, which every client finds."""
    s3_url, glue_url = environment.get(_S3_URL), environment.get(_GLUE_URL)
    if bool(s3_url) != bool(glue_url):
        raise ConfigError(f"only one of {_S3_URL} and {_GLUE_URL} is set", hint="set both, or none on AWS")

    def at(url: str | None) -> AwsEndpoint:
        return AwsEndpoint(url=url or None, region=region, access_key_id="", secret_access_key="")

    return AwsTargets(at(glue_url), at(s3_url))


def _place(url: str) -> tuple[str, str]:
    bucket, _, key = url.removeprefix("s3://").partition("/")
    if not url.startswith("s3://") or not bucket or not key:
        raise ConfigError(f'"{url}" is no s3://bucket/key URL', hint="correct the job's arguments")
    return bucket, key


def _project(url: str, targets: AwsTargets) -> Project:
    return project_from_bundle(targets.objects.content(*_place(url)).decode())


def _masking_key(arguments: Arguments) -> MaskingKey:
    """The key in the secret: its whole text, or `masking_key` of a JSON object. No message ever holds it."""
    name = arguments.masking_secret
    try:
        client = boto3.client("secretsmanager", region_name=arguments.names.region)
        text = str(client.get_secret_value(SecretId=name)["SecretString"]).strip()
    except (BotoCoreError, ClientError, KeyError) as error:
        raise CredentialError(
            f'the secret "{name}" cannot be read: {type(error).__name__}', hint="check its name and this role's rights"
        ) from None
    if text.startswith("{"):
        text = str(json.loads(text).get(_SECRET_FIELD, ""))
    return masking_key_from_hex(text)
