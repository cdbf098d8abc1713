"""Fixtures for the tests of the running image."""

import os
from collections.abc import Iterator

import pytest
import requests


@pytest.fixture(scope="session")
def url() -> str:
    """Where the service is."""
    return os.environ["SERVICE_URL"].rstrip("/")


@pytest.fixture(scope="session")
def image() -> str:
    """The image that it was started from."""
    return os.environ["IMAGE"]


@pytest.fixture(scope="module")
def session() -> Iterator[requests.Session]:
    """A connection for all requests of a file."""
    with requests.Session() as session:
        session.headers.clear()  # they would go before a case's own
        yield session
