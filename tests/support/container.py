"""Containers of the image in question, by way of the docker command line."""

import json
import os
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any

from deploy.container import DOCKER
from deploy.load import REQUESTS, read

# How many times as long everything may take: an emulated processor needs ten or more.
PATIENCE = float(os.environ.get("PATIENCE", "1"))
# OpenShift, among others, chooses the user, in root's group.
ANOTHER_USER = "--user=123456:0"
# Health that is told sooner: every second, and without the time in which a container starts, when the engine asks every
# 5 s.
SOON = ("--health-interval=1s", "--health-retries=1", "--health-start-period=1ms")
# By which whoever started the tests finds what they left behind when they were killed.
LABEL = os.environ.get("CONTAINER_LABEL", f"tests-image={os.getpid()}")


def docker(*arguments: str, check: bool = True, text: str = "", seconds: float = 60, folder: Path | None = None) -> str:
    """Return what the command prints, on both its outputs.

    `text` is its standard input, and `folder` where it runs. Raises AssertionError if it fails, unless `check` is
    false, or takes longer than `seconds`.
    """
    command = [DOCKER, *arguments]
    done = subprocess.run(
        command,
        cwd=folder,
        input=text,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=seconds * PATIENCE,
        check=False,
    )
    assert done.returncode == 0 or not check, f"{command}: {done.stdout}"
    return done.stdout


def eventually(happened: Callable[[], object], seconds: float = 20) -> None:
    """Wait until it has happened, at most so long."""
    end = time.monotonic() + seconds * PATIENCE
    while not happened():
        assert time.monotonic() < end, f"not within {seconds} s"
        time.sleep(0.05)


@dataclass(frozen=True)
class Answer:
    """An HTTP answer: its headers by lower-case name."""

    status: int
    headers: dict[str, str]
    body: bytes

    @cached_property
    def json(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body)


def answers(data: bytes) -> Iterator[Answer]:
    """The answers in what a server sent, one after the other; one that says no length goes on to the end."""
    while data:
        head, _, data = data.partition(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").split("\r\n")
        headers = {name.lower(): text.strip() for name, _, text in (line.partition(":") for line in lines)}
        status = int(first.split()[1])
        if headers.get("transfer-encoding") == "chunked":
            body, data = unchunked(data)
        else:
            length = int(headers.get("content-length", len(data) if status >= 200 else 0))
            body, data = data[:length], data[length:]
        yield Answer(status, headers, body)


def unchunked(data: bytes) -> tuple[bytes, bytes]:
    """A chunked body as a whole, and what follows it."""
    body = b""
    while size := int((parts := data.partition(b"\r\n"))[0], 16):
        body, data = body + parts[2][:size], parts[2][size + 2 :]
    return body, parts[2].removeprefix(b"\r\n")


@dataclass(frozen=True)
class Process:
    """A process, by its number in the container; `state` is a letter of proc(5)."""

    number: int
    parent: int
    state: str
    command: str


# Prints the processes of a container.
PROCESSES = """
import json, os, pathlib
for folder in pathlib.Path("/proc").glob("[0-9]*"):
    try:
        state, parent, *_ = (folder / "stat").read_text().rpartition(") ")[2].split()
        command = (folder / "cmdline").read_bytes().replace(bytes(1), b" ").decode()
    except OSError:
        continue
    if int(folder.name) != os.getpid():
        print(json.dumps([int(folder.name), int(parent), state, command]))
"""


@dataclass(frozen=True)
class Container:
    """A container, by its id."""

    identity: str

    @cached_property
    def address(self) -> tuple[str, int]:
        """Where its port 8000 is on this machine."""
        host, port = docker("port", self.identity, "8000").split()[0].rsplit(":", 1)
        return host, int(port)

    def inspect(self) -> Any:
        """What the engine knows of it: https://docs.docker.com/reference/api/engine, ContainerInspect."""
        return json.loads(docker("inspect", self.identity))[0]

    @property
    def state(self) -> Any:
        """Its `State`: Status, ExitCode, OOMKilled, Health and others."""
        return self.inspect()["State"]

    @property
    def log(self) -> str:
        """What it has written."""
        return docker("logs", self.identity)

    @property
    def failures(self) -> list[Any]:
        """The records of its log that report an error or hold a traceback."""
        return [record for record in self.records if record["level"] == "ERROR" or "exception" in record]

    @property
    def records(self) -> list[dict[str, str]]:
        """The lines of its log, each of which is a JSON object."""
        return [json.loads(line) for line in self.log.splitlines()]

    def ask(self, method: str, path: str, body: bytes | None = None, **headers: str) -> Answer:
        """The answer to a request; underscores in the names of headers are hyphens."""
        connection = HTTPConnection(*self.address, timeout=30 * PATIENCE)
        try:
            connection.request(method, path, body, {name.replace("_", "-"): text for name, text in headers.items()})
            answer = connection.getresponse()
            return Answer(answer.status, {name.lower(): text for name, text in answer.getheaders()}, answer.read())
        finally:
            connection.close()

    def use(self) -> None:
        """Fail unless the service does what it is there for: it answers the declared requests with a success."""
        for request in read(REQUESTS):
            answer = self.ask(request.method, request.path, request.body.encode() or None, **request.headers)
            assert 200 <= answer.status < 300, f"{request}: {answer.status}"

    def connect(self, data: bytes = b"") -> socket.socket:
        """A connection on which this was sent."""
        connection = socket.create_connection(self.address, timeout=30 * PATIENCE)
        connection.sendall(data)
        return connection

    def exchange(self, data: bytes) -> list[Answer]:
        """The answers to these bytes, until the server closes the connection; TimeoutError if it does not."""
        received = b""
        # Refused halfway, the rest cannot be sent; what was answered may arrive all the same.
        with self.connect() as connection, suppress(ConnectionError):
            with suppress(ConnectionError):
                connection.sendall(data)
            while part := connection.recv(65536):
                received += part
        return list(answers(received))

    def serves(self) -> bool:
        """Whether it answers that it is alive."""
        try:
            return self.ask("GET", "/healthz").status == 200
        except (OSError, HTTPException):
            return False

    def becomes(self, health: str) -> None:
        """Wait until its HEALTHCHECK says so."""
        eventually(lambda: self.state["Health"]["Status"] == health, 60)

    def python(self, code: str) -> str:
        """What this prints, run by Python in the running container."""
        return docker("exec", self.identity, "python", "-c", code)

    def processes(self) -> list[Process]:
        """Its processes, but for the one that looks."""
        return [Process(*json.loads(line)) for line in self.python(PROCESSES).splitlines()]

    def kill(self, process: int) -> None:
        """Kill a process in it, as its own user can."""
        self.python(f"import os; os.kill({process}, 9)")

    def stop(self) -> int:
        """Its exit code, after `docker stop`."""
        docker("stop", self.identity)
        return self.exit_code()

    def exit_code(self) -> int:
        """Its exit code, as soon as it has ended by itself."""
        eventually(lambda: self.state["Status"] == "exited")
        return int(self.state["ExitCode"])
