"""How a production container is started: the engine, the options and the command."""

import os
import shlex
from pathlib import Path

DOCKER = os.environ.get("DOCKER", "docker")
LOCKED_DOWN = tuple(Path(__file__).with_name("options.txt").read_text().split())
# What the service needs outside the image, such as the network of a database.
RUN_OPTIONS = tuple(shlex.split(os.environ.get("RUN_OPTIONS", "")))


def serving(app: str = "app.main:app") -> tuple[str, ...]:
    """Return the command of the image, or the same command for another app."""
    return "uvicorn", app, "--host", "0.0.0.0", "--port", "8000"  # noqa: S104 -- in a container
