"""Containers of the tested image, by the docker command line."""

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

# The factor for all time limits. An emulated processor needs ten or more.
PATIENCE = float(os.environ.get("PATIENCE", "1"))
# OpenShift, among others, chooses an arbitrary user in root's group.
ANOTHER_USER = "--user=123456:0"
# Check health every second, and without a start period, in which the engine would check every 5 s.
SOON = ("--health-interval=1s", "--health-retries=1", "--health-start-period=1ms")
# scripts/verify removes containers by this label if the tests are killed.
LABEL = os.environ.get("CONTAINER_LABEL", f"tests-image={os.getpid()}")


def docker(*arguments: str, check: bool = True, text: str = "", seconds: float = 60, folder: Path | None = None) -> str:
    """Run the command and return its output and standard error.

    `text` is its standard input, and `folder` its working directory. Raises AssertionError if it fails, unless `check`
    is False, and TimeoutExpired if it takes longer than `seconds`.
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
    """Wait until it has happened. Fail after this time."""
    end = time.monotonic() + seconds * PATIENCE
    while not happened():
        assert time.monotonic() < end, f"not within {seconds} s"
        time.sleep(0.05)


@dataclass(frozen=True)
class Answer:
    """An HTTP response, with its headers by lower-case name."""

    status: int
    headers: dict[str, str]
    body: bytes

    @cached_property
    def json(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body)


def answers(data: bytes) -> Iterator[Answer]:
    """Yield the responses in the data. A response without a length extends to the end."""
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
    """Return the decoded chunked body, and the data after it."""
    body = b""
    while size := int((parts := data.partition(b"\r\n"))[0], 16):
        body, data = body + parts[2][:size], parts[2][size + 2 :]
    return body, parts[2].removeprefix(b"\r\n")


@dataclass(frozen=True)
class Process:
    """A process of a container. `state` is a letter of proc(5)."""

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
        """The address of its port 8000 on this machine."""
        host, port = docker("port", self.identity, "8000").split()[0].rsplit(":", 1)
        return host, int(port)

    def inspect(self) -> Any:
        """Return its description: https://docs.docker.com/reference/api/engine, ContainerInspect."""
        return json.loads(docker("inspect", self.identity))[0]

    @property
    def state(self) -> Any:
        """Its `State`: Status, ExitCode, OOMKilled, Health and others."""
        return self.inspect()["State"]

    @property
    def log(self) -> str:
        """Its output."""
        return docker("logs", self.identity)

    @property
    def failures(self) -> list[Any]:
        """The records of its log with an error or a traceback."""
        return [record for record in self.records if record["level"] == "ERROR" or "exception" in record]

    @property
    def records(self) -> list[dict[str, str]]:
        """The records of its log, parsed from JSON lines."""
        return [json.loads(line) for line in self.log.splitlines()]

    def ask(self, method: str, path: str, body: bytes | None = None, **headers: str) -> Answer:
        """Send a request and return the response. In the names of headers, _ stands for -."""
        connection = HTTPConnection(*self.address, timeout=30 * PATIENCE)
        try:
            connection.request(method, path, body, {name.replace("_", "-"): text for name, text in headers.items()})
            answer = connection.getresponse()
            return Answer(answer.status, {name.lower(): text for name, text in answer.getheaders()}, answer.read())
        finally:
            connection.close()

    def use(self) -> None:
        """Send the requests of deploy/requests.txt. Fail unless all succeed."""
        for request in read(REQUESTS):
            answer = self.ask(request.method, request.path, request.body.encode() or None, **request.headers)
            assert 200 <= answer.status < 300, f"{request}: {answer.status}"

    def connect(self, data: bytes = b"") -> socket.socket:
        """Open a connection, send the data, and return the connection."""
        connection = socket.create_connection(self.address, timeout=30 * PATIENCE)
        connection.sendall(data)
        return connection

    def exchange(self, data: bytes) -> list[Answer]:
        """Send the data and return the responses until the server closes. Raises TimeoutError if it does not."""
        received = b""
        # If the server rejects the data halfway, the rest cannot be sent, but the response may still arrive.
        with self.connect() as connection, suppress(ConnectionError):
            with suppress(ConnectionError):
                connection.sendall(data)
            while part := connection.recv(65536):
                received += part
        return list(answers(received))

    def serves(self) -> bool:
        """Return True if it responds that it is alive."""
        try:
            return self.ask("GET", "/healthz").status == 200
        except (OSError, HTTPException):
            return False

    def becomes(self, health: str) -> None:
        """Wait until its HEALTHCHECK reports this."""
        eventually(lambda: self.state["Health"]["Status"] == health, 60)

    def python(self, code: str) -> str:
        """Run the code in the container and return what it prints."""
        return docker("exec", self.identity, "python", "-c", code)

    def processes(self) -> list[Process]:
        """Return its processes, without the one that lists them."""
        return [Process(*json.loads(line)) for line in self.python(PROCESSES).splitlines()]

    def kill(self, process: int) -> None:
        """Kill one of its processes as its own user."""
        self.python(f"import os; os.kill({process}, 9)")

    def stop(self) -> int:
        """Stop it with `docker stop` and return the exit code."""
        docker("stop", self.identity)
        return self.exit_code()

    def exit_code(self) -> int:
        """Wait until it has ended and return the exit code."""
        eventually(lambda: self.state["Status"] == "exited")
        return int(self.state["ExitCode"])
