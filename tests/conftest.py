"""Fixtures for all tests."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from app.main import create_app
from app.settings import Settings
from tests.support.project import PROJECT


@pytest.fixture(scope="session")
def project() -> Path:
    """Return the folder of the project."""
    return PROJECT


@pytest.fixture(scope="session")
def client() -> Iterator[TestClient]:
    """Return a client of a running app with default settings."""
    with TestClient(create_app(Settings())) as client:
        yield client
