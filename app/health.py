"""Health, for whatever runs the container: whether it is alive, and whether it can serve requests."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Literal

from fastapi import APIRouter, HTTPException, Request
from pydantic import BaseModel

from app import errors

# Returns why a part that requests need is not ready, or None.
Check = Callable[[], Awaitable[str | None]]
# Kubernetes and the image's own health check wait 3 s for an answer.
CHECK_SECONDS = 2

router = APIRouter(tags=["health"], responses=errors.documented("default"))


class Health(BaseModel):
    """A state that is fine; any other is told by the status code."""

    status: Literal["ok"] = "ok"


OK = Health()


@router.get("/healthz")
async def alive() -> Health:
    """Whether the process answers. Where it does not, restarting it helps."""
    return OK


@router.get("/readyz", responses=errors.documented(503))
async def ready(request: Request) -> Health:
    """Return ok if requests can be served. If not, the answer is 503 with the reason; a restart would not help.

    A service that needs a database adds a check of it to `app.state.checks`.
    """
    checks: dict[str, Check] = request.app.state.checks
    reasons = await asyncio.gather(*(_reason(part, check) for part, check in checks.items()))
    if any(reasons):
        raise HTTPException(503, "; ".join(filter(None, reasons)), {"Retry-After": "5"})
    return OK


async def _reason(part: str, check: Check) -> str | None:
    try:
        async with asyncio.timeout(CHECK_SECONDS):
            reason = await check()
    except TimeoutError:
        reason = f"no answer within {CHECK_SECONDS} s"
    return reason and f"{part}: {reason}"
