"""Health, for whatever runs the container: is it alive, may it have requests."""

from typing import Literal

from fastapi import APIRouter
from pydantic import BaseModel

from app import errors

router = APIRouter(tags=["health"], responses=errors.documented("default"))


class Health(BaseModel):
    """A state that is fine; any other is told by the status code."""

    status: Literal["ok"] = "ok"


OK = Health()


@router.get("/healthz")
async def alive() -> Health:
    """Whether the process answers. Where it does not, restarting it helps."""
    return OK


@router.get("/readyz")
async def ready() -> Health:
    """Whether requests can be served. A service that needs a database asks it here; a restart would not help."""
    return OK
