"""Fuzzing: for mutated requests, the service responds as documented and stays healthy.

Each test runs for FUZZ_SECONDS. The same FUZZ_SEED gives the same requests. `make fuzz` runs them for longer.
"""

import json
import os
import random
import re
import socket
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from threading import Event
from typing import Any

import pytest

from deploy.load import REQUESTS as REQUESTS_FILE
from deploy.load import Request, read
from tests.image.memory import unharmed
from tests.image.messages import BODY, CHUNKED, POST, chunks, get, post, request, sized
from tests.support.container import PATIENCE, Container

SECONDS = float(os.environ.get("FUZZ_SECONDS", "3"))
SEED = os.environ.get("FUZZ_SEED", "0")
# No other status from 500 on is allowed. 503 asks the client to try again later.
DOCUMENTED = {501, 503, 505}
CLIENTS = 4
# Seconds. Most responses take less. If one takes longer, it is a test of a client that disconnects.
WAIT = 0.5

REQUESTS = [
    get(b"/healthz"),
    get(b"/large", b"Accept: text/plain;q=0.5, */*;q=0.1", b"X-Request-ID: a"),
    get(b"http://a/seen?a=b"),
    request(b"HEAD / HTTP/1.0"),
    request(b"OPTIONS * HTTP/1.1", b"Host: a"),
    request(b"GET /healthz HTTP/1.1", b"Host: a", b"Connection: upgrade", b"Upgrade: websocket"),
    sized(),
    sized(b"Expect: 100-continue"),
    post(CHUNKED, body=chunks()),
    post(CHUNKED, b"Trailer: X", body=chunks(end=b"X: a\r\n\r\n")) + get(b"/readyz"),
]
ECHO = Request("POST", POST, BODY.decode())
# What parsers often fail on: line ends, special characters, numbers, bytes that are not UTF-8.
FRAGMENTS = [
    b"\r\n",
    b"\n",
    b"\r",
    b"\0",
    b" ",
    b"\t",
    b":",
    b";",
    b",",
    b"=",
    b"/",
    b"?",
    b"%",
    b"*",
    b"#",
    b"$",
    b"\\",
]
FRAGMENTS += [
    b'"',
    b"'",
    b"[",
    b"]",
    b"{",
    b"}",
    b"(",
    b")",
    b"<",
    b"<<",
    b"--",
    b"..",
    b"%00",
    b"%2e%2e",
    b"${a:-",
    b"\\u",
]
FRAGMENTS += [
    b"0",
    b"-1",
    b"1e999",
    b"9" * 20,
    b"9" * 5000,
    b"\xff",
    b"\xc3",
    "\u0661\u2028\ufeff".encode(),
    b"\x1b[31m",
]
FRAGMENTS += [
    b"Content-Length: 1\r\n",
    CHUNKED + b"\r\n",
    b"Host: b\r\n",
    b"\r\n\r\n",
    b"GET / HTTP/1.1\r\n",
    b"0\r\n\r\n",
]


def mutated(chance: random.Random, data: bytes) -> bytes:
    """Return the data with a few changes."""
    for _ in range(chance.choice([0, 1, 1, 2, 3, 8])):
        start, end = sorted(chance.randrange(len(data) + 1) for _ in range(2))
        end = chance.choice([start, min(end, start + 20), end])
        part, fragment = data[start:end], chance.choice(FRAGMENTS)
        data = data[:start] + chance.choice([b"", fragment, part * 2, part[::-1], part + fragment]) + data[end:]
        if chance.random() < 0.05:
            data = data[:start] + (part or fragment) * chance.choice([10, 1000]) + data[start:]
    return data[:200_000]


def mutated_value(chance: random.Random, value: Any) -> Any:
    """Return a JSON value with changed texts and some values of another type."""
    if chance.random() < 0.01:
        return chance.choice([None, True, 1e308, "", [], {}, [[[]]], "\ud800"])
    if isinstance(value, dict):
        return {name: mutated_value(chance, part) for name, part in value.items()}
    if isinstance(value, list):
        return [mutated_value(chance, part) for part in value]
    return mutated(chance, value.encode()).decode(errors="surrogateescape") if isinstance(value, str) else value


def mutated_request(chance: random.Random) -> bytes:
    """Return one of the requests with changes anywhere."""
    return mutated(chance, chance.choice(REQUESTS))


def mutated_body(chance: random.Random) -> bytes:
    """Return a valid request with changed texts in its body."""
    declared = chance.choice([ECHO, *(one for one in read(REQUESTS_FILE) if one.body)])
    try:
        body = json.dumps(mutated_value(chance, json.loads(declared.body))).encode()
    except ValueError:
        body = mutated(chance, declared.body.encode())
    return request(
        f"{declared.method} {declared.path} HTTP/1.1".encode(),
        b"Host: a",
        b"Connection: close",
        b"Accept: " + chance.choice([b"*/*", b"text/plain", b"application/*;q=0.1, */*;q=0"]),
        *(f"{name}: {text}".encode() for name, text in declared.headers.items()),
        b"Content-Length: %d" % len(body),
        body=body,
    )


def statuses(container: Container, data: bytes) -> list[int]:
    """Send the bytes, close once the server waits for more, and return the statuses of the responses."""
    received = b""
    with container.connect() as connection, suppress(ConnectionError):
        connection.settimeout(PATIENCE * WAIT)
        with suppress(ConnectionError):
            connection.sendall(data)
        try:
            while part := connection.recv(65536):
                received += part
        except TimeoutError:
            connection.shutdown(socket.SHUT_WR)
            connection.settimeout(PATIENCE * 30)
            while part := connection.recv(65536):
                received += part
    return [int(found) for found in re.findall(rb"^HTTP/1\.1 (\d{3}) ", received, re.MULTILINE)]


def ask(container: Container, kind: Callable[[random.Random], bytes], client: int, end: float) -> int:
    """Send such requests until the end, and return how many."""
    chance = random.Random(f"{SEED} {client}")  # noqa: S311 -- not for secrets
    count = 0
    while time.monotonic() < end:
        data = kind(chance)
        found = statuses(container, data)
        assert [status for status in found if status >= 500 and status not in DOCUMENTED] == [], data[:5000]
        count += 1
    return count


def slowest(seconds: Sequence[float]) -> float:
    """Return the p99 latency."""
    return sorted(seconds)[int(len(seconds) * 0.99)]


@contextmanager
def healthy(container: Container, idle: Container) -> Iterator[None]:
    """Fail if health checks inside the context take over 1 s, and far longer than those of an idle container.

    On a busy machine, both may be slow.
    """
    over = Event()
    times: dict[Container, list[float]] = {container: [], idle: []}

    def check() -> None:
        while not over.wait(0.05):
            for asked, seconds in times.items():
                start = time.monotonic()
                assert asked.ask("GET", "/healthz").status == 200
                seconds.append(time.monotonic() - start)

    with ThreadPoolExecutor(1) as pool:
        checks = pool.submit(check)
        try:
            yield
        finally:
            over.set()
        checks.result()
    assert slowest(times[container]) < max(1, 3 * slowest(times[idle]))


@pytest.mark.parametrize("kind", [mutated_request, mutated_body])
def test_mutated_requests_get_documented_responses(
    with_routes: Container, shared: Container, show: list[str], kind: Callable[[random.Random], bytes]
) -> None:
    what = f"{kind.__name__.replace('_', ' ')}, seed {SEED}, {SECONDS:g} s"
    end = time.monotonic() + SECONDS
    with unharmed(with_routes, show, what), healthy(with_routes, shared), ThreadPoolExecutor(CLIENTS) as pool:
        asking = [pool.submit(ask, with_routes, kind, client, end) for client in range(CLIENTS)]
    show.append(f"{what}: {sum(done.result() for done in asking):,} requests")
    assert with_routes.failures == []
