"""The project's folder and its Dockerfile."""

import re
from pathlib import Path

PROJECT = Path(__file__).parents[2]


def any_version(dockerfile: str) -> str:
    """Return a Dockerfile without its Python version and digest, which change while its copies stay."""
    unpinned = re.sub(r"^ARG PYTHON_IMAGE=.*@sha256:.*\n", "", dockerfile, flags=re.MULTILINE)
    return re.sub(r"^ARG PYTHON_VERSION=.*$", "ARG PYTHON_VERSION=", unpinned, flags=re.MULTILINE)
