"""Fixtures for the tests of the running image."""

import os

import pytest


@pytest.fixture(scope="session")
def url() -> str:
    """Where the service is."""
    return os.environ["PAGE_URL"].rstrip("/")


@pytest.fixture(scope="session")
def image() -> str:
    """The image that it was started from."""
    return os.environ["IMAGE"]
