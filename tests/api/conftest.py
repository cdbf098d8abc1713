"""Fixtures for the tests of the running image."""

import os
from collections.abc import Iterator

import pytest
import requests


@pytest.fixture(scope="session")
def url() -> str:
    """Return the URL of the service."""
    return os.environ["SERVICE_URL"].rstrip("/")


@pytest.fixture(scope="session")
def image() -> str:
    """Return the image of the service."""
    return os.environ["IMAGE"]


@pytest.fixture(scope="module")
def session() -> Iterator[requests.Session]:
    """Return a session for all requests of a file."""
    with requests.Session() as session:
        session.headers.clear()  # they would override the headers of a case
        yield session
