"""The project's folder, its Dockerfile and its ignore files."""

import re
from pathlib import Path

PROJECT = Path(__file__).parents[2]


def any_version(dockerfile: str) -> str:
    """Return a Dockerfile without its Python version and digest, which its copies do not follow."""
    unpinned = re.sub(r"^ARG PYTHON_IMAGE=.*@sha256:.*\n", "", dockerfile, flags=re.MULTILINE)
    return re.sub(r"^ARG PYTHON_VERSION=.*$", "ARG PYTHON_VERSION=", unpinned, flags=re.MULTILINE)


def never_published(rules: str) -> str:
    """Return the block that both ignore files share, up to an empty line or the end."""
    (block,) = re.findall(r"^# Never published.*?(?=^$|\Z)", rules, flags=re.MULTILINE | re.DOTALL)
    return str(block)
