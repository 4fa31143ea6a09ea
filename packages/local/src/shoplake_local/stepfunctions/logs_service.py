"""CloudWatch Logs: moto's, filled with what executions did before anybody looks."""

from collections.abc import Callable

from shoplake_local.moto_services.backends import MotoBackends
from shoplake_local.moto_services.service import MotoService
from shoplake_local.protocols.answers import HttpAnswer
from shoplake_local.protocols.requests import HttpRequest, ParsedRequest

__all__ = ["LogsService"]

_LOOKS = frozenset({"DescribeLogStreams", "FilterLogEvents", "GetLogEvents", "StartQuery"})


class LogsService(MotoService):
    """`logs`; `deliver` is set when there are machines whose executions may be logged."""

    def __init__(self, backends: MotoBackends) -> None:
        super().__init__("logs", backends)
        self.deliver: Callable[[], None] = lambda: None

    def answer(self, request: HttpRequest, parsed: ParsedRequest) -> HttpAnswer:
        """Moto's answer, of logs that are complete up to now."""
        if parsed.operation.name in _LOOKS:
            self.deliver()
        return super().answer(request, parsed)
