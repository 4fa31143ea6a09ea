"""The steps of a run, in order: each one thing that a state machine will name as a state."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from shoplake_core.errors import DataError, DisagreementError
from shoplake_local.crawler.report import Outcome

from shoplake.catching_up import catch_up_bronze
from shoplake.laptop import Laptop
from shoplake.narration import StepTalk
from shoplake.reconciling import reconcile_now
from shoplake.spark_jobs import SparkJob, job_environment, run_spark_job
from shoplake.views.reconciliation import finding_text
from shoplake.warehouse_step import load_warehouse

__all__ = ["RUN_STEPS", "RunContext", "RunStep"]


@dataclass
class RunContext:
    """What the steps of one run share.

    Attributes:
        laptop: The running servers and this project's clients.
        run_id: The run.
        log_folder: Where the run's logs go.
        rebuild: Build gold anew.
        outcomes: Step name -> what it counted; filled by the steps.

    """

    laptop: Laptop
    run_id: str
    log_folder: Path
    rebuild: bool = False
    outcomes: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RunStep:
    """One step: its name in records and flags, its title for people, and what it does."""

    name: str
    title: str
    action: Callable[[RunContext, StepTalk], Any]


def _catch_up(context: RunContext, talk: StepTalk) -> dict[str, Any]:
    outcome = catch_up_bronze(context.laptop, talk)
    talk.result = f"{outcome['rows_seen']:,} rows and changes read so far, at {outcome['position']}"
    return outcome


def _crawl(context: RunContext, talk: StepTalk) -> dict[str, Any]:
    report = context.laptop.crawl()
    if report.faults:
        raise DataError(
            "the crawler could not bring the catalogue to what bronze holds:\n"
            + "\n".join(f"  {f}" for f in report.faults),
            hint="bronze stays as it is; reload the table whose type changed: shoplake reload TABLE",
            faults=report.faults,
        )
    outcome = {
        "tables": len(report.tables),
        "new_files": sum(table.new_files for table in report.tables),
        "created": report.of(Outcome.CREATED),
        "updated": report.of(Outcome.UPDATED),
    }
    talk.result = f"{outcome['tables']} tables, {outcome['new_files']:,} new files"
    return outcome


def _job(context: RunContext, name: str, talk: StepTalk, **arguments: str) -> Mapping[str, Any]:
    laptop, names = context.laptop, context.laptop.names
    config = laptop.workspace.project.config
    job = SparkJob(
        name=name,
        arguments={
            "project": laptop.project_url(),
            "environment": config.environment,
            "account": names.account,
            "region": names.region,
            "run_id": context.run_id,
            **arguments,
        },
        summary_bucket=names.artifacts_bucket,
        summary_key=f"runs/{context.run_id}/{name}.json",
        log_path=context.log_folder / f"{name}.log",
    )
    talk.note("starting Spark")
    return run_spark_job(
        job,
        environment=job_environment(
            laptop.environment,
            object_store=laptop.object_store,
            control=laptop.control,
            masking_key_hex=laptop.masking_key.secret.hex(),
        ),
        read_summary=laptop.read_object_text,
        watch=lambda log: talk.note(_last_progress(log)),
    )


def _last_progress(log: Path) -> str:
    """The job's own last progress line: `progress: ...`."""
    lines = [line for line in log.read_text("utf-8", "replace").splitlines() if line.startswith("progress: ")]
    return lines[-1].removeprefix("progress: ") if lines else "starting Spark"


def _sum(summary: Mapping[str, Any], counter: str) -> int:
    return sum(int(entry.get(counter, 0)) for entry in summary["tables"].values())


def _silver(context: RunContext, talk: StepTalk) -> dict[str, Any]:
    summary = dict(_job(context, "bronze_to_silver", talk))
    talk.result = (
        f"{_sum(summary, 'read'):,} changes read: {_sum(summary, 'inserted'):,} inserted, {_sum(summary, 'updated'):,} updated, "
        f"{_sum(summary, 'deleted'):,} deleted, {_sum(summary, 'quarantined'):,} quarantined"
    )
    return summary


def _gold(context: RunContext, talk: StepTalk) -> dict[str, Any]:
    arguments = {
        "silver_summary": f"s3://{context.laptop.names.artifacts_bucket}/runs/{context.run_id}/bronze_to_silver.json"
    }
    if context.rebuild:
        arguments["rebuild"] = "true"
    summary = dict(_job(context, "silver_to_gold", talk, **arguments))
    talk.result = (
        f"{len(summary['tables'])} models: {_sum(summary, 'inserted'):,} rows inserted, {_sum(summary, 'updated'):,} updated, "
        f"{_sum(summary, 'deleted'):,} deleted"
    )
    return summary


def _warehouse(context: RunContext, talk: StepTalk) -> dict[str, Any]:
    outcome = load_warehouse(context.laptop, run_id=context.run_id, on_progress=talk.note)
    talk.result = f"{outcome['batches']} batches, {outcome['rows']:,} rows copied into {len(outcome['tables'])} tables"
    return outcome


def _reconcile(context: RunContext, talk: StepTalk) -> dict[str, Any]:
    report = reconcile_now(context.laptop, talk)
    document = report.as_json()
    context.outcomes["reconcile"] = document
    wrong = [table["table"] for table in document["tables"] if not table["agree"]]
    if wrong:
        talk.result = f"{', '.join(wrong)} disagree"
        raise DisagreementError(
            f"the layers disagree on {', '.join(wrong)}:\n{_findings(document)}",
            hint="shoplake reconcile shows both numbers; shoplake reload TABLE mends what a lost change left behind",
            tables=wrong,
        )
    talk.result = f"{len(document['tables'])} tables agree at {document['cut']['position']}"
    return document


def _findings(document: Mapping[str, Any]) -> str:
    """The first findings of each table, one line each."""
    lines = []
    for table in document["tables"]:
        lines += [f"  {table['table']}: {finding_text(finding)}" for finding in table["findings"][:3]]
    return "\n".join(lines)


RUN_STEPS: tuple[RunStep, ...] = (
    RunStep("catch_up", "MySQL -> bronze", _catch_up),
    RunStep("crawl", "bronze -> catalogue", _crawl),
    RunStep("silver", "bronze -> silver", _silver),
    RunStep("gold", "silver -> gold", _gold),
    RunStep("warehouse", "gold -> warehouse", _warehouse),
    RunStep("reconcile", "all layers agree", _reconcile),
)
