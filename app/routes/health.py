"""Health, for whatever runs the container: is it alive, may it have requests."""

from collections.abc import Callable
from typing import Literal

from fastapi import APIRouter, HTTPException, Request
from pydantic import BaseModel

from app import errors

# `app.state.checks`: each part that requests need returns why it is not ready, or None.
Checks = dict[str, Callable[[], str | None]]

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
    checks: Checks = request.app.state.checks
    if reasons := [f"{part}: {reason}" for part, check in checks.items() if (reason := check())]:
        raise HTTPException(503, "; ".join(reasons), {"Retry-After": "5"})
    return OK
