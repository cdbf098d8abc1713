"""The page: how its files are served."""

import re
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from app.routes.page import WEB
from tests.support.project import any_version


def test_page_may_load_only_its_own_files(client: TestClient) -> None:
    response = client.get("/")
    assert response.status_code == 200
    assert response.headers["content-type"] == "text/html; charset=utf-8"
    policy = dict(part.split(maxsplit=1) for part in response.headers["content-security-policy"].split("; "))
    assert policy.pop("default-src") == "'none'"
    assert set(policy.values()) == {"'self'", "'none'"}


def test_files_that_the_page_names_are_served(client: TestClient) -> None:
    text = (WEB / "index.html").read_text()
    named = re.findall(r'(?:href|src)="([^"#]+)"', text)
    assert {"page.js", "page.css", "favicon.svg", "openapi.json"} <= set(named)
    for path in named:
        assert not path.startswith("/")  # so that it works behind a proxy with a prefix
        assert client.get(f"/{path}").status_code == 200


def test_page_has_no_inline_script_or_style() -> None:
    text = (WEB / "index.html").read_text()
    assert not re.search(r"<style|<script(?! type=\"module\" src=)|\sstyle=|\son\w+=", text)


def test_files_have_the_types_that_browsers_require(client: TestClient) -> None:
    for path, expected in [("page.js", "text/javascript"), ("page.css", "text/css"), ("favicon.svg", "image/svg+xml")]:
        response = client.get(f"/{path}")
        assert response.headers["content-type"].partition(";")[0] == expected
        assert response.headers["x-content-type-options"] == "nosniff"


def test_unchanged_file_is_304(client: TestClient) -> None:
    first = client.get("/page.js")
    assert first.headers["cache-control"] == "no-cache"
    assert client.get("/page.js", headers={"If-None-Match": first.headers["etag"]}).status_code == 304


def test_head_is_answered_without_a_body(client: TestClient) -> None:
    response = client.head("/")
    assert response.status_code == 200
    assert response.content == b""


@pytest.mark.parametrize("path", ["/nothing", "/examples", "/examples/", "/..%2fmain.py", "/%00"])
def test_missing_file_is_a_problem(client: TestClient, path: str) -> None:
    response = client.get(path, headers={"Accept": "text/html"})
    assert response.status_code == 404
    assert response.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize("path", ["/%2e", "/examples/%2e%2e"])
def test_no_path_redirects_to_the_host_header(client: TestClient, path: str) -> None:
    assert client.get(path, follow_redirects=False).status_code == 404


@pytest.mark.parametrize("given", ["bytes=0-1", "bytes=5-1", "bytes=999999-", "lines=0-1", "\xff"])
def test_range_is_ignored(client: TestClient, given: str) -> None:
    response = client.get("/page.js", headers=[(b"range", given.encode("latin-1"))])
    assert (response.status_code, response.content) == (200, (WEB / "page.js").read_bytes())


def test_files_allow_only_head_and_get(client: TestClient) -> None:
    head, get = client.head("/page.js"), client.get("/page.js")
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["content-length"] == str(len(get.content))
    refused = client.put("/")
    assert (refused.status_code, refused.headers["allow"]) == (405, "GET, HEAD")


def test_routes_take_precedence_over_files(client: TestClient) -> None:
    refused = client.get("/api/reviews")
    assert (refused.status_code, refused.headers["allow"]) == (405, "POST")
    assert client.get("/openapi.json").status_code == 200


def test_example_of_the_card_is_what_the_engine_tests_build(project: Path) -> None:
    built = project / "tests" / "engine" / "card.Dockerfile"
    assert (WEB / "examples" / "card.Dockerfile").read_text() == built.read_text(), "run make docs"


@pytest.mark.parametrize("name", ["Dockerfile", ".dockerignore"])
def test_the_examples_of_this_project_are_its_own_files(project: Path, name: str) -> None:
    copy = WEB / "examples" / f"project.{name.removeprefix('.')}"
    shown, own = (any_version(path.read_text()) for path in (copy, project / name))
    assert shown == own, "run make docs"
