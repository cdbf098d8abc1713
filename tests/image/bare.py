"""A FastAPI app with one route and nothing else, which runs in the container: what the app's own speed is beside."""

from fastapi import FastAPI

app = FastAPI()


@app.get("/healthz")
async def alive() -> dict[str, str]:
    """What the app's own route answers."""
    return {"status": "ok"}
