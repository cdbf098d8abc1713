"""A correction to uvicorn's h11 protocol, which fails where a request turns invalid after the app was called."""

from h11 import IDLE, SEND_RESPONSE
from uvicorn.protocols.http.h11_impl import H11Protocol

answer_400 = H11Protocol.send_400_response


def reject(protocol: H11Protocol, msg: str) -> None:
    """Answer with 400 unless a response has begun, and close the connection.

    uvicorn 0.54 sends the 400 in any case. If a response has begun, h11 raises in the protocol. If one begins later,
    h11 raises in the app. Both put a traceback into the log, and any client can cause them with an invalid chunk.
    """
    if protocol.conn.our_state in {IDLE, SEND_RESPONSE}:
        answer_400(protocol, msg)
    else:
        protocol.transport.close()
    if protocol.cycle is not None:
        # From here on uvicorn drops what the app sends, as it does after a client has disconnected.
        protocol.cycle.disconnected = True


def install() -> None:
    """Replace the method in uvicorn's class.

    A subclass would do as well, but only where `UVICORN_HTTP` names it. This holds however the app is started.
    """
    H11Protocol.send_400_response = reject  # type: ignore[assignment, method-assign]  # the replacing is meant
