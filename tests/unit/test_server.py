"""The HTTP protocol: how it rejects requests, and which connections it closes."""

import asyncio
import json
import socket
import struct
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from logging import LogRecord

import pytest
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn import Config
from uvicorn.server import ServerState

from app import server
from app.logs import request_id
from app.server import Protocol

LINE = b"GET / HTTP/1.1\r\n"
HEAD = b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
NO_CHUNK = b"zz\r\n"


async def start(send: Send) -> None:
    """Send the head of a response."""
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})


async def part(send: Send, *, more: bool) -> None:
    """Send half of its body."""
    await send({"type": "http.response.body", "body": b"a", "more_body": more})


async def answers_at_once(scope: Scope, receive: Receive, send: Send) -> None:
    """Respond without reading the body."""
    await start(send)
    await part(send, more=True)
    await part(send, more=False)


async def answers_in_the_end(scope: Scope, receive: Receive, send: Send) -> None:
    """Respond when the body or the connection has ended."""
    await receive()
    await answers_at_once(scope, receive, send)


async def reads_all(scope: Scope, receive: Receive, send: Send) -> None:
    """Respond when the body has ended, and close the connection."""
    while (await receive()).get("more_body"):
        pass
    await send({"type": "http.response.start", "status": 200, "headers": [(b"connection", b"close")]})
    await part(send, more=False)


async def answers_slowly(scope: Scope, receive: Receive, send: Send) -> None:
    """Begin the response, and continue when the body or the connection has ended."""
    await start(send)
    await part(send, more=True)
    await receive()
    await part(send, more=False)


@asynccontextmanager
async def serving(
    app: ASGIApp, ws: type[asyncio.Protocol] | None = None, keep_alive: int = 5
) -> AsyncIterator[tuple[str, int]]:
    """Serve the app with the protocol inside the context, and yield the address. `ws` serves WebSockets."""
    config = Config(app, lifespan="off", log_config=None, ws=ws or "none", timeout_keep_alive=keep_alive)
    loop = asyncio.get_running_loop()
    listener = await loop.create_server(lambda: Protocol(config, ServerState(), {}), "127.0.0.1", 0)
    try:
        yield listener.sockets[0].getsockname()
    finally:
        listener.close()


async def exchange(app: ASGIApp, first: bytes, then: bytes = b"") -> bytes:
    """Send the first bytes, the others once a response has begun, and return what is received."""
    async with serving(app) as address:
        reader, writer = await asyncio.open_connection(*address)
        try:
            writer.write(first)
            received = await reader.readuntil(b"\r\n\r\n") if then else b""
            writer.write(then)
            return received + await reader.read()
        finally:
            writer.close()


@pytest.mark.parametrize(
    ("data", "status"),
    [
        (b"\0\r\n\r\n", 400),
        (LINE + b"Host: a\r\nX: " + b"a" * 20_000, 431),
        (LINE + b"Host: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", 501),
    ],
)
def test_rejection_is_a_problem_with_its_id_in_the_log(
    data: bytes, status: int, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "app.server")
    ids: list[str | None] = []

    def keep_id(_: LogRecord) -> bool:
        ids.append(request_id.get())
        return True

    caplog.handler.addFilter(keep_id)
    head, _, body = asyncio.run(asyncio.wait_for(exchange(answers_at_once, data), 20)).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 %d " % status)
    assert {b"content-type: application/problem+json", b"x-content-type-options: nosniff", b"connection: close"} < set(
        head.lower().split(b"\r\n")
    )
    found = json.loads(body)
    assert found["status"] == status
    assert found["request_id"] == ids[-1]
    assert b"x-request-id: " + found["request_id"].encode() in head.lower()


@pytest.mark.parametrize("app", [answers_at_once, answers_in_the_end, answers_slowly])
def test_invalid_request_before_a_response_is_400(app: ASGIApp, caplog: pytest.LogCaptureFixture) -> None:
    received = asyncio.run(asyncio.wait_for(exchange(app, HEAD + NO_CHUNK), 20))
    assert received.startswith(b"HTTP/1.1 400 ")
    assert received.count(b"HTTP/1.1 ") == 1
    assert [record for record in caplog.records if record.levelname == "ERROR"] == []


@pytest.mark.parametrize("app", [answers_at_once, answers_in_the_end, answers_slowly])
def test_response_to_an_invalid_head_request_has_no_body(app: ASGIApp, caplog: pytest.LogCaptureFixture) -> None:
    received = asyncio.run(asyncio.wait_for(exchange(app, HEAD.replace(b"POST", b"HEAD") + NO_CHUNK), 20))
    assert received.startswith(b"HTTP/1.1 400 ")
    assert received.endswith(b"\r\n\r\n")
    assert [record for record in caplog.records if record.levelname == "ERROR"] == []


@pytest.mark.parametrize("app", [answers_at_once, answers_slowly])
def test_invalid_request_after_a_response_began_closes(app: ASGIApp, caplog: pytest.LogCaptureFixture) -> None:
    received = asyncio.run(asyncio.wait_for(exchange(app, HEAD, NO_CHUNK), 20))
    assert received.startswith(b"HTTP/1.1 200 ")
    assert received.count(b"HTTP/1.1 ") == 1
    assert [record for record in caplog.records if record.levelname == "ERROR"] == []


def test_invalid_request_between_requests_is_400() -> None:
    received = asyncio.run(asyncio.wait_for(exchange(answers_at_once, HEAD + b"0\r\n\r\n", b"\0\r\n"), 20))
    assert received.startswith(b"HTTP/1.1 200 ")
    assert b"HTTP/1.1 400 " in received


@pytest.mark.parametrize("protocol", [b"websocket", b"h2c"])
def test_upgrade_is_ignored_and_not_logged(protocol: bytes, caplog: pytest.LogCaptureFixture) -> None:
    wish = LINE + b"Host: a\r\nConnection: upgrade, close\r\nUpgrade: " + protocol + b"\r\n\r\n"
    assert asyncio.run(asyncio.wait_for(exchange(answers_at_once, wish), 20)).startswith(b"HTTP/1.1 200 ")
    assert [record.name for record in caplog.records] == ["uvicorn.access"]


def test_long_request_is_read_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    sizes: list[int] = []
    data_received = Protocol.data_received

    def keep_size(self: Protocol, data: bytes) -> None:
        sizes.append(len(data))
        data_received(self, data)

    monkeypatch.setattr(Protocol, "data_received", keep_size)
    body = b"1\r\na\r\n" * 5000 + b"0\r\n\r\n"
    received = asyncio.run(asyncio.wait_for(exchange(reads_all, HEAD + body), 20))
    assert received.startswith(b"HTTP/1.1 200 ")
    assert max(sizes) <= server.READ_BYTES
    assert sum(sizes) == len(HEAD + body)


async def closed(limit: int, talkative: int) -> set[int]:
    """Open one connection more than the limit, after one sent a request, and return which are closed."""
    async with serving(answers_at_once) as address, asyncio.timeout(20):
        connections = [await asyncio.open_connection(*address) for _ in range(limit)]
        reader, writer = connections[talkative]
        writer.write(LINE + b"Host: a\r\n\r\n")
        await reader.readuntil(b"\r\n\r\naa")
        connections.append(await asyncio.open_connection(*address))
        ends = [asyncio.create_task(reader.read(1)) for reader, _ in connections]
        await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
        for _, writer in connections:
            writer.close()
        found = {index for index, end in enumerate(ends) if end.done()}
        await asyncio.gather(*ends, return_exceptions=True)
        return found


@pytest.mark.parametrize(("talkative", "silent"), [(2, 0), (1, 0), (0, 1)])
def test_beyond_the_limit_the_most_silent_connection_closes(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, talkative: int, silent: int
) -> None:
    monkeypatch.setattr(server, "MAX_CONNECTIONS", 3)
    monkeypatch.setattr(Protocol, "connections_by_silence", {})
    monkeypatch.setattr(Protocol, "warned", -server.SECONDS_BETWEEN_WARNINGS)
    assert asyncio.run(closed(3, talkative)) == {silent}
    assert [record.levelname for record in caplog.records if record.name == "app.server"] == ["WARNING"]


async def unread(count: int, size: int) -> set[int]:
    """Let clients request a response of this size without reading it, and return which are closed."""

    async def answers(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"a" * size})

    async with serving(answers) as address, asyncio.timeout(20):
        connections: list[socket.socket] = []
        loop = asyncio.get_running_loop()
        for _ in range(count):
            connection = socket.socket()
            connections.append(connection)
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            connection.setblocking(False)
            await loop.sock_connect(connection, address)
            await loop.sock_sendall(connection, LINE + b"Host: a\r\n\r\n")
            # The response has begun.
            await loop.sock_recv(connection, 12)
        closed = set()
        for index, connection in enumerate(connections):
            with connection, suppress(BlockingIOError):
                try:
                    while connection.recv(65536):
                        pass
                except ConnectionResetError:
                    closed.add(index)
        return closed


def test_beyond_the_limit_of_unsent_bytes_the_most_silent_connections_close(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    # The kernel has room for some 5 MB of each response.
    size = 20_000_000
    monkeypatch.setattr(server, "MAX_UNSENT_BYTES", 2 * size)
    monkeypatch.setattr(Protocol, "connections_by_silence", {})
    monkeypatch.setattr(Protocol, "warned", -server.SECONDS_BETWEEN_WARNINGS)
    assert asyncio.run(unread(5, size)) == {0, 1}
    (record,) = (record for record in caplog.records if record.name == "app.server")
    assert "bytes of responses that are not read" in record.getMessage()


def test_one_response_may_be_longer_than_the_limit_of_unsent_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "MAX_UNSENT_BYTES", 1_000_000)
    monkeypatch.setattr(Protocol, "connections_by_silence", {})
    assert asyncio.run(unread(2, 20_000_000)) == {0}


LONG = 20_000_000


async def answers_at_length(scope: Scope, receive: Receive, send: Send) -> None:
    """Send a response that does not fit into the kernel's buffers."""
    length = str(LONG).encode()
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", length)]})
    await send({"type": "http.response.body", "body": b"a" * LONG})


async def pipelined(data: bytes, expected: int) -> tuple[list[bytes], float]:
    """Send the data at once, read the first response late, and return the first lines of all responses and when."""
    async with serving(answers_at_length, keep_alive=0) as address, asyncio.timeout(20):
        reader, writer = await asyncio.open_connection(*address, limit=4096)
        writer.write(data)
        lines = []
        for number in range(expected):
            head = await reader.readuntil(b"\r\n\r\n")
            lines.append(head.partition(b"\r\n")[0])
            if number == 0:
                await asyncio.sleep(0.1)
                late = time.time()
            with suppress(asyncio.IncompleteReadError):
                await reader.readexactly(LONG)
        writer.close()
        return lines, late


def test_next_request_waits_until_the_response_is_read(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO", "uvicorn.access")
    lines, late = asyncio.run(pipelined((LINE + b"Host: a\r\n\r\n") * 3, 3))
    assert lines == [b"HTTP/1.1 200 OK"] * 3
    first, second, third = (record.created for record in caplog.records)
    # A client that is slower than the keep-alive timeout gets all responses.
    assert first < late < second < third


async def idle_after_a_late_reader() -> bytes:
    """Read a response late, and return what follows until the connection closes."""
    async with serving(answers_at_length, keep_alive=0) as address, asyncio.timeout(20):
        reader, writer = await asyncio.open_connection(*address, limit=4096)
        writer.write(LINE + b"Host: a\r\n\r\n")
        await reader.readuntil(b"\r\n\r\n")
        await asyncio.sleep(0.1)
        await reader.readexactly(LONG)
        following = await reader.read()
        writer.close()
        return following


def test_idle_connection_of_a_late_reader_is_closed() -> None:
    assert asyncio.run(idle_after_a_late_reader()) == b""


async def stopped_while_a_request_waits() -> bytes:
    """Stop the server after one of two pipelined requests, and return what follows the first response."""
    async with serving(answers_at_length) as address, asyncio.timeout(20):
        reader, writer = await asyncio.open_connection(*address, limit=4096)
        writer.write((LINE + b"Host: a\r\n\r\n") * 2)
        await reader.readuntil(b"\r\n\r\n")
        (protocol,) = Protocol.connections_by_silence
        protocol.shutdown()
        await reader.readexactly(LONG)
        following = await reader.read()
        writer.close()
        return following


def test_stop_drops_a_request_that_waits(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    monkeypatch.setattr(Protocol, "connections_by_silence", {})
    assert asyncio.run(stopped_while_a_request_waits()) == b""
    assert [record.name for record in caplog.records] == ["uvicorn.access"]


def test_invalid_request_that_waits_is_rejected_in_the_end(caplog: pytest.LogCaptureFixture) -> None:
    lines, _ = asyncio.run(pipelined(LINE + b"Host: a\r\n\r\n" + b"\0\r\n\r\n", 2))
    assert lines == [b"HTTP/1.1 200 OK", b"HTTP/1.1 400 Bad Request"]
    assert [record for record in caplog.records if record.levelname == "ERROR"] == []


async def reset_before_the_response() -> None:
    """Close a connection so that the response cannot be sent."""
    closed = asyncio.Event()
    ended = asyncio.Event()

    async def answers(scope: Scope, receive: Receive, send: Send) -> None:
        await closed.wait()
        await answers_at_length(scope, receive, send)
        ended.set()

    async with serving(answers) as address, asyncio.timeout(20):
        with socket.create_connection(address) as connection:
            connection.sendall(LINE + b"Host: a\r\n\r\n")
            await asyncio.sleep(0.1)
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        closed.set()
        await ended.wait()


def test_long_response_to_a_client_that_left_is_not_logged(caplog: pytest.LogCaptureFixture) -> None:
    asyncio.run(reset_before_the_response())
    assert [record for record in caplog.records if record.name == "asyncio"] == []


class Accepted(asyncio.Protocol):
    """A protocol that accepts an upgrade and sends nothing else."""

    def __init__(self, **_: object) -> None:
        self.transport: asyncio.BaseTransport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        """Accept the upgrade."""
        assert isinstance(self.transport, asyncio.Transport)
        self.transport.write(b"HTTP/1.1 101 Switching Protocols\r\n\r\n")


async def counted_after_an_upgrade() -> int:
    """Return the number of counted connections after one became a WebSocket."""
    async with serving(answers_at_once, Accepted) as address, asyncio.timeout(20):
        reader, writer = await asyncio.open_connection(*address)
        writer.write(LINE + b"Host: a\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n")
        assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 101 ")
        counted = len(Protocol.connections_by_silence)
        writer.close()
        return counted


def test_a_websocket_is_not_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Protocol, "connections_by_silence", {})
    assert asyncio.run(counted_after_an_upgrade()) == 0
