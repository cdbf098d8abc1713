"""What becomes of requests that no honest client sends, byte by byte: bodies, types, targets, framing, forwarding."""

import json
from collections.abc import Callable

import pytest

from tests.image.messages import JSON, assert_problem, get, post, request, sized
from tests.service import BODY
from tests.support.container import Container, eventually

# Behind another request on the same connection: whoever answers it took the bytes before it for a whole request.
BEHIND = b"GET /readyz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
CHUNKED = b"Transfer-Encoding: chunked"
# What uvicorn itself says of what is no HTTP: there is no request yet that could have an id.
NO_HTTP = b"Invalid HTTP request received."


def chunks(size: bytes = b"%x" % len(BODY), end: bytes = b"\r\n") -> bytes:
    """The body in one chunk, of which this is said to be the size."""
    return size + b"\r\n" + BODY + b"\r\n0\r\n" + end


def records(container: Container) -> list[dict[str, str]]:
    """The lines of its log."""
    return [json.loads(line) for line in container.log.splitlines()]


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(sized(), id="an ordinary one"),
        pytest.param(sized(media_type=JSON + b"; a=" + b"x" * 10240), id="a type of 10 KB"),
        pytest.param(sized(b"Expect: 999"), id="an expectation that nobody knows"),
    ],
)
def test_odd_requests_that_harm_nobody_are_answered(shared: Container, data: bytes) -> None:
    (answer,) = shared.exchange(data)
    assert (answer.status, answer.headers["content-type"]) == (200, "application/json")


def test_who_asks_whether_to_send_a_body_is_told_to_go_on(shared: Container) -> None:
    assert [answer.status for answer in shared.exchange(sized(b"Expect: 100-continue"))] == [100, 200]


NAME = json.dumps(next(iter(json.loads(BODY)))).encode()


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(sized(body=b""), id="none"),
        pytest.param(sized(body=b"\0"), id="NUL"),
        pytest.param(sized(body=BODY[:-3]), id="cut off"),
        pytest.param(sized(body=b'{%s: "\xff"}' % NAME), id="no UTF-8"),
        pytest.param(sized(body=b'{%s: "\\ud800"}' % NAME), id="half a character"),
        pytest.param(sized(body=b"{%s: NaN}" % NAME), id="NaN"),
        pytest.param(sized(body=b"{%s: -Infinity}" % NAME), id="Infinity"),
        pytest.param(sized(body=b"[" * 100_000), id="100,000 brackets"),
        pytest.param(sized(body=b"{%s:" % NAME * 7000), id="7,000 objects"),
        pytest.param(sized(body=b"{%s: %s}" % (NAME, b"9" * 100_000)), id="100,000 digits"),
        pytest.param(sized(body=BODY[:-1] + b", %s: []}" % NAME), id="a key twice, of which one is another type"),
        pytest.param(sized(body=b'{"<script>\\u001b": 1}'), id="another key"),
        pytest.param(sized(body=b'{"%s": 1}' % (b"<script>" * 10_000)), id="a key of 80 KB"),
        pytest.param(sized(media_type=b"Content-Type: <script>"), id="a type that is none"),
        pytest.param(sized(media_type=b"Content-Type:"), id="an empty type"),
        pytest.param(sized(media_type=b"Content-Type: \xff"), id="a type of raw bytes"),
        pytest.param(sized(media_type=b"Content-Type: multipart/form-data; boundary=a"), id="a form"),
        pytest.param(
            post(b"Connection: close", b"Transfer-Encoding: gzip, chunked", body=b"2\r\n\x1f\x8b\r\n0\r\n\r\n"),
            id="gzip as transfer coding",
        ),
    ],
)
def test_a_body_that_will_not_do_is_a_problem(shared: Container, data: bytes) -> None:
    (answer,) = shared.exchange(data)
    assert answer.status in {400, 415, 422}
    assert_problem(answer, answer.status)


@pytest.mark.parametrize("method", [b"TRACE", b"CONNECT", b"BREW", b"get", b"B" * 10_000], ids=lambda name: name[:9])
def test_another_method_is_a_problem(shared: Container, method: bytes) -> None:
    (answer,) = shared.exchange(get(b"/healthz", b"X-Secret: swordfish", method=method))
    assert_problem(answer, 405)
    assert answer.headers["allow"] == "GET, HEAD"
    assert b"swordfish" not in answer.body


@pytest.mark.parametrize(
    "target",
    [
        pytest.param(b"/" + b"a" * 8000, id="long"),
        pytest.param(b"/<script>", id="markup"),
        pytest.param(b"/%00", id="NUL"),
        pytest.param(b"/%ff", id="no UTF-8"),
        pytest.param(b"/%zz", id="no escape"),
        pytest.param(b"/%0d%0aX-Header:%20a", id="line breaks"),
        pytest.param(b"/../main.py", id="dots"),
        pytest.param(b"/..%2fmain.py", id="dots, escaped"),
        pytest.param(b"/..\\main.py", id="dots, the other slash"),
        pytest.param(b"//evil.example", id="another host"),
        pytest.param(b"//evil.example/..", id="another host, and back"),
        pytest.param(b"/%2f%2fevil.example/%2e%2e", id="another host, and back, escaped"),
        pytest.param(b"http://evil.example/healthz", id="absolute"),
        pytest.param(b"evil.example:443", id="authority"),
        pytest.param(b"*", id="asterisk"),
        pytest.param(b".", id="dot"),
        pytest.param(b"?", id="question mark"),
    ],
)
def test_a_target_that_leads_nowhere_is_a_problem_and_no_redirect(shared: Container, target: bytes) -> None:
    (answer,) = shared.exchange(get(target))
    assert_problem(answer, 404)


SIZE, LENGTH = b"%x" % len(BODY), b"Content-Length: %d" % len(BODY)


@pytest.mark.parametrize(
    ("data", "statuses"),
    [
        pytest.param(post(LENGTH), [200, 200], id="a length"),
        pytest.param(post(LENGTH.replace(b" ", b" 00")), [200, 200], id="a length with zeros"),
        pytest.param(post(CHUNKED, body=chunks()), [200, 200], id="chunks"),
        pytest.param(post(b"Transfer-Encoding: ,\tChunked ", body=chunks()), [200, 200], id="a list of one"),
        pytest.param(post(CHUNKED, body=chunks(SIZE + b";a=b")), [200, 200], id="a chunk's extension"),
        pytest.param(post(CHUNKED, body=chunks(end=b"X: a\r\n\r\n")), [200, 200], id="a trailer"),
        pytest.param(request(b"GET /healthz HTTP/1.1", b"Host:"), [200, 200], id="an empty Host"),
        pytest.param(request(b"GET /healthz HTTP/1.1", b"Host: [::1]:80"), [200, 200], id="an address as Host"),
        # RFC 9110, section 2.5: a newer minor version is read as the newest one known.
        pytest.param(request(b"GET /healthz HTTP/1.2", b"Host: a"), [200, 200], id="HTTP/1.2"),
        # Hosts and connections that last came with HTTP/1.1.
        pytest.param(request(b"GET /healthz HTTP/1.0"), [200], id="HTTP/1.0 without Host"),
    ],
)
def test_a_request_ends_where_it_says(shared: Container, data: bytes, statuses: list[int]) -> None:
    assert [answer.status for answer in shared.exchange(data + BEHIND)] == statuses


LENGTHS = [b"", b"-1", b"+6", b"0x6", b"6.0", b"6_0", b"6 6", b"6a", b"6, 6", b"6, 7", b"\x0b6", b"\xa06", b"9" * 30]
# Each with the real length in place of the 6; and what would be that if it were read modulo 2 to the power of 64.
LENGTHS = [text.replace(b"6", b"%d" % len(BODY)) for text in LENGTHS] + [b"%d" % (2**64 + len(BODY))]
CODINGS = [b"", b"xchunked", b"gzip", b"identity", b"chunked, gzip", b"chunked, identity", b"chunked, chunked"]
CODINGS += [b'"chunked"', b"chunked;a=b", b"chunked\0", b"\x0bchunked", b"\r\n chunked"]
HOSTS = [b"a b", b"a, b", b"a/b", b"a@b", b"a?b", b"a:b", b"a\x01", b"\xff", b"<script>", b"[::1"]
SIZES = [b"", b"0x6", b"-6", b"+6", b"0_6", b" 6", b"6 ", b"6;a\nb", b"6;a\rb", b"6;" + b"a" * 100_000]
SIZES = [text.replace(b"6", SIZE) for text in SIZES]
SIZES += [b"0" * 40 + SIZE, b"f" * 17, *(b"%x" % (number + len(BODY)) for number in (2**64, -1, 1))]
VERSIONS = [b"HTTP/0.9", b"HTTP/1", b"HTTP/1.10", b"HTTP/01.1", b"HTTP/2.0", b"HTTP/9.9", b"HTTP/-1.1", b"http/1.1"]
LINE = b"GET /healthz HTTP/1.1"


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(post(LENGTH, CHUNKED, body=b"0\r\n\r\n"), id="length, then coding"),
        pytest.param(post(CHUNKED, LENGTH, body=b"0\r\n\r\n"), id="coding, then length"),
        pytest.param(post(LENGTH, b"Content-Length: 0"), id="two lengths"),
        pytest.param(post(LENGTH, LENGTH), id="two equal lengths"),
        *(pytest.param(post(b"Content-Length: " + text), id=f"length {text!r}") for text in LENGTHS),
        *(pytest.param(post(CHUNKED[:19] + text, body=chunks()), id=f"coding {text!r}") for text in CODINGS),
        pytest.param(post(CHUNKED, CHUNKED, body=chunks()), id="two equal codings"),
        pytest.param(post(CHUNKED, CHUNKED[:19] + b"identity", body=chunks()), id="two codings"),
        pytest.param(post(b"Transfer-Encoding : chunked", body=chunks()), id="a space before the colon"),
        pytest.param(post(b"Transfer-Encoding\t: chunked", body=chunks()), id="a tab before the colon"),
        pytest.param(post(CHUNKED, body=chunks(), version=b"HTTP/1.0"), id="chunks in HTTP/1.0"),
        pytest.param(
            post(CHUNKED, b"Connection: keep-alive", body=chunks(), version=b"HTTP/1.0"),
            id="chunks in HTTP/1.0 that lasts",
        ),
        *(pytest.param(post(CHUNKED, body=chunks(size)), id=f"chunk of {size[:20]!r}") for size in SIZES),
        pytest.param(post(CHUNKED, body=chunks().replace(b"\r\n", b"\n")), id="line feeds between chunks"),
        pytest.param(post(CHUNKED, body=chunks().replace(b"}\r\n", b"}XX")), id="no line break after a chunk"),
        pytest.param(post(CHUNKED, body=chunks(end=b"X: a\n\r\n")), id="a line feed in the trailer"),
        pytest.param(post(CHUNKED, body=chunks(end=LENGTH + b"\r\n\r\n")), id="a length as trailer"),
        pytest.param(LINE + b"\nHost: a\n\n", id="line feeds alone"),
        pytest.param(LINE + b"\nHost: a\r\n\r\n", id="a line feed after the first line"),
        pytest.param(LINE + b"\r\nHost: a\nX: b\r\n\r\n", id="a line feed between headers"),
        pytest.param(LINE + b"\r\nHost: a\r\n\n", id="a line feed at the end"),
        pytest.param(LINE + b"\rHost: a\r\r", id="carriage returns alone"),
        pytest.param(LINE + b"\r\nHost: a\rX: b\r\n\r\n", id="a carriage return between headers"),
        pytest.param(LINE + b"\r\nHost: a\r\r\n\r\n", id="two carriage returns"),
        pytest.param(request(LINE, b" Host: a", b"X: b"), id="a space before the first header"),
        pytest.param(request(LINE, b"Host: a", b"X: a", b" b"), id="a folded line"),
        pytest.param(request(LINE, b"Host: a", b"X: a\0b"), id="NUL in a header"),
        pytest.param(request(LINE, b"Host: a", b"X\0: b"), id="NUL in a header's name"),
        pytest.param(request(LINE, b"Host: a", b"X"), id="a header without colon"),
        pytest.param(request(LINE, b"Host: a", b": b"), id="a header without name"),
        pytest.param(request(LINE), id="no Host"),
        pytest.param(request(LINE, b"Host: a", b"Host: b"), id="two Hosts"),
        pytest.param(request(LINE, b"Host: a", b"Host: a"), id="two equal Hosts"),
        *(pytest.param(request(LINE, b"Host: " + host), id=f"Host {host!r}") for host in HOSTS),
        *(pytest.param(request(LINE[:13] + version, b"Host: a"), id=repr(version)) for version in VERSIONS),
        pytest.param(b"GET /healthz\r\n", id="no version"),
        pytest.param(request(b"GET  /healthz HTTP/1.1", b"Host: a"), id="two spaces"),
        pytest.param(request(b"GET\t/healthz\tHTTP/1.1", b"Host: a"), id="tabs"),
        pytest.param(request(b" " + LINE, b"Host: a"), id="a space first"),
        pytest.param(request(b"GET /health\0z HTTP/1.1", b"Host: a"), id="NUL in the target"),
        pytest.param(request(b"G<T /healthz HTTP/1.1", b"Host: a"), id="a method that is none"),
        pytest.param(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", id="HTTP/2"),
        pytest.param(b"\x16\x03\x01\x00\xf8\x01\x00\x00\xf4\x03\x03" + bytes(100), id="TLS"),
    ],
)
def test_a_request_that_two_could_read_in_two_ways_is_refused(shared: Container, data: bytes) -> None:
    found = shared.exchange(data + BEHIND)
    # Never an answer to what stands behind it; none at all where the server closed before it had read everything.
    assert [answer.status for answer in found] in ([400], [])
    for answer in found:
        assert answer.headers["connection"].lower() == "close"
        if answer.body != NO_HTTP:
            assert_problem(answer, 400)


FORWARDED = {
    "X_Forwarded_For": "203.0.113.7",
    "X_Forwarded_Host": "evil.example",
    "X_Forwarded_Port": "444",
    "X_Forwarded_Prefix": "/evil",
    "X_Forwarded_Proto": "https",
    "X_Real_IP": "203.0.113.7",
    "Forwarded": "for=203.0.113.7;host=evil.example;proto=https",
}


def test_what_a_peer_says_that_it_forwards_changes_nothing(with_routes: Container) -> None:
    seen = with_routes.ask("GET", "/seen").json
    assert with_routes.ask("GET", "/seen", None, **FORWARDED).json == seen


def test_what_a_trusted_peer_says_that_it_forwards_is_believed(serve: Callable[..., Container]) -> None:
    container = serve("routes", "--env=FORWARDED_ALLOW_IPS=*")
    seen = container.ask("GET", "/seen", None, **FORWARDED).json
    assert seen["client"] == "203.0.113.7"
    assert seen["url"].startswith("https://")


def test_a_path_of_raw_bytes_ends_its_connection_and_nothing_else(service: Container) -> None:
    # uvicorn answers it with nothing and a traceback; requirements.in tells of it. A 400 would be right.
    assert service.exchange(get(b"/\xff")) == []
    assert service.serves()
    eventually(lambda: any("UnicodeDecodeError" in record.get("exception", "") for record in records(service)))


# The last of those that share a container: this is what they left.
def test_after_all_that_the_service_is_as_before_and_its_log_tells_of_no_failure(shared: Container) -> None:
    assert shared.post().status == 200
    assert shared.state["Status"] == "running"
    assert not [record for record in records(shared) if record["level"] == "ERROR" or "exception" in record]
