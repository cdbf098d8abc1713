"""The application as a whole."""

import logging
import os
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import urljoin, urlsplit

from fastapi import APIRouter, FastAPI, WebSocket
from fastapi.routing import APIWebSocketRoute, iter_route_contexts
from fastapi.testclient import TestClient
from httpx2 import Response

from app.main import create_app
from app.settings import Settings
from tests.support.requirements import pins


def test_the_log_level_is_set() -> None:
    create_app(Settings(log_level="error"))
    assert logging.getLogger("app").level == logging.getLogger("uvicorn").level == logging.ERROR
    create_app(Settings())
    assert logging.getLogger("app").level == logging.getLogger("uvicorn").level == logging.INFO


def test_invalid_setting_exits_with_one_line(project: Path) -> None:
    result = subprocess.run(
        [sys.executable, "-c", "import app.main"],
        cwd=project,
        env=os.environ | {"APP_MAX_BODY_BYTES": "lots"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 1
    assert result.stdout == ""
    assert result.stderr.splitlines() == [
        "APP_MAX_BODY_BYTES='lots': Input should be a valid integer, unable to parse string as an integer"
    ]


def has_websockets(app: FastAPI) -> bool:
    """Return True if a route, also of a router inside another, is a WebSocket."""
    return any(isinstance(one.original_route, APIWebSocketRoute) for one in iter_route_contexts(app.routes))


def test_websocket_routes_require_the_package_websockets(project: Path) -> None:
    # TestClient serves them without the package. In the image, the response would be 404.
    found = has_websockets(create_app(Settings()))
    locked = pins((project / "requirements.txt").read_text())
    assert not found or "websockets" in locked, "add websockets to requirements.in, then run make lock"


def test_websocket_of_a_router_inside_another_is_found() -> None:
    app, outer, inner = FastAPI(), APIRouter(), APIRouter()

    @inner.websocket("/echo")
    async def echo(socket: WebSocket) -> None:
        await socket.accept()

    assert not has_websockets(app)
    outer.include_router(inner)
    app.include_router(outer)
    assert has_websockets(app)


class Loaded(HTMLParser):
    """The URLs that a page loads. Links to other pages do not count."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.addresses: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Add the URLs of one tag."""
        self.addresses += [text for name, text in attrs if name in {"src", "href"} and tag != "a" and text]


def loaded(response: Response) -> list[str]:
    """Return the URLs that a page or a style sheet loads."""
    media_type = response.headers.get("content-type", "").partition(";")[0]
    if media_type == "text/html":
        return Loaded(response.text).addresses
    if media_type == "text/css":
        return re.findall(r"""(?:url\(|@import)\s*["']?([^"')\s]+)""", response.text)
    return []


def test_no_page_loads_from_another_host() -> None:
    app = create_app(Settings(docs=True))
    client = TestClient(app)
    base = str(client.base_url)
    addresses = [base, *(urljoin(base, str(getattr(route, "path", ""))) for route in app.routes)]
    asked, elsewhere = set(), set()
    while addresses:
        address = addresses.pop()
        parts = urlsplit(address)
        if parts.scheme == "data" or address in asked:
            continue
        if parts[:2] != urlsplit(base)[:2]:
            elsewhere.add(address)
            continue
        asked.add(address)
        addresses += [urljoin(address, found) for found in loaded(client.get(address))]
    assert elsewhere == set()
    assert urljoin(base, "/docs/swagger-ui.css") in asked
