"""The container engine's command, and the options that lock a production container down."""

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
