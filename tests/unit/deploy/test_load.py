"""Constant-rate load: failures are counted and reported, and no request is repeated."""

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from deploy import load
from deploy.load import FAILING, Load, LoadError, Outcome, Phase, Request, read, report

GET = Request("GET", "/a")
POST = Request("POST", "/b", "text")
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX-Served-By: b\r\n\r\nok"
UNKNOWN = b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"
UNAVAILABLE = b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n"


@dataclass
class Server:
    """A server that answers each request with the next of its answers; None closes the connection instead."""

    answers: list[bytes | None]
    asked: list[str] = field(default_factory=list)
    connections: int = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection."""
        self.connections += 1
        while head := await self.head(reader):
            self.asked.append(head.split(" http")[0])
            answer = self.answers[min(len(self.asked), len(self.answers)) - 1]
            if answer is None:
                break
            writer.write(answer)
        writer.close()

    async def head(self, reader: asyncio.StreamReader) -> str:
        """Read the next request and return its head, or an empty string if the connection ends."""
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
        except (asyncio.IncompleteReadError, ConnectionError):
            return ""
        if "content-length: " in head:
            await reader.readexactly(int(head.split("content-length: ")[1].split("\r\n")[0]))
        return head

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[str]:
        """Listen inside the context, and return the URL."""
        server = await asyncio.start_server(self.serve, "127.0.0.1", 0)
        async with server:
            yield "http://127.0.0.1:{}".format(*server.sockets[0].getsockname()[1:])


def outcomes(
    server: Server, requests: list[Request], number: int, keep: bool = True, rate: float = 50, failing: int = FAILING
) -> list[Outcome]:
    """Return the outcomes of this many requests in the order in which they were due."""

    async def ask() -> list[Outcome]:
        async with server.listening() as url:
            steady = Load(url, requests, rate, seconds=(number - 0.5) / rate, keep=keep, failing=failing)
            await asyncio.wait_for(steady.run(), 30)
            return sorted(steady.outcomes, key=lambda outcome: outcome.due)

    return asyncio.run(ask())


def test_each_request_is_sent_with_and_without_keep_alive() -> None:
    for _ in range(20):
        server = Server([OK])
        assert [(one.failure, one.server) for one in outcomes(server, [GET, POST], 8)] == [("", "b")] * 8
        assert sorted(server.asked) == ["get /a"] * 4 + ["post /b"] * 4
        assert server.connections >= 5
        # On a busy machine, a request can be due before the one before it has given its connection back.
        if server.connections < 8:
            return
    pytest.fail("no connection was used again")


def test_without_keep_alive_each_request_opens_a_connection() -> None:
    server = Server([OK])
    outcomes(server, [GET], 4, keep=False)
    assert server.connections == 4


def test_failures_are_recorded_and_not_repeated() -> None:
    server = Server([OK, UNAVAILABLE, None, OK])
    found = outcomes(server, [GET], 6)
    assert len(found) == len(server.asked) == 6
    assert sorted(one.failure for one in found)[4:] == [
        "RemoteProtocolError: Server disconnected without sending a response.",
        "status 503",
    ]


@pytest.mark.parametrize(("failing", "failures"), [(FAILING, ["status 404", "status 503"]), (500, ["", "status 503"])])
def test_lowest_failing_status_can_be_set(failing: int, failures: list[str]) -> None:
    found = outcomes(Server([UNKNOWN, UNAVAILABLE]), [GET], 2, failing=failing)
    assert sorted(one.failure for one in found) == failures


def test_request_fails_without_response_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(load, "TIMEOUT", 0.1)
    assert [one.failure for one in outcomes(Server([b""]), [GET], 3)] == ["no response within 0.1 s"] * 3


def test_report_has_a_line_for_each_phase_and_failure() -> None:
    found = [Outcome(GET, 10 + at, 10 + at + 0.25, "a") for at in (0.0, 0.5, 2.0, 3.5)]
    found.append(Outcome(POST, 11.5, 12.5, "b", "status 502"))
    assert report(found, [Phase("before", 10), Phase("after", 12)]) == [
        "phase        requests  failed     median        p99    slowest  longest gap",
        "before              2       0     250 ms     250 ms     250 ms       500 ms",
        "after               3       1     250 ms     250 ms     250 ms     1,500 ms",
        "failed at 2.50 s after 1.00 s: POST /b: status 502 from b",
    ]


def test_twice_prints_only_failures(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    created, conflict, unknown = (
        f"HTTP/1.1 {status}\r\nContent-Length: 0\r\n\r\n".encode()
        for status in ("201 Created", "409 Conflict", "404 Not Found")
    )
    server = Server([created, unknown, conflict, unknown])

    async def ask() -> int:
        async with server.listening() as url:
            monkeypatch.setattr("sys.argv", ["load", "--twice", url])
            monkeypatch.setattr(load, "read", lambda _: [POST, GET])
            return await asyncio.to_thread(load.main)

    assert asyncio.run(ask()) == 1
    assert capsys.readouterr().out.splitlines() == [
        f"GET /a: status 404; correct this request in {load.REQUESTS}",
        f"POST /b: status 409; correct this request in {load.REQUESTS}",
    ]


def test_project_requests_are_valid() -> None:
    assert read(load.REQUESTS)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "contains no requests"),
        ("# only this\n", "contains no requests"),
        ("/readyz\n", "instead of this line: /readyz"),
        ("GET readyz\n", "instead of this line: GET readyz"),
    ],
)
def test_invalid_file_raises_an_error(tmp_path: Path, text: str, problem: str) -> None:
    path = tmp_path / "requests.txt"
    path.write_text(text)
    with pytest.raises(LoadError, match=problem):
        read(path)


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (("127.0.0.1:8000",), "the URL must begin with http:// or https://, not 127.0.0.1:8000"),
        (("http://127.0.0.1:8000", "--rate", "0"), "argument --rate: invalid positive value: '0'"),
        (("http://127.0.0.1:8000", "--requests", "/nowhere"), "No such file"),
    ],
)
def test_invalid_arguments_exit_2_with_the_problem(
    arguments: tuple[str, ...], problem: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["load", *arguments])
    with pytest.raises(SystemExit, match="2"):
        load.main()
    assert problem in capsys.readouterr().err.splitlines()[-1]


def test_failed_request_exits_1() -> None:
    command = [sys.executable, "-m", "deploy.load", "http://127.0.0.1:1", "--seconds", "0.1", "--rate", "20"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 1
    assert "GET /readyz: ConnectError: All connection attempts failed" in done.stdout
