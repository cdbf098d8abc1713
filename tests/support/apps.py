"""The app without the service's own routes, one of which may match every path."""

from unittest import mock

from fastapi import FastAPI

from app import routes
from app.main import create_app
from app.settings import Settings

DEFAULTS = Settings()


def without_routes(settings: Settings = DEFAULTS) -> FastAPI:
    """Return the app with these settings, without the routers in app/routes/."""
    with mock.patch.object(routes, "ROUTERS", []):
        return create_app(settings)
