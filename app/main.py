"""The application, assembled from its parts."""

import logging
import os

from fastapi import FastAPI
from fastapi.middleware import Middleware

from app import errors, health, routes, swagger, telemetry
from app.middleware import BodyLimitMiddleware, FramingMiddleware, RequestMiddleware
from app.settings import Settings


def create_app(settings: Settings) -> FastAPI:
    """Return the application with these settings."""
    for name in ("app", "uvicorn"):
        logging.getLogger(name).setLevel(settings.log_level.upper())
    app = FastAPI(
        title=routes.TITLE,
        telemetry=telemetry.config(),
        # FastAPI's own pages load scripts from a CDN: app/swagger.py serves one without.
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,  # the redirect would go to the host that the client's Host header names
        responses=errors.documented("default"),
        # Not include_router: it doubles the cost of these requests, which arrive every few seconds.
        routes=health.router.routes,
        middleware=[
            Middleware(RequestMiddleware),
            Middleware(FramingMiddleware),
            Middleware(BodyLimitMiddleware, max_bytes=settings.max_body_bytes),
        ],
    )
    app.state.checks = {}
    errors.install(app)
    telemetry.install(app)
    # Before the routers, because one of their routes may match every path.
    if settings.docs:
        swagger.install(app)
    for router in routes.ROUTERS:
        app.include_router(router)
    return app


app = create_app(Settings.from_environment(os.environ))
