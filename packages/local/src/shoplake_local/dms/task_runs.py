"""What a task does over time: started, followed, stopped, found again, each in a thread of its own."""

import json
import threading
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from shoplake_core.errors import ShoplakeError

from shoplake_local.dms.endpoint_access_aws import EndpointAccess, NotReachedError
from shoplake_local.dms.registry import Kind, Registry
from shoplake_local.dms.replicator_process import ReplicatorProcess
from shoplake_local.service import ServiceError

__all__ = ["TaskRuns"]

_KIND = Kind.TASK
_ACTIVE = frozenset({"starting", "running", "stopping"})
_POLL_SECONDS = 0.2
_FATAL = "Stop Reason FATAL_ERROR Error Level FATAL"
_NORMAL = "Stop Reason NORMAL"
_LONGEST_MESSAGE = 4000
# settings of the endpoint that are AWS's own: the replicator is told in other ways, or the object store does it
_NOT_TOLD = frozenset(
    {"ServiceAccessRoleArn", "EncryptionMode", "ServerSideEncryptionKmsKeyId", "ExpectedBucketOwner", "CdcPath"}
)


class TaskRuns:
    """Replicators of tasks. They outlive the front; one that runs is found again by its pid.

    Args:
        registry: The resources.
        access: How endpoints are reached.
        folder: Replicators' folders lie below it.

    """

    def __init__(self, registry: Registry, access: EndpointAccess, folder: Path) -> None:
        self._registry = registry
        self._access = access
        self._folder = folder
        self._closing = threading.Event()
        self._followers: list[threading.Thread] = []
        for task in registry.all(_KIND):
            if task["Status"] in _ACTIVE:
                self._find_again(task)

    def process(self, task_arn: str) -> ReplicatorProcess:
        """The replicator of that task; it need not have been started."""
        return ReplicatorProcess(self._folder / task_arn.rpartition(":")[2], clock=self._registry.clock)

    def start(self, task: Mapping[str, Any]) -> None:
        """Start the replicator of a task that is "starting"."""
        self._spawn(task[_KIND.arn], launch=True)

    def close(self) -> None:
        """Stop following. Replicators go on."""
        self._closing.set()
        for thread in list(self._followers):
            thread.join()

    def _find_again(self, task: Mapping[str, Any]) -> None:
        arn = task[_KIND.arn]
        process = self.process(arn)
        if task["Status"] == "stopping":
            self._spawn(arn, launch=False)
        elif process.died:
            self._change(arn, {"Status": "failed", "LastFailureMessage": process.failure_text(), "StopReason": _FATAL})
        elif process.pid is not None and process.object_store_url == self._access.object_store.url:
            self._spawn(arn, launch=False)
        else:  # the laptop was shut, of which a task on AWS would not know
            self._change(arn, {"Status": "starting"})
            self._spawn(arn, launch=True)

    def _spawn(self, arn: str, *, launch: bool) -> None:
        thread = threading.Thread(target=self._run, args=(arn, launch), name=f"task {arn[-8:]}", daemon=True)
        self._followers = [other for other in self._followers if other.is_alive()] + [thread]
        thread.start()

    def _run(self, arn: str, launch: bool) -> None:
        try:
            if launch:
                self._launch(arn)
            self._follow(arn)
        except (NotReachedError, ServiceError, ShoplakeError) as error:
            self._failed(arn, str(error))
        except BaseException as error:
            self._failed(arn, f"the local AWS failed: {type(error).__name__}: {error}")
            raise

    def _launch(self, arn: str) -> None:
        task = self._registry.get(_KIND, arn)
        source = self._registry.get(Kind.ENDPOINT, task["SourceEndpointArn"])
        target = self._registry.get(Kind.ENDPOINT, task["TargetEndpointArn"])
        login = self._access.source_login(source)  # read anew at each start: secrets are rotated
        key_id, secret = self._access.target_keys(target)
        process = self.process(arn)
        process.end()
        if task.get("_ReloadAll"):
            process.ask_reload()
            self._change(arn, {"_ReloadAll": False})
        settings = {name: value for name, value in target["S3Settings"].items() if name not in _NOT_TOLD}
        process.start(
            source=login,
            table_mappings=json.loads(task["TableMappings"]),
            s3_settings=settings,
            object_store=replace(self._access.object_store, access_key_id=key_id, secret_access_key=secret),
        )

    def _follow(self, arn: str) -> None:
        process = self.process(arn)
        while not self._closing.is_set():
            task = self._registry.find(_KIND, arn)
            if task is None:
                return
            if task["Status"] == "stopping":
                process.end()
                self._change(arn, {"Status": "stopped", "StopReason": _NORMAL, "_StoppedAt": self._now()})
                return
            pid = process.pid
            if pid is None:
                if not self._closing.wait(_POLL_SECONDS):  # its end may be that of everything
                    self._failed(arn, process.failure_text())
                return
            if task["Status"] == "starting" and process.report().pid == pid:
                self._change(arn, {"Status": "running"}, only_from="starting")
            self._closing.wait(_POLL_SECONDS)

    def _failed(self, arn: str, message: str) -> None:
        message = message[:_LONGEST_MESSAGE]
        changes = {"Status": "failed", "LastFailureMessage": message, "StopReason": _FATAL, "_StoppedAt": self._now()}
        self._change(arn, changes)

    def _now(self) -> float:
        return self._registry.clock.now().timestamp()

    def _change(self, arn: str, changes: Mapping[str, Any], *, only_from: str = "") -> None:
        with self._registry.transaction():
            task = self._registry.find(_KIND, arn)
            if task is not None and (not only_from or task["Status"] == only_from):
                self._registry.put(_KIND, {**task, **changes})
