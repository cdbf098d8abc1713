"""The project's folder, its Dockerfile and its ignore files."""

import re
from pathlib import Path

PROJECT = Path(__file__).parents[2]
# The Python version of the Dockerfile, and another one.
(VERSION,) = re.findall(r"^ARG PYTHON_VERSION=(\S+)$", (PROJECT / "Dockerfile").read_text(), re.MULTILINE)
ANOTHER_VERSION = "3.12" if VERSION == "3.13" else "3.13"


def any_version(dockerfile: str) -> str:
    """Return a Dockerfile without its Python version, digest and license, which its copies do not follow."""
    unpinned = re.sub(r"^ARG PYTHON_IMAGE=.*@sha256:.*\n", "", dockerfile, flags=re.MULTILINE)
    return re.sub(r"^(ARG PYTHON_VERSION=|LABEL .*\.licenses=).*$", r"\1", unpinned, flags=re.MULTILINE)


def never_published(rules: str) -> str:
    """Return the block that both ignore files share, up to an empty line or the end."""
    (block,) = re.findall(r"^# Never published.*?(?=^$|\Z)", rules, flags=re.MULTILINE | re.DOTALL)
    return str(block)
