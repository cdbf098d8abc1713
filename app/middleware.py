"""Middleware for every request: its id, checks, response headers and log line."""

import asyncio
import logging
import re
import time
from random import getrandbits
from urllib.parse import unquote

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app import errors
from app.logs import request_id

logger = logging.getLogger("app.access")

# The request ids that a client may send. Anything else could forge a log line.
REQUEST_ID = re.compile(rb"[A-Za-z0-9._-]{1,64}")
# RFC 9112, section 3.2, with the characters of RFC 3986. An empty host is allowed.
HOST = re.compile(rb"(?:[A-Za-z0-9._~!$&'()*+,;=%-]*|\[[A-Za-z0-9:.]+\])(?::[0-9]*)?")
# RFC 9112, section 3.2.2: clients send it to proxies, and every server must accept it.
ABSOLUTE_TARGET = re.compile(rb"https?://([^/]+)(/.*)?", re.IGNORECASE | re.DOTALL)
# Python parses no number of more than 4,300 digits, and no body needs more than 19.
CONTENT_LENGTH = re.compile(rb"[0-9]{1,19}")
# The same limit as Apache and gunicorn. h11 limits only the bytes of incomplete headers: 10,000 short ones can pass.
MAX_HEADERS = 100
# The key of a route's own limit in its OpenAPI description.
MAX_BODY_BYTES = "x-max-body-bytes"
# The orchestrator requests these every few seconds.
QUIET_PATHS = frozenset({"/healthz", "/readyz"})
# https://cheatsheetseries.owasp.org/cheatsheets/REST_Security_Cheat_Sheet.html#security-headers
DEFAULT_HEADERS = {
    b"cache-control": b"no-store",
    b"content-security-policy": b"frame-ancestors 'none'",
    b"cross-origin-resource-policy": b"same-origin",
    b"referrer-policy": b"no-referrer",
    b"x-content-type-options": b"nosniff",
}


def new_request_id() -> str:
    """Return a random id of 16 hexadecimal digits."""
    return f"{getrandbits(64):016x}"


class RequestMiddleware:
    """Adds an id and default headers, logs the request, answers HEAD, and responds to unhandled exceptions.

    After an unhandled exception, the response is 500, and the exception is raised again for the server to log its
    traceback. A handler for `Exception` would run too late to change the response.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one ASGI connection."""
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
            return
        start = time.perf_counter()
        given = dict(scope["headers"]).get(b"x-request-id", b"")
        identity = given.decode() if REQUEST_ID.fullmatch(given) else new_request_id()
        # Never reset: each request has its own context, in which the server logs exceptions later.
        request_id.set(identity)
        if scope["type"] == "websocket":
            await self.app(scope, receive, send)
            return
        status = 0
        # RFC 9110 requires HEAD wherever there is GET, and monitors use it, but routes do not support it. The server
        # keeps the original scope, so it sends no body.
        routed = {**scope, "method": "GET"} if scope["method"] == "HEAD" else scope

        async def send_with_headers(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = message.get("headers", [])
                added = DEFAULT_HEADERS | {b"x-request-id": identity.encode()}
                for name, _ in headers:
                    added.pop(name, None)  # keep the response's own header
                message["headers"] = [*headers, *added.items()]
            await send(message)

        try:
            await self.app(routed, receive, send_with_headers)
        except HTTPException as error:
            # Raised by a middleware, where the app's handlers do not apply.
            if status:
                raise
            await errors.problem(error.status_code, error.detail, error.headers)(scope, receive, send_with_headers)
        except Exception:
            if not status:
                response = errors.problem(500, "the service failed; search its log for this request id")
                await response(scope, receive, send_with_headers)
            raise
        except asyncio.CancelledError:
            # The server is stopping, and this request was not finished in time.
            if status:
                raise
            await errors.problem(503, "the service is stopping; try again")(scope, receive, send_with_headers)
        finally:
            self._log(scope, status, time.perf_counter() - start)

    def _log(self, scope: Scope, status: int, seconds: float) -> None:
        route = scope["path"].removeprefix(scope.get("root_path", ""))
        level = logging.DEBUG if route in QUIET_PATHS else logging.INFO
        if not logger.isEnabledFor(level):
            return
        # Keep it encoded: a decoded path can contain line breaks.
        path = scope["raw_path"].decode("ascii", "backslashreplace")
        fields = {"method": scope["method"], "path": path, "status": status, "duration_ms": round(seconds * 1000, 2)}
        logger.log(level, "%(method)s %(path)s %(status)d in %(duration_ms).2f ms", fields, extra=fields)


class FramingMiddleware:
    """Rejects requests that a proxy may read differently, and requests with too many headers.

    RFC 9112 requires or allows a server to reject them. The HTTP parser rejects others: h11 more than httptools. This
    middleware also accepts a URL as the request target: `GET http://host/path`.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one ASGI connection."""
        if scope["type"] == "http":
            if flaw := self._flaw(scope):
                raise HTTPException(*flaw, {"Connection": "close"})
            scope = self._relative(scope)
        await self.app(scope, receive, send)

    def _flaw(self, scope: Scope) -> tuple[int, str] | None:
        """Return the status and the reason to reject the request with, or None."""
        names = [name for name, _ in scope["headers"]]
        version = scope["http_version"]
        if not version.startswith("1."):
            return 505, "use HTTP/1.1"
        if len(names) > MAX_HEADERS:
            return 431, f"a request may have at most {MAX_HEADERS} headers"
        if names.count(b"content-length") > 1:
            return 400, "a request may have only one Content-Length header"
        if b"transfer-encoding" in names and b"content-length" in names:
            return 400, "a request may not have both Content-Length and Transfer-Encoding"
        if b"transfer-encoding" in names and version == "1.0":
            return 400, "HTTP/1.0 does not support Transfer-Encoding"
        if (hosts := names.count(b"host")) > 1 or (not hosts and version != "1.0"):
            return 400, "a request must have exactly one Host header"
        headers = dict(scope["headers"])
        if not HOST.fullmatch(headers.get(b"host", b"")):
            return 400, "the Host header is invalid"
        if not CONTENT_LENGTH.fullmatch(headers.get(b"content-length", b"0")):
            return 400, "Content-Length must be a number of at most 19 digits"
        return None

    def _relative(self, scope: Scope) -> Scope:
        """Return the scope with only the path as its target."""
        root = scope.get("root_path", "")
        found = ABSOLUTE_TARGET.fullmatch(scope["raw_path"].removeprefix(root.encode()))
        if not found or not HOST.fullmatch(found[1]):
            return scope
        path = found[2] or b"/"
        # The host of the target overrides the Host header.
        headers = [(name, text) for name, text in scope["headers"] if name != b"host"]
        return {
            **scope,
            "path": root + unquote(path.decode("ascii")),
            "raw_path": root.encode() + path,
            "headers": [(b"host", found[1]), *headers],
        }


class BodyLimitMiddleware:
    """Rejects request bodies of more than `max_bytes` with 413.

    A route can set its own limit: `openapi_extra={MAX_BODY_BYTES: 8_000_000}`. FastAPI's own `max_body_size` can only
    lower this limit, and its response is plain text, which no handler can change.
    """

    def __init__(self, app: ASGIApp, max_bytes: int) -> None:
        self.app = app
        self.max_bytes = max_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one ASGI connection."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        declared = dict(scope["headers"]).get(b"content-length", b"")
        size = 0

        async def limited_receive() -> Message:
            nonlocal size
            max_bytes = self._max_bytes(scope)
            if declared.isdigit() and int(declared) > max_bytes:
                raise self._too_large(max_bytes)
            message = await receive()
            size += len(message.get("body", b""))
            if size > max_bytes:
                raise self._too_large(max_bytes)
            return message

        await self.app(scope, limited_receive, send)

    def _max_bytes(self, scope: Scope) -> int:
        # The router adds the route to the scope before anything reads the body.
        extra = getattr(scope.get("route"), "openapi_extra", None) or {}
        return int(extra.get(MAX_BODY_BYTES, self.max_bytes))

    def _too_large(self, max_bytes: int) -> HTTPException:
        return HTTPException(413, f"the body may have at most {max_bytes} bytes")
