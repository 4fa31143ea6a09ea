"""The one place where a job reads its arguments and environment, and where it tells how the run ended."""

import argparse
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from py4j.protocol import Py4JError  # type: ignore[import-untyped]
from pyspark.sql import SparkSession
from shoplake_core.endpoints import AwsEndpoint
from shoplake_core.errors import ConfigError, ShoplakeError
from shoplake_core.masking import MaskingKey, masking_key_from_hex
from shoplake_core.names import ResourceNames
from shoplake_core.project import Project, project_from_bundle
from shoplake_core.run_lock import RUN_LOCK_KEY, require_holder

from shoplake_etl.exit_status import EXIT_JVM_LOST
from shoplake_etl.failpoints import Failpoints, failpoints_named
from shoplake_etl.gold_backfill import day_from
from shoplake_etl.jvm import end_of_jvm
from shoplake_etl.layout import Lake, lake_on_s3
from shoplake_etl.objects import ObjectStore
from shoplake_etl.secrets_aws import masking_key_from_secret
from shoplake_etl.session import LocalSpark, glue_conf, local_conf, start_session
from shoplake_etl.storage_aws import s3_objects
from shoplake_etl.summary import RunSummary

__all__ = ["Job", "arguments_from", "open_job", "run_job"]

_MASKING_KEY = "SHOPLAKE_MASKING_KEY"
_FAILPOINT = "SHOPLAKE_FAILPOINT"
_SPARK_JARS = "SHOPLAKE_SPARK_JARS"  # locally: where Spark keeps resolved jars, for a job whose home is not the user's


@dataclass(frozen=True, slots=True, kw_only=True)
class Arguments:
    """What the job was started with; Glue's own arguments beside them are passed over."""

    project: str
    environment: str
    account: str
    region: str
    run_id: str
    summary: str
    tables: tuple[str, ...]
    rebuild: bool
    backfill_from: date | None
    masking_secret: str
    silver_summary: str
    execution_arn: str
    spark_cores: int
    spark_memory: str


def arguments_from(argv: Sequence[str]) -> Arguments:
    """The arguments in Glue's form: `--NAME value`.

    Raises:
        ConfigError: A day is no day, or everything is to be rebuilt and some days as well.

    """
    parser = argparse.ArgumentParser(allow_abbrev=False)
    for name in ("project", "environment", "account", "region", "run_id", "summary"):
        parser.add_argument(f"--{name}", required=True)
    parser.add_argument("--tables", default="", help="silver: only these, separated by commas")
    parser.add_argument("--rebuild", nargs="?", const="true", default="false", help="gold: build every model anew")
    parser.add_argument("--backfill_from", default="", help="gold: rebuild what happened from this day on: YYYY-MM-DD")
    parser.add_argument("--masking_secret", default="", help=f"name in Secrets Manager; locally {_MASKING_KEY} instead")
    parser.add_argument("--silver_summary", default="", help="gold: URL of the silver job's summary")
    parser.add_argument("--execution_arn", default="", help="which must hold the run lock; outside of a run none")
    parser.add_argument("--spark_cores", type=int, default=2, help="locally: threads that run tasks")
    parser.add_argument("--spark_memory", default="2g", help="locally: the Java heap")
    known, _ = parser.parse_known_args(argv)
    given = vars(known)
    given["tables"] = tuple(name for name in given["tables"].split(",") if name)
    given["rebuild"] = given["rebuild"].lower() == "true"
    given["backfill_from"] = day_from(given["backfill_from"], where="--backfill_from")
    if given["rebuild"] and given["backfill_from"]:
        raise ConfigError(
            "--rebuild and --backfill_from are both given", hint="leave one out: a rebuild takes every day"
        )
    return Arguments(**given)


def _masking_key(arguments: Arguments, environment: Mapping[str, str]) -> MaskingKey:
    if arguments.masking_secret:
        return masking_key_from_secret(arguments.masking_secret)
    return masking_key_from_hex(environment.get(_MASKING_KEY, ""))


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A job's surroundings, ready to run."""

    arguments: Arguments
    project: Project
    lake: Lake
    store: ObjectStore
    spark: SparkSession
    masking_key: Callable[[], MaskingKey]
    failpoints: Failpoints


def _local(environment: Mapping[str, str], arguments: Arguments) -> tuple[AwsEndpoint, LocalSpark] | None:
    s3_url, glue_url = environment.get("AWS_ENDPOINT_URL_S3"), environment.get("AWS_ENDPOINT_URL_GLUE")
    if not s3_url and not glue_url:
        return None
    if not s3_url or not glue_url:
        raise ConfigError(
            "only one of AWS_ENDPOINT_URL_S3 and AWS_ENDPOINT_URL_GLUE is set", hint="set both, or none on AWS"
        )
    endpoint = AwsEndpoint(
        url=s3_url,
        region=environment.get("AWS_REGION", arguments.region),
        access_key_id=environment.get("AWS_ACCESS_KEY_ID", ""),
        secret_access_key=environment.get("AWS_SECRET_ACCESS_KEY", ""),
    )
    spark = LocalSpark(
        s3_url=s3_url,
        glue_url=glue_url,
        region=endpoint.region,
        cores=arguments.spark_cores,
        memory=arguments.spark_memory,
        ivy_folder=Path(environment.get(_SPARK_JARS) or Path.home() / ".ivy2.5.2"),
        keep_classes=True,
    )
    return endpoint, spark


def open_job(application: str, argv: Sequence[str], *, masks: bool) -> Job:
    """The job's surroundings: project read, Spark started.

    Args:
        application: The job's name.
        argv: Its arguments.
        masks: Whether it needs the masking key: it is had before Spark starts, for a refusal need not wait for that.

    """
    arguments, environment = arguments_from(argv), os.environ
    local = _local(environment, arguments)
    store = s3_objects(local[0] if local else None)
    names = ResourceNames(environment=arguments.environment, account=arguments.account, region=arguments.region)
    if arguments.execution_arn:
        require_holder(store.read(f"s3://{names.artifacts_bucket}/{RUN_LOCK_KEY}"), arguments.execution_arn)
    project = project_from_bundle(store.read(arguments.project).decode())
    lake = lake_on_s3(names)
    failpoints = failpoints_named(environment.get(_FAILPOINT, ""))
    masking_key = _masking_key(arguments, environment) if masks else None
    if local:
        os.environ.setdefault("SPARK_LOCAL_IP", "127.0.0.1")
        os.environ.setdefault("AWS_EC2_METADATA_DISABLED", "true")
    conf = local_conf(local[1], lake.silver.root) if local else glue_conf(lake.silver.root)
    return Job(
        arguments=arguments,
        project=project,
        lake=lake,
        store=store,
        spark=start_session(application, conf),
        masking_key=lambda: masking_key or _masking_key(arguments, environment),
        failpoints=failpoints,
    )


def run_job(application: str, argv: Sequence[str], run: Callable[[Job], RunSummary], *, masks: bool = False) -> int:
    """The exit code, after running the job and writing its summary as an object and as one line on stdout.

    A job whose Java process died under it writes no summary and ends with `EXIT_JVM_LOST`: it says nothing about the
    tables, and starting it again goes on where the commits ended.

    """
    try:
        job = open_job(application, argv, masks=masks)
        summary = run(job)
        text = summary.to_json()
        end = end_of_jvm() if summary.failed else None
        if end is None:
            job.store.write(job.arguments.summary, text.encode())
    except ShoplakeError as error:
        end = end_of_jvm()
        if end is None:
            sys.stderr.write(f"{application}: {error.code}: {error}\n")
            return error.exit_code
    except (Py4JError, ConnectionError):
        end = end_of_jvm()
        if end is None:
            raise
    if end is not None:
        sys.stderr.write(f"{application}: Spark's Java process {end}; nothing is half-done\n")
        return EXIT_JVM_LOST
    sys.stdout.write(text + "\n")
    sys.stdout.flush()
    job.spark.stop()
    return 1 if summary.failed else 0
