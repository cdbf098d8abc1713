"""Fixtures for the tests in a browser: pages, watched."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.browser.steps import opened

# A busy machine needs more than the 5 s that are usual, in milliseconds.
expect.set_options(timeout=30_000)

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
APPLICATIONS = ("Google Chrome", "Chromium")


def find_chromium() -> str:
    """Return the installed browser. Playwright's own would be a download of 150 MB."""
    named = os.environ.get("CHROMIUM")
    on_mac = (f"/Applications/{name}.app/Contents/MacOS/{name}" for name in APPLICATIONS)
    for path in [named] if named else [*map(shutil.which, NAMES), *on_mac]:
        if path and Path(path).exists():
            return path
    where = (
        f"no Chromium at {named}"
        if named
        else "no Chromium here: apt-get install chromium, or set CHROMIUM to its path"
    )
    pytest.exit(where, returncode=1)


@pytest.fixture(scope="session")
def url() -> str:
    """Where the page is."""
    return os.environ["SERVICE_URL"].rstrip("/") + "/"


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Start Chromium without a window."""
    # Its sandbox does not work for root, who has no use for it in a container either.
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
