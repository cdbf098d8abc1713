"""The application: the one place where its parts are put together."""

import logging
import os

from fastapi import FastAPI
from fastapi.middleware import Middleware
from fastapi.responses import RedirectResponse

from app import errors
from app.middleware import BodyLimitMiddleware, RequestMiddleware
from app.routes import health, reviews, rules
from app.settings import Settings


def create_app(settings: Settings) -> FastAPI:
    """The application with these settings."""
    for name in ("app", "uvicorn"):
        logging.getLogger(name).setLevel(settings.log_level.upper())
    app = FastAPI(
        title="Dockerfile reviews",
        responses=errors.documented("default"),
        middleware=[
            Middleware(RequestMiddleware),
            Middleware(BodyLimitMiddleware, max_bytes=settings.max_body_bytes),
        ],
    )
    errors.install(app)
    for resource in (health, reviews, rules):
        app.include_router(resource.router)

    @app.get("/", include_in_schema=False)
    async def root() -> RedirectResponse:
        """To the page from which every route can be tried."""
        return RedirectResponse("docs")  # relative, for a proxy that serves the app under a prefix

    return app


app = create_app(Settings.from_environment(os.environ))
