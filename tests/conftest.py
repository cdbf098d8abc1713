"""Fixtures for all tests."""

from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from app.main import create_app
from app.settings import Settings


@pytest.fixture
def project() -> Path:
    """The project's folder."""
    return Path(__file__).parent.parent


@pytest.fixture
def client() -> TestClient:
    """A client of the app with default settings."""
    return TestClient(create_app(Settings()))
