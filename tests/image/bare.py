"""A FastAPI app with one route and nothing else, to compare the app's speed with."""

from fastapi import FastAPI

app = FastAPI()


@app.get("/healthz")
async def alive() -> dict[str, str]:
    """Return the same as the app's own route."""
    return {"status": "ok"}
