"""The stop of the image: at any moment, it ends before `docker stop` would kill it (137)."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPResponse
from pathlib import Path
from socket import socket

import pytest

from tests.image.messages import BODY, POST
from tests.support.container import ANOTHER_USER, Container, eventually
from tests.support.start import Start

as_each_user = pytest.mark.parametrize(
    "user", [pytest.param((), id="its own user"), pytest.param((ANOTHER_USER,), id="another user")]
)
HALF_A_HEADER = b"GET /healthz HTTP/1.1\r\nHost: a\r\nX-Ha"
HEAD = f"POST {POST} HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: {len(BODY)}\r\n\r\n"
HALF_A_BODY, THE_REST = HEAD.encode() + BODY[:-5], BODY[-5:]
STREAM = b"GET /stream HTTP/1.1\r\nHost: a\r\n\r\n"


def answer(connection: socket) -> tuple[int, bytes]:
    """Return the status and the body of the response."""
    with HTTPResponse(connection) as response:
        response.begin()
        return response.status, response.read()


@as_each_user
def test_stop_when_idle_exits_0(start: Start, user: tuple[str, ...]) -> None:
    container = start(options=user)
    with container.connect():
        assert container.stop() == 0


@as_each_user
@pytest.mark.parametrize(
    ("module", "code"),
    [
        pytest.param("click", 130, id="the server"),
        pytest.param("app.main", 1, id="the app"),
    ],
)
def test_stop_during_import_exits_as_documented(
    start: Start, mount: Callable[[Path, str], str], user: tuple[str, ...], module: str, code: int
) -> None:
    hold = (
        mount(Path(__file__).with_name("hold.py"), "/hold/sitecustomize.py"),
        "--env=PYTHONPATH=/hold",
        f"--env=HOLD={module}",
    )
    container = start(options=(*user, *hold), wait=False)
    eventually(lambda: "held" in container.log)
    assert container.stop() == code


def test_stop_completes_a_request_in_flight(with_routes: Container) -> None:
    with ThreadPoolExecutor() as threads:
        slow = threads.submit(with_routes.ask, "GET", "/slow?seconds=3")
        eventually(lambda: "slow has begun" in with_routes.log)
        assert with_routes.stop() == 0
    assert slow.result().status == 200
    log = with_routes.log
    assert log.index("Shutting down") < log.index('"path": "/slow')


def test_stop_completes_a_request_whose_body_is_arriving(with_routes: Container) -> None:
    with with_routes.connect(HALF_A_BODY) as client, ThreadPoolExecutor() as threads:
        assert with_routes.serves()
        code = threads.submit(with_routes.stop)
        eventually(lambda: not with_routes.serves())
        client.sendall(THE_REST)
        status, body = answer(client)
        assert (status, body[:1]) == (200, b"{")
        assert code.result() == 0


def test_stop_refuses_new_connections_at_once(with_routes: Container) -> None:
    with with_routes.connect(STREAM) as client, ThreadPoolExecutor() as threads:
        assert client.recv(1)
        code = threads.submit(with_routes.stop)
        eventually(lambda: not with_routes.serves())
        client.close()
        assert code.result() == 0
    # New connections were refused while a client was still being served, not at the time limit of the shutdown.
    assert "timeout graceful shutdown exceeded" not in with_routes.log


@pytest.mark.parametrize(
    "sent",
    [
        pytest.param(HALF_A_HEADER, id="half a header"),
        pytest.param(HALF_A_BODY, id="half a body"),
        pytest.param(STREAM, id="a stream"),
    ],
)
def test_stop_cuts_off_requests_that_never_end(with_routes: Container, sent: bytes) -> None:
    with with_routes.connect(sent):
        assert with_routes.serves()
        assert with_routes.stop() == 0
