"""Fixtures for the tests that need a container engine."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.engine import registry as registry_program
from tests.support.container import LABEL, docker


@pytest.fixture(scope="module")
def registry() -> Iterator[str]:
    """Start a registry, and return its address."""
    # Run it in the tested image, which contains Python.
    code = Path(registry_program.__file__).read_text()
    options = ("--detach", f"--label={LABEL}", f"--publish=127.0.0.1::{registry_program.PORT}")
    container = docker("run", *options, os.environ["IMAGE"], "python", "-c", code).strip()
    try:
        yield docker("port", container, str(registry_program.PORT)).splitlines()[0]
    finally:
        docker("rm", "--force", "--volumes", container)
