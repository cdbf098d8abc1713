"""One route, which answers the same in every style of image."""

from fastapi import FastAPI
from pydantic import BaseModel


class Health(BaseModel):
    """What tells that the service is alive."""

    status: str = "ok"


app = FastAPI()


@app.get("/healthz")
async def health() -> Health:
    """Alive."""
    return Health()
