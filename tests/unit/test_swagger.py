"""The documentation of the API at /docs."""

import re
from base64 import b64encode
from hashlib import sha256

import pytest
from fastapi import APIRouter
from fastapi.testclient import TestClient

from app import routes
from app.main import create_app
from app.settings import Settings
from tests.support.apps import without_routes
from tests.support.problems import assert_problem

documented = TestClient(create_app(Settings(docs=True)))


@pytest.mark.parametrize("path", ["/docs", "/docs/swagger-ui-bundle.js", "/docs/oauth2-redirect", "/redoc"])
def test_docs_are_off_by_default(path: str) -> None:
    assert_problem(TestClient(without_routes()).get(path), 404, "no route or file")


def test_with_the_setting_redoc_stays_off() -> None:
    assert_problem(TestClient(without_routes(Settings(docs=True))).get("/redoc"), 404, "no route or file")


def test_page_is_served_although_a_route_matches_every_path(monkeypatch: pytest.MonkeyPatch) -> None:
    router = APIRouter()
    router.add_api_route("/{path:path}", lambda path: path)
    monkeypatch.setattr(routes, "ROUTERS", [router])
    client = TestClient(create_app(Settings(docs=True)))
    assert client.get("/else").json() == "else"
    assert client.get("/docs").text == documented.get("/docs").text


@pytest.mark.parametrize("docs", [False, True])
def test_api_is_described_with_and_without_the_page(docs: bool) -> None:
    description = TestClient(create_app(Settings(docs=docs))).get("/openapi.json").json()
    assert "/healthz" in description["paths"]
    assert "/docs" not in description["paths"]


def test_page_runs_only_its_own_scripts() -> None:
    response = documented.get("/docs")
    assert response.headers["content-type"] == "text/html; charset=utf-8"
    (script,) = re.findall("<script>(.*?)</script>", response.text, re.DOTALL)
    digest = b64encode(sha256(script.encode()).digest()).decode()
    policy = dict(part.split(maxsplit=1) for part in response.headers["content-security-policy"].split("; "))
    assert policy == {
        "default-src": "'none'",
        "script-src": f"'self' 'sha256-{digest}'",
        "style-src": "'self'",
        "connect-src": "'self'",
        "img-src": "'self' data:",
        "base-uri": "'none'",
        "form-action": "'none'",
        "frame-ancestors": "'none'",
    }


def test_files_of_the_page_are_served_with_their_types() -> None:
    named = re.findall(r'(?:href|src)="([^"]+)"', documented.get("/docs").text)
    types = {path: documented.get(f"/{path}").headers["content-type"].partition(";")[0] for path in named}
    assert types == {
        "docs/swagger-ui.css": "text/css",
        "docs/favicon-32x32.png": "image/png",
        "docs/swagger-ui-bundle.js": "text/javascript",
    }


def test_page_is_the_same_for_any_host() -> None:
    asked = documented.get("/docs", headers={"Host": "evil.example"})
    assert asked.text == documented.get("/docs").text
