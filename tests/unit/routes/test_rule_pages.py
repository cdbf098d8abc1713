"""The pages of the rules. tests/browser tests the links to them."""

import re
from html import unescape
from urllib.parse import urljoin

import pytest
from fastapi.testclient import TestClient

from app.review.rules import RULES


def plain(page: str) -> str:
    """Return the text of the page, without markup."""
    return " ".join(unescape(re.sub(r"<[^>]+>", "", page)).split())


@pytest.mark.parametrize("rule", RULES)
def test_page_of_a_rule_contains_its_description(client: TestClient, rule: str) -> None:
    said = RULES[rule]
    response = client.get(f"/rules/{said.id}")
    assert response.status_code == 200
    assert response.headers["content-type"] == "text/html; charset=utf-8"
    text = plain(response.text)
    for part in (said.id, said.severity.value, said.title, said.why):
        assert " ".join(part.replace("`", "").split()) in text
    shown = re.findall(r"<pre tabindex=\"0\"><code>(.*?)</code></pre>", response.text, re.DOTALL)
    texts = [said.dockerignore] * bool(said.dockerignore) + [said.bad, said.good]
    assert [unescape(text) for text in shown] == [text.rstrip() for text in texts]


def test_list_links_to_each_rule(client: TestClient) -> None:
    response = client.get("/rules")
    assert re.findall(r'href="(rules/[^"]+)"', response.text) == [f"rules/{rule}" for rule in RULES]


@pytest.mark.parametrize("path", ["/rules", "/rules/root-user"])
def test_rule_page_loads_only_own_files_and_no_script(client: TestClient, path: str) -> None:
    response = client.get(path)
    assert response.headers["content-security-policy"] == client.get("/").headers["content-security-policy"]
    assert not re.search(r"<script|<style|\sstyle=|\son\w+=", response.text)
    for named in re.findall(r'<link [^>]*href="([^"]+)"', response.text):
        assert not named.startswith("/")  # so that it works behind a proxy with a prefix
        assert client.get(urljoin(path, named)).status_code == 200


@pytest.mark.parametrize("path", ["/rules/nope", "/rules/", "/rules/root-user/", "/rules/%2e%2e", "/rules/<script>"])
def test_unknown_rule_is_a_problem(client: TestClient, path: str) -> None:
    response = client.get(path, headers={"Accept": "text/html"}, follow_redirects=False)
    assert response.status_code == 404
    assert response.headers["content-type"] == "application/problem+json"
    assert "<script>" not in response.text


def test_head_is_answered_without_a_body(client: TestClient) -> None:
    response = client.head("/rules/root-user")
    assert (response.status_code, response.content) == (200, b"")
