"""The documentation of the API, as `make dev` serves it."""

import json
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.browser.steps import opened
from tests.support.development import developing

# The page runs a large script, and the machine may be busy.
MILLISECONDS = 30_000


@pytest.fixture(scope="module")
def dev(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Return the URL at which `make dev` serves the app."""
    with developing("host", tmp_path_factory.mktemp("dev") / "log") as url:
        yield url


@pytest.fixture
def docs(browser: Browser, dev: str) -> Iterator[Page]:
    """Open the documentation with `opened`."""
    with opened(browser, f"{dev}/docs") as page:
        yield page


def execute(page: Page, method: str, path: str) -> Locator:
    """Try a route with the values that the page proposes, and return the response that the page shows."""
    operation = page.locator(f".opblock-{method}", has=page.locator(f"[data-path='{path}']"))
    operation.locator(".opblock-summary-control").click()
    operation.get_by_role("button", name="Try it out").click()
    operation.get_by_role("button", name="Execute").click()
    return operation.locator(".live-responses-table .response").first


def test_every_route_is_listed_and_can_be_tried(docs: Page, dev: str) -> None:
    described = docs.request.get(f"{dev}/openapi.json").json()["paths"]
    count = sum(map(len, described.values()))
    expect(docs.locator(".opblock")).to_have_count(count, timeout=MILLISECONDS)
    for method, path, member in (("get", "/healthz", "status"), ("post", "/api/reviews", "findings")):
        shown = execute(docs, method, path)
        expect(shown.locator(".response-col_status")).to_contain_text("200", timeout=MILLISECONDS)
        body = shown.locator("code.language-json")
        expect(body).to_be_visible()
        assert member in json.loads(body.inner_text())
