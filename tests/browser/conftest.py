"""Fixtures for the tests in a browser."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.browser.steps import opened

# In milliseconds. A busy machine needs more than the default of 5 s.
expect.set_options(timeout=30_000)

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
APPLICATIONS = ("Google Chrome", "Chromium")


def find_chromium() -> str:
    """Return the installed browser, because Playwright's own would be a download of 150 MB."""
    named = os.environ.get("CHROMIUM")
    on_mac = (f"/Applications/{name}.app/Contents/MacOS/{name}" for name in APPLICATIONS)
    for path in [named] if named else [*map(shutil.which, NAMES), *on_mac]:
        if path and Path(path).exists():
            return path
    where = (
        f"no Chromium at {named}"
        if named
        else "Chromium is not installed: apt-get install chromium, or set CHROMIUM to its path"
    )
    pytest.exit(where, returncode=1)


@pytest.fixture(scope="session")
def url() -> str:
    """Return the URL of the page."""
    return os.environ["SERVICE_URL"].rstrip("/") + "/"


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Start Chromium without a window, and close it at the end."""
    # The sandbox does not work for root.
    arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=arguments)
        yield browser
        browser.close()


@pytest.fixture
def page(browser: Browser, url: str) -> Iterator[Page]:
    """Open the page with `opened`."""
    with opened(browser, url) as page:
        yield page
