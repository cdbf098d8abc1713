"""What happens to every request, whatever its route: an id, checks, headers, a line in the log."""

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

# What a caller may choose as the id: anything else could forge a line of the log.
REQUEST_ID = re.compile(rb"[A-Za-z0-9._-]{1,64}")
# RFC 9112, section 3.2, and the signs that RFC 3986 has for it; empty is allowed.
HOST = re.compile(rb"(?:[A-Za-z0-9._~!$&'()*+,;=%-]*|\[[A-Za-z0-9:.]+\])(?::[0-9]*)?")
# RFC 9112, section 3.2.2: clients send it to proxies, and every server has to read it.
ABSOLUTE_TARGET = re.compile(rb"https?://([^/]+)(/.*)?", re.IGNORECASE | re.DOTALL)
# A number of more than 4,300 digits cannot be read, and no body needs more than these.
CONTENT_LENGTH = re.compile(rb"[0-9]{1,19}")
# As many as Apache and gunicorn allow. h11 limits the bytes of incomplete headers only: 10,000 short ones can pass.
MAX_HEADERS = 100
# The limit of one route, as its description tells it.
MAX_BODY_BYTES = "x-max-body-bytes"
# Asked every few seconds by whatever runs the container.
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
    """A random id, of 16 hexadecimal digits."""
    return f"{getrandbits(64):016x}"


class RequestMiddleware:
    """Gives each request an id and default response headers, logs it, and answers HEAD and what nobody caught.

    What nobody foresaw is answered with 500 and raised on, so that the server logs its traceback; a handler for
    `Exception` would come too late to change the answer.
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
        # Left set: each request has a context of its own, and the server logs what is raised in it.
        request_id.set(identity)
        if scope["type"] == "websocket":
            await self.app(scope, receive, send)
            return
        status = 0
        # Where there is GET there is HEAD, says RFC 9110, and monitors ask for health by it; routes do not know.
        # The server, which has the scope as it was, sends no body then.
        routed = {**scope, "method": "GET"} if scope["method"] == "HEAD" else scope

        async def send_with_headers(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = message.get("headers", [])
                added = DEFAULT_HEADERS | {b"x-request-id": identity.encode()}
                for name, _ in headers:
                    added.pop(name, None)  # the answer's own header stands
                message["headers"] = [*headers, *added.items()]
            await send(message)

        try:
            await self.app(routed, receive, send_with_headers)
        except HTTPException as error:
            # Raised by a middleware, out of reach of the app's handlers.
            if status:
                raise
            await errors.problem(error.status_code, error.detail, error.headers)(scope, receive, send_with_headers)
        except Exception:
            if not status:
                response = errors.problem(500, "the service failed; its log tells more under this request id")
                await response(scope, receive, send_with_headers)
            raise
        except asyncio.CancelledError:
            # The server stops, and this request was not done in time.
            if status:
                raise
            await errors.problem(503, "the service stops; ask again")(scope, receive, send_with_headers)
        finally:
            self._log(scope, status, time.perf_counter() - start)

    def _log(self, scope: Scope, status: int, seconds: float) -> None:
        route = scope["path"].removeprefix(scope.get("root_path", ""))
        level = logging.DEBUG if route in QUIET_PATHS else logging.INFO
        if not logger.isEnabledFor(level):
            return
        # As it was sent: decoded, it could hold line breaks.
        path = scope["raw_path"].decode("ascii", "backslashreplace")
        fields = {"method": scope["method"], "path": path, "status": status, "duration_ms": round(seconds * 1000, 2)}
        logger.log(level, "%(method)s %(path)s %(status)d in %(duration_ms).2f ms", fields, extra=fields)


class FramingMiddleware:
    """Rejects requests that a proxy in front may read differently, and those with too many headers.

    It also serves requests whose target is a whole address, `GET http://host/path`.

    RFC 9112 requires or allows a server to reject them. The HTTP parser rejects others: h11 more than httptools.
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
            return 505, "this service speaks HTTP/1.1"
        if len(names) > MAX_HEADERS:
            return 431, f"a request may have at most {MAX_HEADERS} headers"
        if names.count(b"content-length") > 1:
            return 400, "Content-Length is there more than once"
        if b"transfer-encoding" in names and b"content-length" in names:
            return 400, "Content-Length and Transfer-Encoding exclude each other"
        if b"transfer-encoding" in names and version == "1.0":
            return 400, "HTTP/1.0 knows no Transfer-Encoding"
        if (hosts := names.count(b"host")) > 1 or (not hosts and version != "1.0"):
            return 400, "a request must have exactly one Host header"
        headers = dict(scope["headers"])
        if not HOST.fullmatch(headers.get(b"host", b"")):
            return 400, "the header Host names no host"
        if not CONTENT_LENGTH.fullmatch(headers.get(b"content-length", b"0")):
            return 400, "Content-Length is not a number of at most 19 digits"
        return None

    def _relative(self, scope: Scope) -> Scope:
        """Return the scope with the path alone as its target."""
        root = scope.get("root_path", "")
        found = ABSOLUTE_TARGET.fullmatch(scope["raw_path"].removeprefix(root.encode()))
        if not found or not HOST.fullmatch(found[1]):
            return scope
        path = found[2] or b"/"
        # The host of the target counts, whatever the header says.
        headers = [(name, text) for name, text in scope["headers"] if name != b"host"]
        return {
            **scope,
            "path": root + unquote(path.decode("ascii")),
            "raw_path": root.encode() + path,
            "headers": [(b"host", found[1]), *headers],
        }


class BodyLimitMiddleware:
    """Refuses, with 413, to read a request body of more than `max_bytes`.

    A route can have another limit: `openapi_extra={MAX_BODY_BYTES: 8_000_000}`. FastAPI's own `max_body_size` can only
    lower the limit here, and answers in plain text, past every handler.
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
        return HTTPException(413, f"the body may have {max_bytes} bytes at most")
