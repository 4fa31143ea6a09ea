"""The front as a process: listens on loopback until it is told to end."""

import logging
import signal
import threading
from types import FrameType

from shoplake_core.clock import SystemClock
from werkzeug.serving import WSGIRequestHandler, make_server

from shoplake_local.front_config import FrontConfig
from shoplake_local.services import made_front

__all__ = ["serve"]

_LOOPBACK = "127.0.0.1"


class _QuietHandler(WSGIRequestHandler):
    """Keeps connections open between requests and writes no line a request."""

    protocol_version = "HTTP/1.1"

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Nothing: a demo makes thousands of requests."""


def serve(config: FrontConfig) -> None:
    """Answer requests until SIGTERM or SIGINT, then finish the ones under way and close every service."""
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    front = made_front(config, clock=SystemClock())
    server = make_server(_LOOPBACK, config.port, front, threaded=True, request_handler=_QuietHandler)

    def stop(_signal: int, _frame: FrameType | None) -> None:
        # shutdown() waits for the loop that runs below this very frame: from another thread
        threading.Thread(target=server.shutdown, daemon=True).start()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    try:
        server.serve_forever()
    finally:
        server.server_close()
        front.close()
