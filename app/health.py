"""The health endpoints: liveness and readiness, for the container's orchestrator."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Literal

from fastapi import APIRouter, HTTPException, Request
from pydantic import BaseModel

from app import errors

# A check returns why a part that requests need is not ready, or None.
Check = Callable[[], Awaitable[str | None]]
# Kubernetes and the image's own health check wait 3 s for a response.
CHECK_SECONDS = 2

router = APIRouter(tags=["health"], responses=errors.documented("default"))


class Health(BaseModel):
    """The healthy state. Any other state is an error response."""

    status: Literal["ok"] = "ok"


OK = Health()


@router.get("/healthz")
async def alive() -> Health:
    """Return ok if the process responds. If it does not, restart it."""
    return OK


@router.get("/readyz", responses=errors.documented(503))
async def ready(request: Request) -> Health:
    """Return ok if the service can serve requests.

    If not, the response is 503 with the reason. A restart would not help. A service that needs a database adds a check
    of it to `app.state.checks`.
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
