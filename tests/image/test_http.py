"""The criteria for the HTTP parser, in order of importance. docs/image.md has the results of other parsers."""

import json
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress

import pytest

from app.settings import Settings
from tests.image.memory import MEMORY, unharmed
from tests.image.messages import (
    BEHIND,
    BODY,
    CHUNKED,
    assert_problem,
    chunks,
    get,
    post,
    request,
)
from tests.support.container import Container, answers, eventually

LINE = b"GET /healthz HTTP/1.1"
SIZE, LENGTH = b"%x" % len(BODY), b"Content-Length: %d" % len(BODY)

# 1. A stable release.

# Prints the version and the description of the package that reads HTTP.
PARSER = """
import json, os
from importlib.metadata import metadata
from uvicorn.config import HTTP_PROTOCOLS, import_from_string
name = os.environ.get("UVICORN_HTTP", "auto")
classes = import_from_string(HTTP_PROTOCOLS.get(name, name)).__mro__
(module,) = (one.__module__ for one in classes if one.__module__.startswith("uvicorn.protocols.http."))
package = metadata(module.rpartition(".")[2].removesuffix("_impl"))
print(json.dumps([package["Name"], package["Version"], package.get_payload() or package["Description"]]))
"""


def test_parser_is_a_stable_release(shared: Container, show: list[str]) -> None:
    name, version, description = json.loads(shared.python(PARSER))
    show.append(f"HTTP parser: {name} {version}")
    assert version.replace(".", "").isdecimal()
    assert "not yet ready for production" not in description


# 2. Pipelined requests stay within the memory limit.


def pipeline(container: Container) -> bytes:
    """Send 8 MB of requests behind a slow one, as much as the server takes, and return the first status line."""
    slow = request(b"GET /slow?seconds=5 HTTP/1.1", b"Host: a")
    ordinary = request(LINE, b"Host: a")
    with container.connect(slow) as connection:
        patience = connection.gettimeout()
        connection.settimeout(4)
        with suppress(TimeoutError, ConnectionError):
            connection.sendall(ordinary * (8_000_000 // len(ordinary)))
        connection.settimeout(patience)
        with suppress(ConnectionError):
            return connection.recv(12)
    return b""


def test_45_pipelining_clients_stay_below_the_memory_limit(with_routes: Container, show: list[str]) -> None:
    with unharmed(with_routes, show, "45 x 8 MB of pipelined requests", MEMORY // 4), ThreadPoolExecutor(45) as pool:
        assert list(pool.map(pipeline, [with_routes] * 45)) == [b"HTTP/1.1 200"] * 45


# 3. Many and long headers are rejected in bounded memory.


@pytest.fixture
def case(request: pytest.FixtureRequest) -> str:
    """Return the id of the test's parameters."""
    return str(request.node.callspec.id)


@pytest.mark.parametrize(
    "headers",
    [
        pytest.param([b"X: a"] * 101, id="101"),
        pytest.param([b"X: a"] * 10_000, id="10,000"),
        pytest.param([b"X: " + b"a" * 2_000_000], id="2 MB"),
        pytest.param([b"X" * 2_000_000 + b": a"], id="a name of 2 MB"),
    ],
)
def test_many_or_long_headers_are_rejected(shared: Container, show: list[str], case: str, headers: list[bytes]) -> None:
    with unharmed(shared, show, f"headers: {case}"):
        found = shared.exchange(get(b"/healthz", *headers))
    # No response arrives if the server closes before it has read everything.
    assert [answer.status for answer in found] in ([431], [])


def test_98_headers_are_read(shared: Container) -> None:
    # With Host and Connection, 100.
    assert [answer.status for answer in shared.exchange(get(b"/healthz", *[b"X: a"] * 98))] == [200]


# 4. Requests that two parsers could read in two ways are rejected or harmless.


@pytest.mark.parametrize(
    ("data", "statuses"),
    [
        pytest.param(post(LENGTH), [200, 200], id="a length"),
        pytest.param(post(LENGTH.replace(b" ", b" 00")), [200, 200], id="a length with zeros"),
        pytest.param(post(CHUNKED, body=chunks()), [200, 200], id="chunks"),
        pytest.param(post(CHUNKED, body=chunks(SIZE + b";a=b")), [200, 200], id="a chunk's extension"),
        pytest.param(post(CHUNKED, body=chunks(end=b"X: a\r\n\r\n")), [200, 200], id="a trailer"),
        pytest.param(request(LINE, b"Host:"), [200, 200], id="an empty Host"),
        pytest.param(request(LINE, b"Host: [::1]:80"), [200, 200], id="an IP address as Host"),
        # RFC 9110, section 2.5: a newer minor version is read as the newest one known.
        pytest.param(request(b"GET /healthz HTTP/1.2", b"Host: a"), [200, 200], id="HTTP/1.2"),
        # HTTP/1.0 has neither a Host header nor keep-alive.
        pytest.param(request(b"GET /healthz HTTP/1.0"), [200], id="HTTP/1.0 without Host"),
    ],
)
def test_request_ends_where_its_framing_says(shared: Container, data: bytes, statuses: list[int]) -> None:
    assert [answer.status for answer in shared.exchange(data + BEHIND)] == statuses


@pytest.mark.parametrize(
    "data",
    [
        # RFC 9112, section 2.2: a recipient may accept a single line feed as the end of a line.
        pytest.param(LINE + b"\nHost: a\n\n", id="line feeds alone"),
        pytest.param(LINE + b"\nHost: a\r\n\r\n", id="a line feed after the first line"),
        pytest.param(LINE + b"\r\nHost: a\nX: b\r\n\r\n", id="a line feed between headers"),
        pytest.param(LINE + b"\r\nHost: a\r\n\n", id="a line feed at the end"),
        pytest.param(post(b"X: a\n" + LENGTH), id="a length after a line feed"),
        pytest.param(post(b"X: a\n" + CHUNKED, body=chunks()), id="a coding after a line feed"),
        pytest.param(post(CHUNKED, body=chunks(end=b"X: a\n\r\n")), id="a line feed in the trailer"),
        # RFC 9112, section 5.2: a folded line continues the value of the line before it, behind a space.
        pytest.param(request(LINE, b"Host: a", b"X: a", b" b"), id="a folded line"),
        pytest.param(request(LINE, b"Host: a", b"X: a", b" " + LENGTH), id="a length in a folded line"),
        pytest.param(request(LINE, b"Host: a", b"X: a", b"\t" + CHUNKED), id="a coding in a folded line"),
        pytest.param(post(b"Transfer-Encoding:", b" chunked", body=chunks()), id="a folded coding"),
        pytest.param(post(b"Content-Length:", LENGTH[15:]), id="a folded length"),
        # RFC 9110, section 8.6: a list of equal lengths is one length.
        pytest.param(post(LENGTH, LENGTH), id="two equal lengths"),
        pytest.param(post(LENGTH + b"," + LENGTH[15:]), id="a list of equal lengths"),
        # RFC 9112, section 7.1: unknown chunk extensions and trailers are ignored.
        pytest.param(post(CHUNKED, body=chunks(SIZE + b" ")), id="a space after the size of a chunk"),
        pytest.param(post(CHUNKED, body=chunks(SIZE + b";a\rb")), id="a carriage return in a chunk's extension"),
        pytest.param(post(CHUNKED, body=chunks(SIZE + b";" + b"a" * 10_000)), id="an extension of 10 KB"),
        pytest.param(post(CHUNKED, body=chunks(end=LENGTH + b"\r\n\r\n")), id="a length as trailer"),
        pytest.param(post(b"Transfer-Encoding: ,\tChunked ", body=chunks()), id="a coding in a list of one"),
    ],
)
def test_lenient_reading_sees_the_requests_that_were_sent(shared: Container, data: bytes) -> None:
    found = [answer.status for answer in shared.exchange(data + BEHIND)]
    # The service reads it as the RFC says, or rejects it.
    assert found in ([200, 200], [400], [501], [])


LENGTHS = [b"", b"-1", b"+6", b"0x6", b"6.0", b"6_0", b"6 6", b"6a", b"6, 7", b"\x0b6", b"\xa06", b"9" * 30]
# In each, the 6 is replaced by the real length.
LENGTHS = [text.replace(b"6", b"%d" % len(BODY)) for text in LENGTHS]
# RFC 9112, section 6.1: the response to an unknown coding is 501.
UNKNOWN_CODINGS = [b"", b"xchunked", b"gzip", b"identity", b"gzip, chunked", b"chunked, gzip", b"chunked, identity"]
UNKNOWN_CODINGS += [b"chunked, chunked", b'"chunked"', b"chunked;a=b"]
CODINGS = [b"chunked\0", b"\x0bchunked"]
HOSTS = [b"a b", b"a, b", b"a/b", b"a@b", b"a?b", b"a:b", b"a\x01", b"\xff", b"<script>", b"[::1"]
SIZES = [b"", b"0x6", b"-6", b"+6", b"0_6", b" 6", b"6;a\nb"]
SIZES = [text.replace(b"6", SIZE) for text in SIZES]
SIZES += [b"0" * 40 + SIZE, *(b"%x" % (number + len(BODY)) for number in (-1, 1))]
VERSIONS = [b"HTTP/0.9", b"HTTP/1", b"HTTP/1.10", b"HTTP/01.1", b"HTTP/2.0", b"HTTP/9.9", b"HTTP/-1.1", b"http/1.1"]


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(post(LENGTH, CHUNKED, body=b"0\r\n\r\n"), id="length, then coding"),
        pytest.param(post(CHUNKED, LENGTH, body=b"0\r\n\r\n"), id="coding, then length"),
        pytest.param(post(LENGTH, b"Transfer-Encoding:", b" chunked", body=chunks()), id="length, then folded coding"),
        pytest.param(post(LENGTH, b"X: a\n" + CHUNKED, body=chunks()), id="length, then coding after a line feed"),
        pytest.param(post(LENGTH, b"Content-Length: 0"), id="two lengths"),
        *(pytest.param(post(b"Content-Length: " + text), id=f"length {text!r}") for text in LENGTHS),
        *(pytest.param(post(CHUNKED[:19] + text, body=chunks()), id=f"coding {text!r}") for text in CODINGS),
        pytest.param(post(b"Transfer-Encoding : chunked", body=chunks()), id="a space before the colon"),
        pytest.param(post(b"Transfer-Encoding\t: chunked", body=chunks()), id="a tab before the colon"),
        pytest.param(post(CHUNKED, body=chunks(), version=b"HTTP/1.0"), id="chunks in HTTP/1.0"),
        pytest.param(
            post(CHUNKED, b"Connection: keep-alive", body=chunks(), version=b"HTTP/1.0"),
            id="chunks in HTTP/1.0 with keep-alive",
        ),
        *(pytest.param(post(CHUNKED, body=chunks(size)), id=f"chunk of {size[:20]!r}") for size in SIZES),
        pytest.param(post(CHUNKED, body=chunks().replace(b"\r\n", b"\n")), id="line feeds between chunks"),
        pytest.param(post(CHUNKED, body=chunks().replace(b"}\r\n", b"}XX")), id="no line break after a chunk"),
        pytest.param(LINE + b"\rHost: a\r\r", id="carriage returns alone"),
        pytest.param(LINE + b"\r\nHost: a\rX: b\r\n\r\n", id="a carriage return between headers"),
        pytest.param(LINE + b"\r\nHost: a\r\r\n\r\n", id="two carriage returns"),
        pytest.param(request(LINE, b" Host: a", b"X: b"), id="a space before the first header"),
        pytest.param(request(LINE, b"Host: a", b"X: a\0b"), id="NUL in a header"),
        pytest.param(request(LINE, b"Host: a", b"X\0: b"), id="NUL in a header's name"),
        pytest.param(request(LINE, b"Host: a", b"X"), id="a header without colon"),
        pytest.param(request(LINE, b"Host: a", b": b"), id="a header without name"),
        pytest.param(request(LINE), id="no Host"),
        pytest.param(request(b"GET /healthz HTTP/1.2"), id="no Host in HTTP/1.2"),
        pytest.param(request(LINE, b"Host: a", b"Host: b"), id="two Hosts"),
        pytest.param(request(LINE, b"Host: a", b"Host: a"), id="two equal Hosts"),
        *(pytest.param(request(LINE, b"Host: " + host), id=f"Host {host!r}") for host in HOSTS),
        *(pytest.param(request(LINE[:13] + version, b"Host: a"), id=repr(version)) for version in VERSIONS),
        pytest.param(b"GET /healthz\r\n", id="HTTP/0.9 without a version"),
        pytest.param(b"GET /healthz\r\n\r\n", id="HTTP/0.9 without a version, and an empty line"),
        pytest.param(request(b"GET  /healthz HTTP/1.1", b"Host: a"), id="two spaces"),
        pytest.param(request(b"GET\t/healthz\tHTTP/1.1", b"Host: a"), id="tabs"),
        pytest.param(request(b" " + LINE, b"Host: a"), id="a space first"),
        pytest.param(request(b"GET /health\0z HTTP/1.1", b"Host: a"), id="NUL in the target"),
        pytest.param(request(b"GET /health\xffz HTTP/1.1", b"Host: a"), id="a raw byte in the target"),
        pytest.param(request(b"G<T /healthz HTTP/1.1", b"Host: a"), id="an invalid method"),
        pytest.param(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", id="HTTP/2"),
        pytest.param(b"\x16\x03\x01\x00\xf8\x01\x00\x00\xf4\x03\x03" + bytes(100), id="TLS"),
    ],
)
def test_ambiguous_request_is_rejected(shared: Container, data: bytes) -> None:
    found = shared.exchange(data + BEHIND)
    # The second request is never answered. No response arrives if the server closes before it has read everything.
    assert [answer.status for answer in found] in ([400], [505], [])
    for answer in found:
        assert answer.headers["connection"].lower() == "close"
        assert_problem(answer, answer.status)


@pytest.mark.parametrize(
    "data",
    [
        *(pytest.param(post(CHUNKED[:19] + text, body=chunks()), id=repr(text)) for text in UNKNOWN_CODINGS),
        pytest.param(post(CHUNKED, CHUNKED, body=chunks()), id="two equal codings"),
        pytest.param(post(CHUNKED, CHUNKED[:19] + b"identity", body=chunks()), id="two codings"),
    ],
)
def test_unknown_transfer_coding_is_501(shared: Container, data: bytes) -> None:
    (answer,) = shared.exchange(data + BEHIND)
    assert_problem(answer, 501)
    assert answer.headers["connection"].lower() == "close"


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(post(b"Content-Length: %d" % (2**64 + len(BODY))), id="a length"),
        pytest.param(post(CHUNKED, body=chunks(b"%x" % (2**64 + len(BODY)))), id="a chunk"),
        pytest.param(post(CHUNKED, body=chunks(b"f" * 17)), id="a chunk of 17 digits"),
    ],
)
def test_size_over_64_bits_is_not_truncated(shared: Container, data: bytes) -> None:
    # The body includes the bytes of the second request, up to the limit of a body, or the request is rejected.
    data += BEHIND + b"a" * 2 * Settings().max_body_bytes
    received = b""
    with shared.connect() as connection, suppress(ConnectionError):
        with suppress(ConnectionError):
            connection.sendall(data)
        received = connection.recv(65536)
        connection.shutdown(socket.SHUT_WR)
        while part := connection.recv(65536):
            received += part
    assert [answer.status for answer in answers(received)] in ([413], [400], [])


# 5. Every request gets a response and leaves no traceback.


@contextmanager
def no_traceback(container: Container) -> Iterator[None]:
    """Fail if the context leaves an error or a traceback in the log."""
    before = len(container.failures)
    yield
    identity = container.ask("GET", "/nothing").headers["x-request-id"]
    eventually(lambda: identity in container.log)
    assert container.failures[before:] == []


HEALTHZ = request(b"POST /healthz HTTP/1.1", b"Host: a", CHUNKED)
NO_CHUNK = b"zz\r\n\r\n"


@pytest.mark.parametrize(
    ("data", "statuses"),
    [
        pytest.param(get(b"/\xff"), [400], id="a raw byte in the target"),
        pytest.param(get(b"/healthz", method=b"G\0T"), [400], id="NUL in the method"),
        pytest.param(get(b"/healthz", method=b"G\xffT"), [400], id="a raw byte in the method"),
        pytest.param(get(b"/healthz", b"X: a\0b"), [400], id="NUL in a header"),
        pytest.param(get(b"/healthz", b"X: \xff"), [200], id="a raw byte in a header"),
        pytest.param(
            request(LINE, b"Host: a", b"Connection: upgrade, HTTP2-Settings", b"Upgrade: h2c", b"HTTP2-Settings: AAA")
            + BEHIND,
            [200, 200],
            id="an upgrade to HTTP/2",
        ),
        pytest.param(post(LENGTH, b"Expect: 100-continue") + BEHIND, [100, 200, 200], id="an expectation"),
        # RFC 9110, section 10.1.1: HTTP/1.0 clients do not know that response.
        pytest.param(post(LENGTH, b"Expect: 100-continue", version=b"HTTP/1.0"), [200], id="HTTP/1.0's expectation"),
        pytest.param(request(b"GET http://b/healthz HTTP/1.1", b"Host: a") + BEHIND, [200, 200], id="a URL as target"),
        pytest.param(request(LINE, b"Host: a") * 99 + BEHIND, [200] * 100, id="100 pipelined requests"),
        pytest.param(request(LINE, b"Host: a") + b"\0\r\n\r\n", [200, 400], id="invalid bytes after a request"),
        pytest.param(HEALTHZ + NO_CHUNK, [400], id="invalid chunk, to a route without a body"),
        pytest.param(HEALTHZ + b"1\r\na\r\n" + NO_CHUNK, [400], id="invalid 2nd chunk, to a route without a body"),
        pytest.param(post(CHUNKED, body=NO_CHUNK), [400], id="invalid chunk, to a route with a body"),
        pytest.param(
            post(CHUNKED, body=b"1\r\n{\r\n" + NO_CHUNK), [400], id="invalid 2nd chunk, to a route with a body"
        ),
    ],
)
def test_each_request_has_one_response_and_no_traceback(shared: Container, data: bytes, statuses: list[int]) -> None:
    with no_traceback(shared):
        assert [answer.status for answer in shared.exchange(data)] == statuses


def test_websocket_upgrade_leaves_no_traceback(shared: Container) -> None:
    data = request(LINE, b"Host: a", b"Connection: upgrade", b"Upgrade: websocket") + BEHIND
    with no_traceback(shared):
        found = [answer.status for answer in shared.exchange(data)]
    # A service with WebSockets rejects it, because the key is missing.
    assert found in ([200, 200], [400])


@pytest.mark.parametrize("size", [17_000, 70_000, 300_000])
def test_long_target_has_a_response_and_no_traceback(shared: Container, size: int) -> None:
    with no_traceback(shared):
        found = shared.exchange(get(b"/" + b"a" * size))
    # No response arrives if the server closes before it has read everything.
    assert [answer.status for answer in found] in ([431], [404], [])


HALVES = {
    "in the line": b"GET",
    "in the headers": LINE + b"\r\nHost: a\r\n",
    "in the body": post(LENGTH)[:-1],
    "in a chunk": post(CHUNKED, body=SIZE),
}


@pytest.mark.parametrize("half", HALVES.values(), ids=HALVES.keys())
def test_a_half_sent_request_leaves_no_traceback(shared: Container, half: bytes) -> None:
    with no_traceback(shared), shared.connect(half) as connection:
        connection.shutdown(socket.SHUT_WR)
        while connection.recv(65536):
            pass


def test_invalid_chunk_after_a_response_closes(shared: Container) -> None:
    with no_traceback(shared), shared.connect(HEALTHZ) as connection:
        received = connection.recv(65536)
        while not received.endswith(b"}"):
            received += connection.recv(65536)
        connection.sendall(NO_CHUNK)
        with suppress(ConnectionError):
            received += connection.recv(65536)
    assert [answer.status for answer in answers(received)] in ([405], [405, 400])


def test_invalid_chunk_during_a_response_closes(with_routes: Container) -> None:
    data = request(b"GET /stream HTTP/1.1", b"Host: a", CHUNKED)
    with no_traceback(with_routes), with_routes.connect(data) as connection:
        received = connection.recv(65536)
        connection.sendall(NO_CHUNK)
        with suppress(ConnectionError):
            while part := connection.recv(65536):
                received += part
    assert received.startswith(b"HTTP/1.1 200 ")
    assert received.count(b"HTTP/1.1 ") == 1
