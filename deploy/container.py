"""The container engine's command, the options that lock a production container down, and the command it runs."""

import os

DOCKER = os.environ.get("DOCKER", "docker")
# The same as `make run`.
LOCKED_DOWN = (
    "--read-only",
    "--cap-drop=ALL",
    "--security-opt=no-new-privileges",
    "--memory=256m",
    "--memory-swap=256m",
    "--pids-limit=64",
)


def serving(app: str = "app.main:app") -> tuple[str, ...]:
    """Return the command of the image, or the same command for another app."""
    return "uvicorn", app, "--host", "0.0.0.0", "--port", "8000"  # noqa: S104 -- in a container
