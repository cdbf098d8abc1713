"""The app with additional routes for the tests, which run in the container."""

import asyncio
import logging
import os
import time
from collections.abc import AsyncIterator
from typing import Annotated
from unittest import mock

from fastapi import APIRouter, Request
from fastapi.responses import Response, StreamingResponse
from pydantic import BaseModel, ConfigDict, Field
from starlette.routing import Match

from app.main import app

router = APIRouter()


class Message(BaseModel):
    """A body to validate."""

    model_config = ConfigDict(extra="forbid")

    text: Annotated[str, Field(min_length=1)]


@router.post("/echo")
async def echo(message: Message) -> Message:
    """Return the body."""
    return message


@router.get("/large")
async def large() -> Response:
    """Return 500 KB."""
    return Response(b"a" * 500_000)


@router.get("/slow")
async def slow(seconds: float) -> str:
    """Log that the request has begun, and respond after this time."""
    logging.getLogger("app").info("slow has begun")
    await asyncio.sleep(seconds)
    return "done"


@router.get("/stream")
async def stream() -> StreamingResponse:
    """Stream a line every 0.1 s without end."""

    async def lines() -> AsyncIterator[bytes]:
        while True:
            yield b"line\n"
            await asyncio.sleep(0.1)

    return StreamingResponse(lines(), media_type="text/plain")


@router.get("/block")
async def block(seconds: float) -> str:
    """Block the event loop for this time, which no route should do."""
    time.sleep(seconds)  # noqa: ASYNC251 -- on purpose
    return "done"


@router.get("/seen")
async def seen(request: Request) -> dict[str, str | None]:
    """Return the client and the URL, as the service sees them."""
    return {"client": request.client.host if request.client else None, "url": str(request.url)}


@router.get("/process")
async def process() -> int:
    """Return the id of the process."""
    return os.getpid()


@router.get("/clock")
async def clock(seconds: float) -> str:
    """Make Python's clock jump by this time. The monotonic clock does not change."""
    now = time.time

    def jumped() -> float:
        return now() + seconds

    mock.patch.object(time, "time", jumped).start()
    return "done"


# Remove routes that match every path, because the tests also request unknown paths.
UNKNOWN = {"type": "http", "method": "GET", "path": "/unknown/path", "root_path": "", "headers": []}
app.router.routes[:] = [route for route in app.router.routes if route.matches(UNKNOWN)[0] is Match.NONE]
# At the front, because a route of the service may match the same path. Not include_router, which would add the
# service's own dependencies, such as a login.
app.router.routes[:0] = router.routes
