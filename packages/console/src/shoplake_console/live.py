"""Newer main parts of a page as they come, by server-sent events."""

import json
from collections.abc import AsyncIterator, Callable

import anyio
from shoplake_core.errors import ShoplakeError
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from shoplake_console.markup import error_main

__all__ = ["live_answer"]


def live_answer(request: Request, look: Callable[[], str], *, every_seconds: float) -> Response:
    """Main parts as they change, until the reader leaves. Each look runs in a thread of its own.

    Args:
        request: Whose.
        look: The main part as it is now.
        every_seconds: How long after one look the next is taken.

    """

    async def parts() -> AsyncIterator[str]:
        shown = ""
        while not await request.is_disconnected():
            try:
                main = await anyio.to_thread.run_sync(look)
            except ShoplakeError as error:
                main = error_main(error.message, error.hint)
            if main != shown:
                shown = main
                yield f"event: main\ndata: {json.dumps(main)}\n\n"
            await anyio.sleep(every_seconds)

    return StreamingResponse(parts(), media_type="text/event-stream")
