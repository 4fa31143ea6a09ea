"""What the Glue service needs beside its catalogue to run jobs and crawlers: files, endpoints and processes."""

from collections.abc import Mapping
from pathlib import Path

from shoplake_core.clock import Clock

from shoplake_local.jobs.connections import ConnectionOperations
from shoplake_local.jobs.crawlers import CrawlerOperations
from shoplake_local.jobs.documents import Documents
from shoplake_local.jobs.job_process import Endpoints, JobProcesses
from shoplake_local.jobs.job_runs import JobRuns
from shoplake_local.jobs.operations import JobOperations, Operation, TagOperations

__all__ = ["GlueRuntime"]


class GlueRuntime:
    """Jobs, crawlers and connections of one account and region.

    Args:
        folder: Everything lies below it.
        endpoints: Where jobs and crawlers find AWS.
        inherited: Variables of this machine that jobs get (JAVA_HOME).
        clock: Time.

    """

    def __init__(self, folder: Path, endpoints: Endpoints, *, inherited: Mapping[str, str], clock: Clock) -> None:
        self._documents = Documents(folder / "jobs.sqlite", "glue")
        prefix = f"arn:aws:glue:{endpoints.front.region}:{endpoints.account}:"
        kinds = {"job": "Job", "crawler": "Crawler", "connection": "Connection"}
        tags = TagOperations(self._documents, prefix, kinds)
        self._runs = JobRuns(
            self._documents, JobProcesses(folder, endpoints, inherited=inherited, clock=clock), clock=clock
        )
        self._crawlers = CrawlerOperations(self._documents, tags, endpoints, clock=clock)
        connections = ConnectionOperations(self._documents, tags, endpoints.account, clock)
        jobs = JobOperations(self._documents, self._runs, tags, clock)
        self.operations: Mapping[str, Operation] = {
            **tags.operations(),
            **jobs.operations(),
            **self._crawlers.operations(),
            **connections.operations(),
        }

    def close(self) -> None:
        """End what runs and close the file."""
        self._runs.close()
        self._crawlers.close()
        self._documents.close()
