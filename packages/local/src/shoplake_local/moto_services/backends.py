"""moto in this process: requests in, answers out, every write in the journal before its answer leaves.

moto is imported at the first request that needs it, and then every journalled request is played again in its order;
the seed of its place makes the same ids as the first time.
"""

import importlib
import json
import logging
import os
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from shoplake_core.clock import Clock
from werkzeug.exceptions import HTTPException

from shoplake_local.models import service_model
from shoplake_local.moto_services.catalogue import MOTO_SERVICES, is_reading, is_written_down
from shoplake_local.moto_services.databases import place_databases
from shoplake_local.moto_services.determinism import frozen_at, lead_moto, moto_now, seed_moto
from shoplake_local.moto_services.journal import Journal, JournalEntry
from shoplake_local.moto_services.rotated_secrets import begin_rotation, follow_current
from shoplake_local.protocols.answers import HttpAnswer
from shoplake_local.protocols.requests import HttpRequest
from shoplake_local.service import ServiceError, UnsupportedOperationError

__all__ = ["MotoBackends"]

_ERROR = 400
# Headers that change what moto does; the others (who signed, when) are the front's business.
_KEPT_HEADERS = ("host", "content-type", "x-amz-target", "x-amzn-query-mode")
# moto makes some things at a service's first use (default VPC, managed policies): always in this order, before all else
_FIRST_USE_ORDER = (
    "iam",
    "ec2",
    "kms",
    "rds",
    "secretsmanager",
    "sqs",
    "sns",
    "ssm",
    "scheduler",
    "cloudwatch",
    "logs",
)
_MAXIMUM_WAIT_SECONDS = 20
_POLL_SECONDS = 0.1

_log = logging.getLogger(__name__)


class MotoBackends:
    """moto's services of one account and region.

    Args:
        journal_path: Where writes are kept.
        account: The account of every caller.
        region: The one region.
        clock: moto's time, too.

    """

    def __init__(self, journal_path: Path, *, account: str, region: str, clock: Clock) -> None:
        self.account = account
        self.region = region
        self._clock = clock
        self._journal = Journal(journal_path)
        self._lock = threading.RLock()
        self._dispatchers: dict[str, Callable[..., Any]] = {}
        self.on_write: Callable[[str, str, dict[str, Any]], None] = lambda *_: None
        self.mysql: tuple[str, int] | None = None  # where the instances of RDS stand

    def answer(self, service: str, operation: str, *, request: HttpRequest, parameters: dict[str, Any]) -> HttpAnswer:
        """Moto's answer, a success or an error in the service's protocol.

        Raises:
            UnsupportedOperationError: moto has no handler for it, or none that would do here.
            ServiceError: The wait for a message is too long.

        """
        asked = self._for_moto(service, request)
        self._ready()
        if operation == "ReceiveMessage":
            return self._received(asked, parameters)
        with self._lock:
            if not is_written_down(operation):
                # a read may make what AWS has always had (a key of AWS's own): the same one after a restart, too
                seed_moto(self._journal.seed, asked.body if is_reading(operation) else os.urandom(16))
                return self._played(service, operation, asked)
            entry = JournalEntry(self._journal.next_sequence, service, operation, self._clock.now(), asked)
            answer = self._played_entry(entry)
            if answer.status < _ERROR:
                self._journal.append(entry)
                self.on_write(service, operation, parameters)
            return answer

    def backend(self, service: str) -> Any:
        """Moto's own object of that service, for reading. Hold no result of it: another thread may write."""
        self._ready()
        return self._backend(service)

    def log_group_made_at(self, name: str) -> str | None:
        """When the log group was made; None where there is none. Told without moto where nothing was ever logged."""
        if not self.has_written("logs"):
            return None
        group = self.backend("logs").groups.get(name)
        return None if group is None else str(group.creation_time)

    def write_log_events(self, group: str, stream: str, events: list[dict[str, Any]]) -> None:
        """Into a stream that is there afterwards; not in the journal: whoever writes them has them on disk."""
        with self._lock:
            logs = self.backend("logs")
            if group not in logs.groups:
                return
            if stream not in logs.groups[group].streams:
                logs.create_log_stream(group, stream)
            logs.put_log_events(group, stream, events)

    def has_written(self, service: str, operation: str = "") -> bool:
        """Whether anything (or that operation) was ever written to that service.

        Told without moto, which takes seconds to import.

        """
        with self._lock:
            return self._journal.has(service, operation)

    def close(self) -> None:
        """Close the journal."""
        with self._lock:
            self._journal.close()

    def _received(self, asked: HttpRequest, parameters: dict[str, Any]) -> HttpAnswer:
        # moto would wait inside, and all others with it: it is asked again and again instead
        if "WaitTimeSeconds" in parameters:
            seconds = parameters["WaitTimeSeconds"]
        else:
            name = parameters["QueueUrl"].rpartition("/")[2]
            queue = self.backend("sqs").queues.get(name)
            seconds = 0 if queue is None else queue.receive_message_wait_time_seconds
        if not 0 <= seconds <= _MAXIMUM_WAIT_SECONDS:
            message = f"WaitTimeSeconds is {seconds}; it must be 0 to {_MAXIMUM_WAIT_SECONDS}"
            raise ServiceError("InvalidParameterValue", message)
        until = self._clock.monotonic_seconds() + seconds
        at_once = replace(asked, body=json.dumps(json.loads(asked.body) | {"WaitTimeSeconds": 0}).encode())
        while True:
            with self._lock:
                seed_moto(self._journal.seed, os.urandom(16))
                answer = self._played("sqs", "ReceiveMessage", at_once)
            if answer.status >= _ERROR or json.loads(answer.body or b"{}").get("Messages"):
                return answer
            if self._clock.monotonic_seconds() >= until:
                return answer
            self._clock.sleep(_POLL_SECONDS)

    def _ready(self) -> None:
        with self._lock:
            if self._dispatchers:
                return
            os.environ.update({"MOTO_ACCOUNT_ID": self.account, "MOTO_IAM_LOAD_MANAGED_POLICIES": "true"})
            lead_moto(self._clock)
            dispatchers = {service: _dispatcher(service) for service in MOTO_SERVICES}
            for service in _FIRST_USE_ORDER:
                seed_moto(self._journal.seed, "first use of", service)
                self._backend(service)
            self._dispatchers = dispatchers
            if self.mysql is not None:
                place_databases(self._backend("rds"), host=self.mysql[0], port=self.mysql[1])
            for entry in self._journal.entries():
                answer = self._played_entry(entry)
                if answer.status >= _ERROR:
                    _log.error(
                        "%s:%s, written %s, cannot be played again: %s",
                        entry.service,
                        entry.operation,
                        entry.written_at,
                        answer.body.decode("utf-8", "replace"),
                    )

    def _backend(self, service: str) -> Any:
        backends = importlib.import_module("moto.backends").get_backend(service)[self.account]
        return backends["aws"] if service in {"iam", "sts"} else backends[self.region]

    def _played_entry(self, entry: JournalEntry) -> HttpAnswer:
        seed_moto(self._journal.seed, entry.sequence)
        with frozen_at(entry.written_at):
            return self._played(entry.service, entry.operation, entry.request)

    def _played(self, service: str, operation: str, request: HttpRequest) -> HttpAnswer:
        if operation == "RotateSecret":
            return begin_rotation(self._backend(service), request.body, now=moto_now())
        moto_request = request.for_moto()
        try:
            status, headers, body = self._dispatchers[service](moto_request, moto_request.raw_url, moto_request.headers)
        except NotImplementedError:
            raise UnsupportedOperationError(f'operation "{operation}" of {service}') from None
        except HTTPException as error:
            response = error.get_response()
            status, headers, body = response.status_code, dict(response.headers), response.get_data()
        data = body.encode() if isinstance(body, str) else bytes(body or b"")
        if operation == "UpdateSecretVersionStage" and int(status) < _ERROR:
            follow_current(self._backend(service), request.body, now=moto_now())
        skipped = {"status", "content-length", "date", "server"}
        return HttpAnswer(
            int(status), data, {name: str(value) for name, value in headers.items() if name.lower() not in skipped}
        )

    def _for_moto(self, service: str, request: HttpRequest) -> HttpRequest:
        model = service_model(service)
        scope = f"LOCAL/20000101/{self.region}/{model.metadata.get('signingName', model.endpoint_prefix)}/aws4_request"
        headers = {name: request.headers[name] for name in _KEPT_HEADERS if name in request.headers}
        # moto takes region and service from the scope
        headers["authorization"] = f"AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=0"
        return HttpRequest(request.method, request.raw_path, request.query, headers, request.body)


def _dispatcher(service: str) -> Callable[..., Any]:
    urls = importlib.import_module(f"moto.{service}.urls")
    for handler in urls.url_paths.values():
        if handler.__name__ == "dispatch":
            return handler  # type: ignore[no-any-return]
    raise RuntimeError(f"moto's {service} has no dispatcher")
