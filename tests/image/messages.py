"""Raw requests that no HTTP client sends, and a check of the response."""

import re

from tests.support.container import Answer

# A route of routes.py, and a valid body.
POST, BODY = "/echo", b'{"text": "a"}'

# A second request on the same connection. If it is answered, the bytes before it were read as a whole request.
BEHIND = b"GET /healthz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
JSON = b"Content-Type: application/json"
CHUNKED = b"Transfer-Encoding: chunked"


def request(*lines: bytes, body: bytes = b"") -> bytes:
    """Return a request of these lines."""
    return b"\r\n".join([*lines, b"", body])


def get(target: bytes, *headers: bytes, method: bytes = b"GET") -> bytes:
    """Return a GET request for the target, which closes the connection."""
    return request(method + b" " + target + b" HTTP/1.1", b"Host: a", b"Connection: close", *headers)


def post(*headers: bytes, body: bytes = BODY, version: bytes = b"HTTP/1.1", media_type: bytes = JSON) -> bytes:
    """Return a request with a body, without Content-Length."""
    return request(b"POST " + POST.encode() + b" " + version, b"Host: a", media_type, *headers, body=body)


def sized(*headers: bytes, body: bytes = BODY, media_type: bytes = JSON) -> bytes:
    """Return a request with a body and Content-Length, which closes the connection."""
    length = b"Content-Length: %d" % len(body)
    return post(b"Connection: close", *headers, length, body=body, media_type=media_type)


def chunks(size: bytes = b"%x" % len(BODY), end: bytes = b"\r\n") -> bytes:
    """Return the body in one chunk with this declared size."""
    return size + b"\r\n" + BODY + b"\r\n0\r\n" + end


def assert_problem(answer: Answer, status: int) -> None:
    """Fail unless the response is a problem of that status with no dangerous characters."""
    assert answer.status == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert re.fullmatch(rb"[ -~]+", answer.body)
    assert answer.json["status"] == status
    assert answer.json["request_id"] == answer.headers["x-request-id"]
    assert b"Traceback" not in answer.body
