"""The steady load: what failed is counted and told, and nothing is asked twice."""

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from deploy import load
from deploy.load import Load, LoadError, Outcome, Phase, Request, read, report

GET = Request("GET", "/a")
POST = Request("POST", "/b", "text")
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX-Served-By: b\r\n\r\nok"
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
        """The head of the next request, whose body is read; empty where the connection ends."""
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
        except (asyncio.IncompleteReadError, ConnectionError):
            return ""
        if "content-length: " in head:
            await reader.readexactly(int(head.split("content-length: ")[1].split("\r\n")[0]))
        return head

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[str]:
        """Where it serves."""
        server = await asyncio.start_server(self.serve, "127.0.0.1", 0)
        async with server:
            yield "http://127.0.0.1:{}".format(*server.sockets[0].getsockname()[1:])


def outcomes(server: Server, requests: list[Request], number: int, keep: bool = True) -> list[Outcome]:
    """What becomes of so many requests, in the order in which they were due."""

    async def ask() -> list[Outcome]:
        async with server.listening() as url:
            steady = Load(url, requests, rate=50, seconds=(number - 0.5) / 50, keep=keep)
            await asyncio.wait_for(steady.run(), 30)
            return sorted(steady.outcomes, key=lambda outcome: outcome.due)

    return asyncio.run(ask())


def test_each_request_is_asked_in_turn_on_a_connection_that_is_kept_and_on_one_of_its_own() -> None:
    server = Server([OK])
    assert [(one.failure, one.server) for one in outcomes(server, [GET, POST], 8)] == [("", "b")] * 8
    assert sorted(server.asked) == ["get /a"] * 4 + ["post /b"] * 4
    # On a machine that is held up, a second one is kept.
    assert 5 <= server.connections < 8


def test_where_connections_are_not_to_be_kept_each_request_has_its_own() -> None:
    server = Server([OK])
    outcomes(server, [GET], 4, keep=False)
    assert server.connections == 4


def test_what_fails_is_kept_with_its_reason_and_not_asked_again() -> None:
    server = Server([OK, UNAVAILABLE, None, OK])
    found = outcomes(server, [GET], 6)
    assert len(found) == len(server.asked) == 6
    assert sorted(one.failure for one in found)[4:] == [
        "RemoteProtocolError: Server disconnected without sending a response.",
        "status 503",
    ]


def test_what_is_not_answered_in_time_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(load, "TIMEOUT", 0.1)
    assert [one.failure for one in outcomes(Server([b""]), [GET], 3)] == ["no answer within 0.1 s"] * 3


def test_the_report_has_a_row_for_each_phase_and_a_line_for_each_failure() -> None:
    found = [Outcome(GET, 10 + at, 10 + at + 0.25, "a") for at in (0.0, 0.5, 2.0, 3.5)]
    found.append(Outcome(POST, 11.5, 12.5, "b", "status 502"))
    assert report(found, [Phase("before", 10), Phase("after", 12)]) == [
        "phase        requests  failed     median        p99    slowest  longest gap",
        "before              2       0     250 ms     250 ms     250 ms       500 ms",
        "after               3       1     250 ms     250 ms     250 ms     1,500 ms",
        "failed at 2.50 s after 1.00 s: POST /b: status 502 from b",
    ]


def test_once_it_prints_only_the_requests_that_fail(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    server = Server([b"HTTP/1.1 201 OK\r\nContent-Length: 0\r\n\r\n", b"HTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n"])

    async def ask() -> int:
        async with server.listening() as url:
            monkeypatch.setattr("sys.argv", ["load", "--once", url])
            monkeypatch.setattr(load, "read", lambda _: [POST, GET])
            return await asyncio.to_thread(load.main)

    assert asyncio.run(ask()) == 1
    assert capsys.readouterr().out == f"GET /a: status 404; {load.REQUESTS} needs requests that succeed\n"


def test_the_requests_of_the_project_can_be_read() -> None:
    assert read(load.REQUESTS)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "there is no request in it"),
        ("# only this\n", "there is no request in it"),
        ("/readyz\n", "which this is not: /readyz"),
        ("GET readyz\n", "which this is not: GET readyz"),
    ],
)
def test_a_file_that_will_not_do_is_told_in_a_line(tmp_path: Path, text: str, problem: str) -> None:
    path = tmp_path / "requests.txt"
    path.write_text(text)
    with pytest.raises(LoadError, match=problem):
        read(path)


def command(*arguments: str) -> subprocess.CompletedProcess[str]:
    """What becomes of the command line."""
    return subprocess.run(
        [sys.executable, "-m", "deploy.load", *arguments], capture_output=True, text=True, timeout=30, check=False
    )


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (("127.0.0.1:8000",), "a URL begins with http:// or https://, which 127.0.0.1:8000 does not"),
        (("http://127.0.0.1:8000", "--rate", "0"), "argument --rate: invalid positive value: '0'"),
        (("http://127.0.0.1:8000", "--requests", "/nowhere"), "No such file"),
    ],
)
def test_the_command_line_says_in_a_line_what_will_not_do(arguments: tuple[str, ...], problem: str) -> None:
    done = command(*arguments)
    assert done.returncode == 2
    assert problem in done.stderr.splitlines()[-1]


def test_the_command_line_fails_where_a_request_fails() -> None:
    done = command("http://127.0.0.1:1", "--seconds", "0.1", "--rate", "20")
    assert done.returncode == 1
    assert "GET /readyz: ConnectError: All connection attempts failed" in done.stdout
