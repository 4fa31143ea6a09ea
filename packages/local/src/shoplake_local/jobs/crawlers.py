"""Glue's crawlers over bronze: stored, started, and done by our own crawl in a thread."""

import threading
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from shoplake_core.clock import Clock
from shoplake_core.endpoints import AwsEndpoint
from shoplake_core.errors import ShoplakeError

from shoplake_local.crawler import crawl
from shoplake_local.glue.requests import already_exists, entity_not_found, invalid_input, moment
from shoplake_local.jobs.documents import Documents
from shoplake_local.jobs.job_process import Endpoints
from shoplake_local.jobs.operations import Operation, TagOperations
from shoplake_local.service import ServiceError, UnsupportedOperationError, refuse_unsupported

__all__ = ["CrawlerOperations"]

_KIND = "Crawler"
# what only says how the tables of a folder are told apart is fixed here: one table for each <schema>/<table>/
_SUPPORTED = frozenset(
    {"Name", "Role", "DatabaseName", "Description", "Targets", "SchemaChangePolicy", "RecrawlPolicy", "Configuration"}
)
_LONGEST_MESSAGE = 2048
_LOST = "the local AWS was stopped while the crawl was under way; start it again"


class CrawlerOperations:
    """Crawlers and their last crawl."""

    def __init__(self, documents: Documents, tags: TagOperations, endpoints: Endpoints, *, clock: Clock) -> None:
        self._documents = documents
        self._tags = tags
        self._endpoints = endpoints
        self._clock = clock
        self._crawls: list[threading.Thread] = []
        for crawler in documents.all(_KIND):
            if crawler["State"] != "READY":
                self._ended(crawler["Name"], "FAILED", _LOST)

    def operations(self) -> dict[str, Operation]:
        """By their names on AWS."""
        return {
            "CreateCrawler": self._create,
            "UpdateCrawler": self._update,
            "GetCrawler": self._get,
            "DeleteCrawler": self._delete,
            "StartCrawler": self._start,
        }

    def close(self) -> None:
        """Wait for the crawls under way: they read footers only, and end by themselves."""
        for thread in list(self._crawls):
            thread.join()

    def _create(self, parameters: dict[str, Any]) -> dict[str, Any]:
        refuse_unsupported("Glue's CreateCrawler", parameters, _SUPPORTED | {"Tags"})
        given = dict(parameters)
        tags, name, now = given.pop("Tags", {}), given["Name"], self._clock.now()
        _check(given)
        with self._documents.transaction():
            if self._documents.get(_KIND, name) is not None:
                raise already_exists(f"Crawler with name {name} already exists.")
            state = {"State": "READY", "CreationTime": now, "LastUpdated": now, "Version": 1, "CrawlElapsedTime": 0}
            self._documents.put(_KIND, name, given | state)
            self._tags.put(self._tags.arn("crawler", name), tags)
        return {}

    def _update(self, parameters: dict[str, Any]) -> dict[str, Any]:
        refuse_unsupported("Glue's UpdateCrawler", parameters, _SUPPORTED)
        with self._documents.transaction():
            earlier = self._idle(parameters["Name"])
            crawler = earlier | parameters | {"LastUpdated": self._clock.now(), "Version": earlier["Version"] + 1}
            _check(crawler)
            self._documents.put(_KIND, parameters["Name"], crawler)
        return {}

    def _get(self, parameters: dict[str, Any]) -> dict[str, Any]:
        return {"Crawler": self._crawler(parameters["Name"])}

    def _delete(self, parameters: dict[str, Any]) -> dict[str, Any]:
        with self._documents.transaction():
            self._idle(parameters["Name"])
            self._documents.delete(_KIND, parameters["Name"])
            self._tags.forget(self._tags.arn("crawler", parameters["Name"]))
        return {}

    def _start(self, parameters: dict[str, Any]) -> dict[str, Any]:
        name = parameters["Name"]
        with self._documents.transaction():
            crawler = self._idle(name)
            crawler = crawler | {"State": "RUNNING"}
            self._documents.put(_KIND, name, crawler)
            self._documents.put("crawl", name, {"started_at": self._clock.now().timestamp()})
        thread = threading.Thread(target=self._crawl, args=(crawler,), name=f"crawl {name}", daemon=True)
        self._crawls = [other for other in self._crawls if other.is_alive()] + [thread]
        thread.start()
        return {}

    def _crawl(self, crawler: Mapping[str, Any]) -> None:
        front = self._endpoints.front
        try:
            key_id, secret = self._endpoints.credentials(crawler["Role"])
            report = crawl(
                object_store=self._endpoints.object_store,
                aws=AwsEndpoint(url=front.url, region=front.region, access_key_id=key_id, secret_access_key=secret),
                bucket=_bucket(crawler),
                database=crawler["DatabaseName"],
            )
        except (ShoplakeError, ServiceError) as error:
            self._ended(crawler["Name"], "FAILED", error.message)
        except BaseException as error:
            self._ended(crawler["Name"], "FAILED", f"the local AWS failed: {type(error).__name__}: {error}")
            raise
        else:
            faults = "; ".join(report.faults)
            self._ended(crawler["Name"], "FAILED" if faults else "SUCCEEDED", faults)

    def _ended(self, name: str, status: str, message: str) -> None:
        with self._documents.transaction():
            crawler, begun = self._documents.get(_KIND, name), self._documents.get("crawl", name)
            if crawler is None or begun is None:
                return
            last: dict[str, Any] = {
                "Status": status,
                "StartTime": moment(begun["started_at"]),
                "LogGroup": "/aws-glue/crawlers",
            }
            if message:
                last["ErrorMessage"] = message[:_LONGEST_MESSAGE]
            self._documents.put(_KIND, name, crawler | {"State": "READY", "LastCrawl": last | {"LogStream": name}})

    def _crawler(self, name: str) -> dict[str, Any]:
        crawler = self._documents.get(_KIND, name)
        if crawler is None:
            raise entity_not_found(f"Crawler with name {name} not found.")
        return crawler

    def _idle(self, name: str) -> dict[str, Any]:
        crawler = self._crawler(name)
        if crawler["State"] != "READY":
            raise ServiceError("CrawlerRunningException", f"Crawler with name {name} has already started.")
        return crawler


def _bucket(crawler: Mapping[str, Any]) -> str:
    return str(urlsplit(crawler["Targets"]["S3Targets"][0]["Path"]).netloc)


def _check(crawler: Mapping[str, Any]) -> None:
    targets = crawler["Targets"]
    for name in targets:
        if name != "S3Targets":
            raise UnsupportedOperationError(f'"Targets.{name}" of a Glue crawler')
    paths = targets.get("S3Targets", [])
    if len(paths) != 1:
        raise UnsupportedOperationError("a Glue crawler of several S3 targets, or of none")
    extra = sorted(set(paths[0]) - {"Path"})
    if extra:
        raise UnsupportedOperationError(f'"Targets.S3Targets.{extra[0]}" of a Glue crawler')
    parts = urlsplit(paths[0].get("Path", ""))
    if parts.scheme != "s3" or not parts.netloc:
        raise invalid_input("The path of an S3 target must be an s3 URL.")
    if parts.path.strip("/"):
        raise UnsupportedOperationError("a Glue crawler of a folder: the local one reads a whole bucket")
    if not crawler.get("DatabaseName"):
        raise invalid_input("DatabaseName must be given.")
