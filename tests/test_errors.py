"""Errors: every one is a problem detail, with the request's id."""

import asyncio
from http import HTTPStatus

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
    response = client.put("/healthz")
    assert_problem(response, 405, "Method Not Allowed")
    assert response.headers["allow"] == "GET"


def test_what_nobody_caught_is_a_problem_without_a_word_of_the_reason() -> None:
    app = FastAPI()
    app.add_middleware(RequestMiddleware)

    @app.get("/")
    def fail() -> None:
        raise ValueError("the password is swordfish")

    response = TestClient(app, raise_server_exceptions=False).get("/")
    assert_problem(response, 500, "request id")
    assert "swordfish" not in response.text


def test_a_request_that_the_stopping_server_gives_up_is_a_problem() -> None:
    app = FastAPI()
    app.add_middleware(RequestMiddleware)

    @app.get("/")
    async def hang() -> None:
        raise asyncio.CancelledError

    assert_problem(TestClient(app).get("/"), 503, "stops")


def test_a_problem_can_say_more() -> None:
    app = FastAPI()
    app.add_middleware(RequestMiddleware)
    errors.install(app)

    @app.get("/")
    def refuse() -> None:
        raise errors.ProblemException(409, "taken", by="somebody")

    response = TestClient(app).get("/")
    assert_problem(response, 409, "taken")
    assert response.json()["by"] == "somebody"


def test_what_cannot_be_encoded_is_escaped() -> None:
    app = FastAPI()
    app.add_middleware(RequestMiddleware)
    errors.install(app)

    @app.get("/")
    def refuse() -> None:
        raise HTTPException(400, "\ud800 \N{PILE OF POO}")

    assert TestClient(app).get("/").content.isascii()


def test_any_error_is_documented_as_a_problem(client: TestClient) -> None:
    for path in client.get("/openapi.json").json()["paths"].values():
        for operation in path.values():
            assert set(operation["responses"]["default"]["content"]) == {"application/problem+json"}


def test_the_frameworks_own_form_of_errors_is_not_documented(client: TestClient) -> None:
    assert "HTTPValidationError" not in client.get("/openapi.json").text
