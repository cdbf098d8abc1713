"""Limits: bodies, headers and connections of any size need bounded memory."""

import resource
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress

import pytest

from app.settings import Settings
from tests.image.memory import MEMORY, unharmed
from tests.image.messages import BODY, POST
from tests.service import LEAST_MEMORY
from tests.support.container import Answer, Container
from tests.support.start import Start

LIMIT = Settings().max_body_bytes
PART = b"a" * 1024 * 1024

HEAD = f"POST {POST} HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n".encode()
CHUNKED = b"Transfer-Encoding: chunked\r\n\r\n"


def chunk(data: bytes) -> bytes:
    """Return the data as a chunk of a body."""
    return b"%x\r\n%s\r\n" % (len(data), data)


def flood(connection: socket.socket, part: bytes) -> None:
    """Send the part until the server closes the connection, which it must do."""
    for _ in range(256):
        try:
            connection.sendall(part)
        except ConnectionError:
            return
    pytest.fail("the server accepted everything")


def assert_too_large(answer: Answer) -> None:
    """Fail unless the response is the problem 413."""
    assert answer.status == 413
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json["request_id"] == answer.headers["x-request-id"]


def test_body_of_the_limit_is_accepted(with_routes: Container) -> None:
    assert with_routes.ask("POST", POST, BODY.ljust(LIMIT), Content_Type="application/json").status == 200


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"Content-Length: %d\r\n\r\n" % (10 * LIMIT) + b"a" * (10 * LIMIT), id="declared"),
        pytest.param(CHUNKED + chunk(b"a" * LIMIT) * 10 + b"0\r\n\r\n", id="in chunks"),
        pytest.param(CHUNKED + chunk(b"a" * LIMIT * 10) + b"0\r\n\r\n", id="in one chunk"),
    ],
)
def test_body_of_ten_times_the_limit_is_rejected(shared: Container, body: bytes) -> None:
    (answer,) = shared.exchange(HEAD + b"Connection: close\r\n" + body)
    assert_too_large(answer)


def test_twenty_too_large_bodies_at_once_are_rejected(with_routes: Container, show: list[str]) -> None:
    declared = HEAD + b"Connection: close\r\nContent-Length: %d\r\n\r\n" % (10 * LIMIT) + b"a" * (10 * LIMIT)
    in_chunks = HEAD + b"Connection: close\r\n" + CHUNKED + chunk(b"a" * 10 * LIMIT) + b"0\r\n\r\n"
    with unharmed(with_routes, show, "20 bodies of ten times the limit"), ThreadPoolExecutor(20) as pool:
        for (answer,) in pool.map(with_routes.exchange, [declared, in_chunks] * 10):
            assert_too_large(answer)


def test_body_of_three_times_the_memory_is_not_buffered(with_routes: Container, show: list[str]) -> None:
    with (
        unharmed(with_routes, show, "a body of three times the memory"),
        with_routes.connect(HEAD + CHUNKED) as connection,
    ):
        for _ in range(3 * MEMORY // len(PART)):
            connection.sendall(chunk(PART))
        connection.sendall(b"0\r\n\r\n")
        assert connection.recv(65536).startswith(b"HTTP/1.1 413 ")


def test_too_large_content_length_is_rejected_before_the_body(shared: Container) -> None:
    with shared.connect(HEAD + b"Content-Length: %d\r\n\r\n{" % (10 * MEMORY)) as connection:
        assert connection.recv(65536).startswith(b"HTTP/1.1 413 ")


def test_bytes_after_content_length_are_not_the_body(shared: Container) -> None:
    found = shared.exchange(HEAD + b"Content-Length: %d\r\n\r\n" % len(BODY) + BODY + b"a" * 10 * LIMIT)
    # No response arrives if the server closes before it has read everything.
    assert [answer.status for answer in found] in ([200, 431], [200], [])


HEADERS = b"GET /healthz HTTP/1.1\r\nHost: a\r\n"


@pytest.mark.parametrize(
    ("start", "part"),
    [
        pytest.param(b"", PART, id="method"),
        pytest.param(b"GET /", PART, id="target"),
        pytest.param(HEADERS + b"X: ", PART, id="header"),
        pytest.param(HEADERS, PART, id="name of a header"),
        pytest.param(HEADERS, b"X: a\r\n" * 100_000, id="headers"),
        pytest.param(HEAD + CHUNKED, PART, id="size of a chunk"),
        pytest.param(HEAD + CHUNKED + b"1;", PART, id="extension of a chunk"),
        pytest.param(HEAD + CHUNKED + b"0\r\n", b"X: a\r\n" * 100_000, id="trailer"),
    ],
)
def test_endless_body_is_cut_off(
    shared: Container, show: list[str], request: pytest.FixtureRequest, start: bytes, part: bytes
) -> None:
    with unharmed(shared, show, f"endless {request.node.callspec.id}"), shared.connect(start) as connection:
        flood(connection, part)


def test_service_works_in_little_memory(start: Start) -> None:
    service = start(options=(f"--memory={LEAST_MEMORY}", f"--memory-swap={LEAST_MEMORY}"))
    with ThreadPoolExecutor(10) as pool:
        list(pool.map(Container.use, [service] * 50))
    assert (service.state["Status"], service.state["OOMKilled"]) == ("running", False)


@pytest.fixture
def many_files() -> Iterator[None]:
    """Raise the limit of open files for the connections of the tests. On macOS, the default is 256."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, 2500), hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


# Each connection uses the most memory that a client can make it use.
HELD = {
    "half a header": HEADERS + b"X: " + b"a" * 16_000,
    "half a body": HEAD + b"Content-Length: %d\r\n\r\n" % LIMIT + b"a" * (LIMIT - 1),
    "a body that is not read": HEADERS + b"Content-Length: %d\r\n\r\n" % (10 * LIMIT) + b"a" * 2 * LIMIT,
    "requests whose responses are not read": b"GET /large HTTP/1.1\r\nHost: a\r\n\r\n" * 10,
}


@pytest.mark.usefixtures("many_files")
@pytest.mark.parametrize(
    ("count", "kind"),
    [(2000, "half a body"), *((Settings().max_connections + 200, kind) for kind in HELD if kind != "half a body")],
)
def test_stalled_connections_do_not_delay_others(
    with_routes: Container, show: list[str], count: int, kind: str
) -> None:
    what = f"{count:,} connections with {kind}"
    with unharmed(with_routes, show, what, MEMORY // 2), ExitStack() as connections:
        for number in range(1, count + 1):
            connection = connections.enter_context(with_routes.connect())
            # The server may have closed it, or may have stopped reading.
            connection.settimeout(0.2)
            with suppress(OSError):
                connection.sendall(HELD[kind])
            if number % 100 == 0:
                assert with_routes.ask("GET", "/healthz").status == 200
