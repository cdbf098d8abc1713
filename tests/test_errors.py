"""Errors: every one is a problem detail, with the request's id."""

import json
from http import HTTPStatus

import pytest
from fastapi import FastAPI, HTTPException
from fastapi.testclient import TestClient
from httpx2 import Response

from app import errors
from app.middleware import RequestMiddleware


def assert_problem(response: Response, status: int, detail: str) -> None:
    """The response is a problem of that status, with that text in its detail."""
    assert response.status_code == status
    assert response.headers["content-type"] == "application/problem+json"
    body = response.json()
    assert body["status"] == status
    assert body["title"] == HTTPStatus(status).phrase
    assert body["request_id"] == response.headers["x-request-id"]
    assert detail in body["detail"]


def test_an_unknown_path_is_a_problem(client: TestClient) -> None:
    assert_problem(client.get("/nothing/here"), 404, "Not Found")


def test_another_method_is_a_problem_that_names_the_methods(client: TestClient) -> None:
    response = client.put("/api/reviews")
    assert_problem(response, 405, "Method Not Allowed")
    assert response.headers["allow"] == "POST"


def test_what_nobody_caught_is_a_problem_without_a_word_of_the_reason() -> None:
    app = FastAPI()
    app.add_middleware(RequestMiddleware)

    @app.get("/")
    def fail() -> None:
        raise ValueError("the password is swordfish")

    response = TestClient(app, raise_server_exceptions=False).get("/")
    assert_problem(response, 500, "request id")
    assert "swordfish" not in response.text


def test_what_cannot_be_encoded_is_escaped() -> None:
    app = FastAPI()
    app.add_middleware(RequestMiddleware)
    errors.install(app)

    @app.get("/")
    def refuse() -> None:
        raise HTTPException(400, "\ud800 \N{PILE OF POO}")

    assert TestClient(app).get("/").content.isascii()


def test_every_error_of_the_reviews_is_documented(client: TestClient) -> None:
    responses = client.get("/openapi.json").json()["paths"]["/api/reviews"]["post"]["responses"]
    assert set(responses) == {"200", "400", "413", "415", "422", "default"}
    for status in set(responses) - {"200"}:
        assert set(responses[status]["content"]) == {"application/problem+json"}


@pytest.mark.parametrize("path", ["/healthz", "/api/rules/{rule_id}"])
def test_any_error_elsewhere_is_documented_as_a_problem(client: TestClient, path: str) -> None:
    responses = client.get("/openapi.json").json()["paths"][path]["get"]["responses"]
    assert set(responses["default"]["content"]) == {"application/problem+json"}
    assert "HTTPValidationError" not in json.dumps(responses)
