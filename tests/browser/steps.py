"""Texts and steps that several tests use."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal
from urllib.parse import urlsplit

from playwright.sync_api import Browser, ConsoleMessage, Page, expect

from app.routes.page import WEB

CARD = (WEB / "examples" / "card.Dockerfile").read_text()
# One finding, root-user on line 1: the base is pinned and not buffered, and the command starts an installed program.
ROOT = f'FROM python:3.12-slim@sha256:{"0" * 64}\nENV PYTHONUNBUFFERED=1\nCMD ["python", "-m", "http.server"]\n'
# No findings, and every rule can check it.
CLEAN = 'FROM scratch\nLABEL a=b\nUSER 10001\nCMD ["/a"]\n'
SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")


@contextmanager
def opened(browser: Browser, url: str) -> Iterator[Page]:
    """Open the page for a new user. At the end, fail if it logged errors, or sent requests to other origins."""
    context = browser.new_context(viewport={"width": 1280, "height": 800}, accept_downloads=True)
    context.grant_permissions(["clipboard-read", "clipboard-write"], origin=url)
    page = context.new_page()
    wrong: list[str] = []

    def hear(message: ConsoleMessage) -> None:
        # Some tests cause error responses. A violation of the security policy has another message.
        if message.type in {"error", "warning"} and not message.text.startswith("Failed to load resource"):
            wrong.append(message.text)

    page.on("console", hear)
    page.on("pageerror", lambda error: wrong.append(str(error)))
    requests: list[str] = []
    page.on("request", lambda request: requests.append(request.url))
    # Chromium aborts its requests when a network interface appears or disappears, as with each container.
    for _ in range(5):
        page.goto(url)
        if page.locator("#curl").all_text_contents() != [""]:
            break
    yield page
    assert context.cookies() == []
    context.close()
    assert wrong == []
    assert {urlsplit(request)[:2] for request in requests if not request.startswith("blob:")} == {urlsplit(url)[:2]}


def paste(page: Page, text: str) -> None:
    """Replace the text by pasting, because `fill` takes half a minute for 5,000 lines."""
    page.evaluate("text => navigator.clipboard.writeText(text)", text)
    page.locator("#dockerfile").focus()
    page.keyboard.press("ControlOrMeta+A")
    page.keyboard.press("ControlOrMeta+V")
    expect(page.locator("#dockerfile")).to_have_value(text)
