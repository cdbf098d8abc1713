"""An app with one route, the same in every style."""

from fastapi import FastAPI
from pydantic import BaseModel


class Health(BaseModel):
    """The healthy state."""

    status: str = "ok"


app = FastAPI()


@app.get("/healthz")
async def health() -> Health:
    """Return ok."""
    return Health()
