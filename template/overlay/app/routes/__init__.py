"""The routes: one module for each resource, each with a `router`."""

from importlib import import_module
from pkgutil import iter_modules

from fastapi import APIRouter

# The name of the API in its description at /docs.
TITLE = "Service"
ROUTERS: list[APIRouter] = [import_module(f"{__name__}.{module.name}").router for module in iter_modules(__path__)]
