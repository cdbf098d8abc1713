"""What uvicorn's h11 protocol does with a request that turns invalid after the app was called."""

import asyncio

import pytest
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn import Config
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.server import ServerState

from app import server

HEAD = b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
NO_CHUNK = b"zz\r\n"


@pytest.fixture(autouse=True)
def installed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The correction, for the time of a test."""
    monkeypatch.setattr(H11Protocol, "send_400_response", server.answer_400)
    server.install()


async def start(send: Send) -> None:
    """Send the head of a response."""
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})


async def part(send: Send, *, more: bool) -> None:
    """Send half of its body."""
    await send({"type": "http.response.body", "body": b"a", "more_body": more})


async def answers_at_once(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer without reading the body."""
    await start(send)
    await part(send, more=True)
    await part(send, more=False)


async def answers_in_the_end(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer when the body or the connection has ended."""
    await receive()
    await answers_at_once(scope, receive, send)


async def answers_slowly(scope: Scope, receive: Receive, send: Send) -> None:
    """Begin to answer, and go on when the body or the connection has ended."""
    await start(send)
    await part(send, more=True)
    await receive()
    await part(send, more=False)


async def exchange(app: ASGIApp, first: bytes, then: bytes = b"") -> bytes:
    """Send the first bytes, the others when a response has begun, and return what is received until the end."""
    config = Config(app, http="h11", lifespan="off", log_config=None)
    loop = asyncio.get_running_loop()
    listener = await loop.create_server(lambda: H11Protocol(config, ServerState(), {}), "127.0.0.1", 0)
    reader, writer = await asyncio.open_connection(*listener.sockets[0].getsockname())
    try:
        writer.write(first)
        received = await reader.readuntil(b"\r\n\r\n") if then else b""
        writer.write(then)
        return received + await reader.read()
    finally:
        writer.close()
        listener.close()


@pytest.mark.parametrize("app", [answers_at_once, answers_in_the_end, answers_slowly])
def test_before_a_response_the_answer_is_400(app: ASGIApp, caplog: pytest.LogCaptureFixture) -> None:
    received = asyncio.run(asyncio.wait_for(exchange(app, HEAD + NO_CHUNK), 20))
    assert received.startswith(b"HTTP/1.1 400 ")
    assert received.count(b"HTTP/1.1 ") == 1
    assert [record for record in caplog.records if record.levelname == "ERROR"] == []


@pytest.mark.parametrize("app", [answers_at_once, answers_slowly])
def test_after_a_response_began_the_connection_closes(app: ASGIApp, caplog: pytest.LogCaptureFixture) -> None:
    received = asyncio.run(asyncio.wait_for(exchange(app, HEAD, NO_CHUNK), 20))
    assert received.startswith(b"HTTP/1.1 200 ")
    assert received.count(b"HTTP/1.1 ") == 1
    assert [record for record in caplog.records if record.levelname == "ERROR"] == []


def test_between_requests_the_answer_is_400() -> None:
    received = asyncio.run(asyncio.wait_for(exchange(answers_at_once, HEAD + b"0\r\n\r\n", b"\0\r\n"), 20))
    assert received.startswith(b"HTTP/1.1 200 ")
    assert b"HTTP/1.1 400 " in received
