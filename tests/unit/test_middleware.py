"""The middleware of every request: id, headers, checks, log."""

import asyncio
import logging

import pytest
from fastapi import APIRouter, Request, Response, WebSocket
from fastapi.testclient import TestClient
from starlette.exceptions import HTTPException
from starlette.types import Message, Receive, Scope, Send

from app.logs import request_id
from app.main import create_app
from app.middleware import MAX_BODY_BYTES, BodyLimitMiddleware, FramingMiddleware
from app.settings import Settings
from tests.support.apps import without_routes


def test_each_request_has_its_own_id(client: TestClient) -> None:
    first, second = (client.get("/healthz").headers["x-request-id"] for _ in range(2))
    assert first != second
    assert len(first) == 16


def test_client_may_choose_the_id(client: TestClient) -> None:
    assert client.get("/healthz", headers={"X-Request-ID": "trace-1.a_B"}).headers["x-request-id"] == "trace-1.a_B"


@pytest.mark.parametrize("given", ["", "a b", "x" * 65, 'a"b', "a\tb", "\xe9"])
def test_invalid_id_is_replaced(client: TestClient, given: str) -> None:
    headers = [(b"x-request-id", given.encode("latin-1"))]
    assert len(client.get("/healthz", headers=headers).headers["x-request-id"]) == 16


@pytest.mark.parametrize("path", ["/healthz", "/nothing"])
def test_responses_and_errors_have_security_headers(client: TestClient, path: str) -> None:
    headers = client.get(path).headers
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["cache-control"] == "no-store"
    assert headers["content-security-policy"] == "frame-ancestors 'none'"
    assert headers["referrer-policy"] == "no-referrer"


def test_head_is_answered_as_get_without_its_body(client: TestClient, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG", "app.access")
    head, get = client.head("/healthz"), client.get("/healthz")
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["content-length"] == get.headers["content-length"] == str(len(get.content))
    assert [record.__dict__["method"] for record in caplog.records] == ["HEAD", "GET"]


@pytest.mark.parametrize("host", ["", "a", "a_b.example:8000", "127.0.0.1:80", "[::1]", "[::1]:8000", "a:"])
def test_a_host_is_served(client: TestClient, host: str) -> None:
    assert client.get("/healthz", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize("host", ["a b", "a, b", "a/b", "a@b", "a?b", "a:b", "[::1", "<a>", "\xe9"])
def test_invalid_host_is_rejected(client: TestClient, host: str) -> None:
    response = client.get("/healthz", headers=[(b"host", host.encode("latin-1"))])
    assert (response.status_code, response.headers["connection"]) == (400, "close")
    assert "Host" in response.json()["detail"]


def test_repeated_content_length_is_rejected(client: TestClient) -> None:
    response = client.post("/healthz", content=b"a body", headers=[("Content-Length", "6")] * 2)
    assert response.status_code == 400
    assert "Content-Length" in response.json()["detail"]


HOST, CHUNKED, LENGTH = (b"host", b"a"), (b"transfer-encoding", b"chunked"), (b"content-length", b"6")


async def framed(version: str, headers: list[tuple[bytes, bytes]]) -> bool:
    """Send the request through FramingMiddleware and return True if it reaches the app."""
    reached = False

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        nonlocal reached
        reached = True

    async def never() -> Message:
        pytest.fail("it was read")

    async def send(message: Message) -> None:
        pytest.fail("it was answered")

    scope = {"type": "http", "http_version": version, "headers": headers, "raw_path": b"/"}
    await FramingMiddleware(app)(scope, never, send)
    return reached


@pytest.mark.parametrize(
    ("version", "headers"),
    [
        pytest.param("1.1", [HOST], id="one Host"),
        pytest.param("1.0", [], id="HTTP/1.0 without Host"),
        pytest.param("1.2", [HOST], id="HTTP/1.2"),
        pytest.param("1.1", [HOST, LENGTH], id="a length"),
        pytest.param("1.1", [HOST, (LENGTH[0], b"9" * 19)], id="a length of 19 digits"),
        pytest.param("1.1", [HOST, CHUNKED], id="chunks"),
        pytest.param("1.1", [HOST] + [(b"x", b"a")] * 99, id="100 headers"),
    ],
)
def test_valid_framing_reaches_the_app(version: str, headers: list[tuple[bytes, bytes]]) -> None:
    assert asyncio.run(framed(version, headers))


@pytest.mark.parametrize(
    ("version", "headers", "status"),
    [
        pytest.param("0.9", [HOST], 505, id="HTTP/0.9"),
        pytest.param("2.0", [HOST], 505, id="HTTP/2.0"),
        pytest.param("1.1", [HOST] + [(b"x", b"a")] * 100, 431, id="101 headers"),
        pytest.param("1.1", [HOST, LENGTH, LENGTH], 400, id="two lengths"),
        pytest.param("1.1", [HOST, LENGTH, CHUNKED], 400, id="length and coding"),
        *(
            pytest.param("1.1", [HOST, (LENGTH[0], text)], 400, id=f"length {text[:20]!r}")
            for text in (b"", b"-1", b"1_0", b"\xb2", b"0" * 5000 + b"13", b"9" * 5000)
        ),
        pytest.param("1.0", [HOST, CHUNKED], 400, id="chunks in HTTP/1.0"),
        pytest.param("1.1", [], 400, id="no Host"),
        pytest.param("1.2", [], 400, id="no Host in HTTP/1.2"),
        pytest.param("1.1", [HOST, HOST], 400, id="two Hosts"),
        pytest.param("1.0", [HOST, HOST], 400, id="two Hosts in HTTP/1.0"),
    ],
)
def test_ambiguous_framing_is_rejected_and_closes(
    version: str, headers: list[tuple[bytes, bytes]], status: int
) -> None:
    with pytest.raises(HTTPException) as raised:
        asyncio.run(framed(version, headers))
    assert (raised.value.status_code, raised.value.headers) == (status, {"Connection": "close"})


class Seen(dict[str, object]):
    """The scope that reaches the app."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Keep the scope."""
        self |= scope


@pytest.mark.parametrize(
    ("target", "root", "path", "host"),
    [
        pytest.param(b"/a", "", "/a", b"a", id="a path"),
        pytest.param(b"http://b/a%20b", "", "/a b", b"b", id="a URL"),
        pytest.param(b"HTTPS://b:80/", "", "/", b"b:80", id="a URL with a port"),
        pytest.param(b"http://[::1]", "", "/", b"[::1]", id="a URL without a path"),
        pytest.param(b"/rooth://b/a", "/root", "/rooth://b/a", b"a", id="a path that begins as the root does"),
        pytest.param(b"/roothttp://b/a", "/root", "/root/a", b"b", id="a URL behind a root path"),
        pytest.param(b"http:///a", "", "http:///a", b"a", id="a URL without a host"),
        pytest.param(b"http://b@c/a", "", "http://b@c/a", b"a", id="a URL with a user"),
        pytest.param(b"ftp://b/a", "", "ftp://b/a", b"a", id="another scheme"),
        pytest.param(b"//b/a", "", "//b/a", b"a", id="a URL without a scheme"),
        pytest.param(b"*", "", "*", b"a", id="the server itself"),
    ],
)
def test_url_as_target_is_split_into_path_and_host(target: bytes, root: str, path: str, host: bytes) -> None:
    seen = Seen()
    scope = {"type": "http", "http_version": "1.1", "headers": [(b"x", b"a"), HOST], "root_path": root}
    asyncio.run(FramingMiddleware(seen)(scope | {"raw_path": target, "path": target.decode()}, None, None))  # type: ignore[arg-type]
    assert (seen["path"], dict(seen["headers"])[b"host"]) == (path, host)  # type: ignore[call-overload]


@pytest.fixture
def small() -> TestClient:
    """Return a client of an app with a limit of ten bytes, whose route returns the size of the body."""
    app = without_routes(Settings(max_body_bytes=10))

    @app.post("/size")
    async def size(request: Request) -> int:
        return len(await request.body())

    return TestClient(app)


def test_body_of_the_limit_is_read(small: TestClient) -> None:
    assert small.post("/size", content=b"0123456789").json() == 10


def test_body_with_too_large_content_length_is_rejected(small: TestClient) -> None:
    response = small.post("/size", content=b"0123456789A")
    assert response.status_code == 413
    assert response.headers["content-type"] == "application/problem+json"
    assert "10 bytes" in response.json()["detail"]


def test_body_with_too_large_content_length_is_not_read() -> None:
    async def read(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()

    async def never() -> Message:
        pytest.fail("it was read")

    async def send(message: Message) -> None:
        pytest.fail("it was answered")

    scope = {"type": "http", "headers": [(b"content-length", b"11")]}
    with pytest.raises(HTTPException):
        asyncio.run(BodyLimitMiddleware(read, max_bytes=10)(scope, never, send))


def test_too_large_body_without_content_length_is_rejected(small: TestClient) -> None:
    response = small.post("/size", content=iter([b"01234567", b"89A"]))
    assert "content-length" not in response.request.headers
    assert response.status_code == 413


@pytest.mark.parametrize(("size", "status"), [(20, 200), (21, 413)])
@pytest.mark.parametrize("declared", [True, False])
def test_route_can_set_its_own_limit(size: int, status: int, declared: bool) -> None:
    app = without_routes(Settings(max_body_bytes=10))
    router = APIRouter(prefix="/files")

    @router.post("", openapi_extra={MAX_BODY_BYTES: 20})
    async def upload(request: Request) -> int:
        return len(await request.body())

    app.include_router(router)
    body = b"0" * size
    response = TestClient(app).post("/files", content=body if declared else iter([body]))
    assert (response.status_code, response.headers["content-type"]) == (
        status,
        "application/json" if status == 200 else "application/problem+json",
    )
    assert status == 200 or "20 bytes" in response.json()["detail"]


def test_request_is_one_log_line_with_fields(client: TestClient, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO", "app.access")
    client.get("/openapi.json?secret=1")
    (record,) = caplog.records
    assert record.getMessage().startswith("GET /openapi.json 200 in ")
    fields = record.__dict__
    assert (fields["method"], fields["path"], fields["status"]) == ("GET", "/openapi.json", 200)
    assert fields["duration_ms"] > 0


def test_path_is_logged_encoded(caplog: pytest.LogCaptureFixture) -> None:
    client = TestClient(without_routes())
    caplog.set_level("INFO", "app.access")
    client.get("/a%0Ab")
    assert "GET /a%0Ab 404" in caplog.records[0].getMessage()


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
@pytest.mark.parametrize("root_path", ["", "/orders"])
def test_health_is_not_logged_at_info(caplog: pytest.LogCaptureFixture, path: str, root_path: str) -> None:
    caplog.set_level("DEBUG", "app.access")
    TestClient(create_app(Settings()), root_path=root_path).get(root_path + path)
    assert [record.levelno for record in caplog.records if record.name == "app.access"] == [logging.DEBUG]


def test_a_websocket_has_an_id_for_its_log_lines() -> None:
    app = without_routes()

    @app.websocket("/echo")
    async def echo(websocket: WebSocket) -> None:
        await websocket.accept()
        await websocket.send_text(request_id.get() or "")

    with TestClient(app).websocket_connect("/echo", headers={"X-Request-ID": "one"}) as websocket:
        assert websocket.receive_text() == "one"


def test_response_keeps_its_own_headers() -> None:
    app = without_routes()

    @app.get("/cached")
    async def cached(response: Response) -> None:
        response.headers["Cache-Control"] = "max-age=60"

    assert TestClient(app).get("/cached").headers.get_list("cache-control") == ["max-age=60"]
