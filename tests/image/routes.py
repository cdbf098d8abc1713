"""The app with routes that it has no use for itself: they run in the container, for the tests of the image."""

import asyncio
import logging
import os
import time
from collections.abc import AsyncIterator
from typing import Annotated
from unittest import mock

from fastapi import Request
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, ConfigDict, Field

from app.main import app


class Message(BaseModel):
    """A body that has to have a certain form."""

    model_config = ConfigDict(extra="forbid")

    text: Annotated[str, Field(min_length=1)]


@app.post("/echo")
async def echo(message: Message) -> Message:
    """Answer what was sent."""
    return message


@app.get("/large")
async def large() -> str:
    """Answer 16 KB."""
    return "a" * 16 * 1024


@app.get("/slow")
async def slow(seconds: float) -> str:
    """Write that it is begun, and answer after so long."""
    logging.getLogger("app").info("slow has begun")
    await asyncio.sleep(seconds)
    return "done"


@app.get("/stream")
async def stream() -> StreamingResponse:
    """Answer without an end, a line every tenth of a second."""

    async def lines() -> AsyncIterator[bytes]:
        while True:
            yield b"line\n"
            await asyncio.sleep(0.1)

    return StreamingResponse(lines(), media_type="text/plain")


@app.get("/block")
async def block(seconds: float) -> str:
    """Do what no route may do: hold the event loop for so long."""
    time.sleep(seconds)  # noqa: ASYNC251 -- the point
    return "done"


@app.get("/seen")
async def seen(request: Request) -> dict[str, str | None]:
    """Answer who asks, and for what, as the service sees it."""
    return {"client": request.client.host if request.client else None, "url": str(request.url)}


@app.get("/process")
async def process() -> int:
    """Answer which process answers."""
    return os.getpid()


@app.get("/clock")
async def clock(seconds: float) -> str:
    """Have the clock jump by so much, as far as Python's modules read it; the monotonic clock never jumps."""
    now = time.time

    def jumped() -> float:
        return now() + seconds

    mock.patch.object(time, "time", jumped).start()
    return "done"
