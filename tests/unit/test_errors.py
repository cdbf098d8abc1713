"""Errors: every error response is a problem with the request id."""

import asyncio
from collections.abc import Sequence
from concurrent.futures import CancelledError

import pytest
from fastapi import APIRouter, FastAPI, HTTPException, Request
from fastapi.testclient import TestClient
from pydantic import Json
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app import errors
from app.middleware import RequestMiddleware
from tests.support.apps import without_routes
from tests.support.problems import assert_problem


@pytest.mark.parametrize("path", ["/nothing/here", "/healthz/"])
def test_an_unknown_path_is_a_problem(path: str) -> None:
    client = TestClient(without_routes(), follow_redirects=False)
    assert_problem(client.get(path), 404, "no route or file")


def test_wrong_method_is_a_problem_that_names_the_methods(client: TestClient) -> None:
    response = client.put("/healthz")
    assert_problem(response, 405, "the allowed methods are GET, HEAD")
    assert response.headers["allow"] == "GET, HEAD"


@pytest.mark.parametrize("prefix", ["", "/shop"])
def test_wrong_method_names_the_methods_of_all_routes_of_the_path(prefix: str) -> None:
    router = APIRouter(prefix="/orders")
    for method, path in (("POST", ""), ("GET", ""), ("PUT", "/{number}"), ("DELETE", "/{number}")):
        router.add_api_route(path, lambda: None, methods=[method])
    app = FastAPI()
    app.include_router(router)
    errors.install(app)
    client = TestClient(app, root_path=prefix)
    assert client.patch(f"{prefix}/orders").headers["allow"] == "GET, HEAD, POST"
    assert client.patch(f"{prefix}/orders/1").headers["allow"] == "DELETE, PUT"


def failing(error: BaseException, middleware: Sequence[Middleware] = ()) -> FastAPI:
    """Return an app with one route that raises this, behind RequestMiddleware and these."""
    app = FastAPI(middleware=[*middleware, Middleware(RequestMiddleware)])
    errors.install(app)

    @app.get("/")
    async def fail() -> None:
        raise error

    return app


def test_unhandled_exception_is_a_problem_without_details() -> None:
    app = failing(ValueError("the password is swordfish"))
    response = TestClient(app, raise_server_exceptions=False).get("/")
    assert_problem(response, 500, "request id")
    assert "swordfish" not in response.text


def test_500_has_the_headers_of_outer_middleware() -> None:
    app = failing(ValueError(), [Middleware(CORSMiddleware, allow_origins=["https://shop.example"])])
    client = TestClient(app, raise_server_exceptions=False, headers={"Origin": "https://shop.example"})
    response = client.get("/")
    assert_problem(response, 500, "request id")
    assert response.headers["access-control-allow-origin"] == "https://shop.example"


def test_full_disk_is_not_the_clients_fault() -> None:
    # FastAPI raises this when it cannot read a form.
    error = HTTPException(400, "There was an error parsing the body")
    error.__cause__ = OSError(30, "Read-only file system: '/tmp'")
    app = failing(error)
    assert_problem(TestClient(app, raise_server_exceptions=False).get("/"), 500, "request id")
    with pytest.raises(OSError, match="Read-only"):
        TestClient(app).get("/")


def test_http_exception_with_another_cause_is_kept() -> None:
    error = HTTPException(503, "too many")
    error.__cause__ = TimeoutError()
    assert_problem(TestClient(failing(error)).get("/"), 503, "too many")


def test_request_cancelled_at_shutdown_is_a_problem() -> None:
    assert_problem(TestClient(failing(asyncio.CancelledError())).get("/"), 503, "is stopping")


def test_response_cut_off_at_shutdown_is_left_to_the_server() -> None:
    async def begin(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        raise asyncio.CancelledError

    with pytest.raises(CancelledError):
        TestClient(RequestMiddleware(begin)).get("/")


@pytest.fixture
def app() -> FastAPI:
    """Return an app with the error format and nothing else."""
    app = FastAPI()
    app.add_middleware(RequestMiddleware)
    errors.install(app)
    return app


def test_unhandled_exception_is_raised_for_the_server_to_log(app: FastAPI) -> None:
    @app.get("/")
    def fail() -> None:
        raise ValueError("the reason")

    with pytest.raises(ValueError, match="the reason"):
        TestClient(app).get("/")


@pytest.mark.parametrize("status", [400, 403, 418, 499, 503])
def test_a_problem_has_a_sentence_and_headers(app: FastAPI, status: int) -> None:
    @app.get("/")
    def refuse() -> None:
        raise HTTPException(status, "no", {"X-Reason": "why"})

    response = TestClient(app).get("/")
    assert_problem(response, status, "no")
    assert response.headers["x-reason"] == "why"


def test_problem_can_have_additional_members(app: FastAPI) -> None:
    @app.get("/")
    def refuse() -> None:
        raise HTTPException(409, {"detail": "taken", "by": "somebody", "status": 1})

    response = TestClient(app).get("/")
    assert_problem(response, 409, "taken")
    assert response.json()["by"] == "somebody"


def test_an_error_of_a_middleware_is_a_problem(app: FastAPI) -> None:
    class Refuse:
        def __init__(self, app: ASGIApp) -> None:
            pass

        async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
            raise HTTPException(403, "not you")

    app.user_middleware.append(Middleware(Refuse))
    assert_problem(TestClient(app).get("/"), 403, "not you")


def test_invalid_value_has_a_pointer(app: FastAPI) -> None:
    @app.get("/{name}")
    def read(name: int, size: int, content: Json[int] = 1) -> None:
        pass

    response = TestClient(app).get("/x", params={"content": "{"})
    assert_problem(response, 422, "/path/name: ")
    assert [item["pointer"] for item in response.json()["errors"]] == ["/path/name", "/query/size", "/query/content"]


def test_a_body_that_is_not_json_is_a_problem(app: FastAPI) -> None:
    @app.post("/")
    def write(body: dict[str, int]) -> None:
        pass

    response = TestClient(app).post("/", content="{", headers={"Content-Type": "application/json"})
    assert_problem(response, 400, "the body is not valid JSON: Expecting property name")


def test_client_that_disconnects_is_not_a_failure(app: FastAPI) -> None:
    @app.post("/")
    async def read(request: Request) -> None:
        await request.body()

    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        sent.append(message)

    scope = {"type": "http", "method": "POST", "path": "/", "raw_path": b"/", "query_string": b"", "headers": []}
    asyncio.run(app(scope, receive, send))
    assert sent[0]["status"] == 400


def test_lone_surrogate_is_escaped(app: FastAPI) -> None:
    @app.get("/")
    def refuse() -> None:
        raise HTTPException(400, "\ud800 \N{PILE OF POO}")

    assert TestClient(app).get("/").content.isascii()


def test_any_error_is_documented_as_a_problem(client: TestClient) -> None:
    for path in client.get("/openapi.json").json()["paths"].values():
        for operation in path.values():
            assert set(operation["responses"]["default"]["content"]) == {"application/problem+json"}


def test_error_format_of_fastapi_is_not_documented(client: TestClient) -> None:
    assert "HTTPValidationError" not in client.get("/openapi.json").text
