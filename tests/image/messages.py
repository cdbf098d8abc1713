"""Requests byte by byte, as no HTTP client sends them, and the form of an answer that rejects one."""

import re

from tests.support.container import Answer

# A route of routes.py, and a body that it answers with 200.
POST, BODY = "/echo", b'{"text": "a"}'

# Behind another request on the same connection: whoever answers it took the bytes before it for a whole request.
BEHIND = b"GET /healthz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
JSON = b"Content-Type: application/json"
CHUNKED = b"Transfer-Encoding: chunked"


def request(*lines: bytes, body: bytes = b"") -> bytes:
    """A request of these lines."""
    return b"\r\n".join([*lines, b"", body])


def get(target: bytes, *headers: bytes, method: bytes = b"GET") -> bytes:
    """A request for the target, the only one on its connection."""
    return request(method + b" " + target + b" HTTP/1.1", b"Host: a", b"Connection: close", *headers)


def post(*headers: bytes, body: bytes = BODY, version: bytes = b"HTTP/1.1", media_type: bytes = JSON) -> bytes:
    """A request with a body, without a word on its length."""
    return request(b"POST " + POST.encode() + b" " + version, b"Host: a", media_type, *headers, body=body)


def sized(*headers: bytes, body: bytes = BODY, media_type: bytes = JSON) -> bytes:
    """The same with its length, the only one on its connection."""
    length = b"Content-Length: %d" % len(body)
    return post(b"Connection: close", *headers, length, body=body, media_type=media_type)


def chunks(size: bytes = b"%x" % len(BODY), end: bytes = b"\r\n") -> bytes:
    """The body in one chunk, of which this is said to be the size."""
    return size + b"\r\n" + BODY + b"\r\n0\r\n" + end


def assert_problem(answer: Answer, status: int) -> None:
    """The answer is a problem of that status that no terminal, log or browser can be misled by."""
    assert answer.status == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert re.fullmatch(rb"[ -~]+", answer.body)
    assert answer.json["status"] == status
    assert answer.json["request_id"] == answer.headers["x-request-id"]
    assert b"Traceback" not in answer.body
