"""The probe: it exits with 0 if the service is alive, or else prints the reason."""

import runpy
import socket
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from app import probe


@contextmanager
def server(answer: bytes) -> Iterator[int]:
    """Serve one request with these bytes inside the context, and yield the port."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            connection, _ = listener.accept()
            with connection:
                connection.recv(1024)
                connection.sendall(answer)

        thread = threading.Thread(target=serve)
        thread.start()
        yield listener.getsockname()[1]
        thread.join(timeout=5)


def test_healthy_service_exits_0(monkeypatch: pytest.MonkeyPatch) -> None:
    with server(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n") as port:
        monkeypatch.setattr(probe, "PORT", port)
        probe.main()


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n", "status 503"),
        (b"hello\r\n\r\n", "no response"),
        (b"", "no response"),
    ],
)
def test_other_response_exits_1(answer: bytes, reason: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with server(answer) as port:
        monkeypatch.setattr(probe, "PORT", port)
        with pytest.raises(SystemExit, match=reason):
            probe.main()


def test_refused_connection_exits_1(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        monkeypatch.setattr(probe, "PORT", listener.getsockname()[1])
    with pytest.raises(SystemExit, match="no response"):
        probe.main()


def test_module_runs_as_a_program(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise ConnectionRefusedError("refused")

    monkeypatch.setattr("http.client.HTTPConnection.request", refuse)
    monkeypatch.delitem(sys.modules, "app.probe")
    with pytest.raises(SystemExit, match="refused"):
        runpy.run_module("app.probe", run_name="__main__")
