"""The routes of the rules."""

from fastapi.testclient import TestClient

from app.review.rules import RULES


def test_every_rule_is_listed_in_order(client: TestClient) -> None:
    rules = client.get("/api/rules").json()
    assert [rule["id"] for rule in rules] == list(RULES)


def test_rule_has_an_explanation_and_examples(client: TestClient) -> None:
    rule = client.get("/api/rules/full-base-image").json()
    assert set(rule) == {"id", "severity", "title", "why", "bad", "dockerignore", "good"}
    assert rule["title"] == "The published image is built on the full Python image"
    assert rule["severity"] == "warning"
    assert rule["why"].startswith("The full image contains compilers")
    assert rule["bad"].startswith("FROM python:3.12\n")
    assert rule["good"].startswith("FROM python:3.12-slim\n")


def test_unknown_rule_is_404_and_lists_the_rules(client: TestClient) -> None:
    response = client.get("/api/rules/nope")
    assert response.status_code == 404
    assert "root-user" in response.json()["detail"]


def test_404_is_documented(client: TestClient) -> None:
    assert "404" in client.get("/openapi.json").json()["paths"]["/api/rules/{rule_id}"]["get"]["responses"]
