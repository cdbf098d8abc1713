"""The HTTP protocol: uvicorn's h11 protocol, with limits for each client and the error format of the app.

The production image selects it with `UVICORN_HTTP=app.server:Protocol`.
"""

import asyncio
import logging
import os
import socket
import struct
import sys
from collections.abc import Callable
from contextlib import suppress
from http import HTTPStatus
from typing import Any, ClassVar

from h11 import IDLE, SEND_RESPONSE, Data, EndOfMessage, RemoteProtocolError, Request, Response
from uvicorn.protocols.http.h11_impl import H11Protocol

from app.errors import problem
from app.logs import request_id
from app.middleware import DEFAULT_HEADERS, new_request_id
from app.settings import Settings

logger = logging.getLogger("app.server")

MAX_CONNECTIONS = Settings.from_environment(os.environ).max_connections
# Keep at most this of responses that clients do not read, and two parts for each connection. The kernel keeps more.
MAX_UNSENT_BYTES = 32_000_000
PART_BYTES = 65_536
SECONDS_BETWEEN_WARNINGS = 60
# The most that is read at once. h11 takes 10 us for each chunk of a body, even of a single byte, and other connections
# wait meanwhile.
READ_BYTES = 8192
REASONS = {
    431: "the headers are too long",
    501: "the only supported transfer coding is chunked",
}


class Transport:
    """A transport that writes long data in parts, because asyncio keeps all of it until the last byte is sent.

    It calls `after_long` after long data.
    """

    def __init__(self, transport: asyncio.Transport, after_long: Callable[[], None]) -> None:
        self._transport = transport
        self._after_long = after_long

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)

    def write(self, data: bytes) -> None:
        """Send the data."""
        if len(data) <= PART_BYTES:
            self._transport.write(data)
            return
        for start in range(0, len(data), PART_BYTES):
            if self._transport.is_closing():
                return
            self._transport.write(data[start : start + PART_BYTES])
        self._after_long()


class Protocol(H11Protocol):
    """One connection.

    Beyond MAX_CONNECTIONS or MAX_UNSENT_BYTES, the connection whose client has been silent longest is closed. So
    clients that send half a request, or do not read the response, cannot exhaust the memory, and a health check always
    gets through. WebSockets are not counted.
    """

    # The connection that has been silent longest comes first.
    connections_by_silence: ClassVar[dict["Protocol", None]] = {}
    warned: ClassVar[float] = -SECONDS_BETWEEN_WARNINGS

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as in uvicorn
        """Make room for the connection."""
        super().connection_made(Transport(transport, self._make_room))  # type: ignore[arg-type]  # it delegates
        self.whole_transport = transport
        # Transports of other event loops may lack it.
        with suppress(AttributeError):
            transport.max_size = READ_BYTES  # type: ignore[attr-defined]  # asyncio has no public name for it
        self.connections_by_silence[self] = None
        if len(self.connections_by_silence) > MAX_CONNECTIONS:
            self._close(next(iter(self.connections_by_silence)), f"more than {MAX_CONNECTIONS} connections")

    def data_received(self, data: bytes) -> None:
        """Read the data."""
        if self in self.connections_by_silence:
            del self.connections_by_silence[self]
            self.connections_by_silence[self] = None
        super().data_received(data)

    def resume_writing(self) -> None:
        """Read the next request, if it waits."""
        super().resume_writing()
        # Later, because asyncio is in the middle of a write, and a rejected request closes the connection.
        self.loop.call_soon(self._read_next)

    def _read_next(self) -> None:
        if self.conn.their_state is IDLE and not self.transport.is_closing():
            self.flow.resume_reading()
            self.handle_events()

    def handle_events(self) -> None:
        """Handle what has been received, but no request before the client has read most of the previous response."""
        if self.conn.their_state is not IDLE or not self.flow.write_paused:
            super().handle_events()
        elif self.conn.trailing_data[0]:
            self.flow.pause_reading()
            # The connection is not idle.
            self._unset_keepalive_if_required()

    def _make_room(self) -> None:
        others = (one for one in self.connections_by_silence if one is not self)
        unsent = {one: one.transport.get_write_buffer_size() for one in others}
        total = sum(unsent.values())
        for one, size in unsent.items():
            if size and total > MAX_UNSENT_BYTES:
                total -= size
                self._close(one, f"more than {MAX_UNSENT_BYTES} bytes of responses that are not read")

    def _close(self, silent: "Protocol", reason: str) -> None:
        del self.connections_by_silence[silent]
        # Otherwise the kernel keeps for minutes what the client does not read.
        if connection := silent.transport.get_extra_info("socket"):
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        silent.transport.abort()
        if self.loop.time() - Protocol.warned >= SECONDS_BETWEEN_WARNINGS:
            Protocol.warned = self.loop.time()
            logger.warning("%s: closing the connections that have been silent longest", reason)

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the connection."""
        self.connections_by_silence.pop(self, None)
        super().connection_lost(exc)

    def handle_websocket_upgrade(self, event: Request) -> None:
        """Forget the connection, which another protocol handles from now on."""
        self.connections_by_silence.pop(self, None)
        self.transport = self.whole_transport
        super().handle_websocket_upgrade(event)

    def send_400_response(self, msg: str) -> None:
        """Reject the request, unless a response has begun, and close the connection.

        uvicorn 0.54 always responds with 400, although h11 names another status for some requests. If a response has
        begun, h11 raises an exception in the protocol. If one begins later, h11 raises it in the app. Either way, any
        client could fill the log with tracebacks by sending invalid chunks.
        """
        if self.conn.our_state in {IDLE, SEND_RESPONSE}:
            error = sys.exception()
            status = error.error_status_hint if isinstance(error, RemoteProtocolError) else 400
            self._reject(status, REASONS.get(status, "the request is not valid HTTP"))
        self.transport.close()
        if self.cycle is not None:
            # This makes uvicorn drop what the app sends, as after a client has disconnected.
            self.cycle.disconnected = True

    def _reject(self, status: int, reason: str) -> None:
        identity = new_request_id()
        request_id.set(identity)
        logger.info("%d: %s", status, reason)
        response = problem(status, reason, {"Connection": "close"})
        body = b"" if self.conn.our_state is SEND_RESPONSE and self.scope["method"] == "HEAD" else bytes(response.body)
        headers = [*response.raw_headers, *(DEFAULT_HEADERS | {b"x-request-id": identity.encode()}).items()]
        head = Response(status_code=status, headers=headers, reason=HTTPStatus(status).phrase)
        for event in (head, Data(data=body), EndOfMessage()):
            self.transport.write(self.conn.send(event) or b"")

    def _unsupported_upgrade_warning(self) -> None:
        """Ignore the Upgrade header, as RFC 9110 allows. uvicorn would log two warnings for each."""
