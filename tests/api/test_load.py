"""Load: health checks get a response in time, whatever clients post meanwhile."""

import json
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import closing
from http.client import HTTPConnection
from itertools import cycle, islice
from multiprocessing import get_context
from urllib.parse import urlsplit

import pytest

from app.review.syntax import MOST_INSTRUCTIONS, MOST_WORDS
from app.settings import Settings

CLIENTS = 32
PROMISED_SECONDS = 0.1
# One of twenty may be late: with clients and server on two cores, a machine can delay any response that long.
QUANTILE = 0.95
# A machine can be busy for seconds, so one good round is enough. With reviews in the event loop, health checks waited
# for 0.3 s and more in every round.
ROUNDS = 5
ROUND_SECONDS = 4.0


def largest(start: str, unit: str, count: int, end: str = "") -> bytes:
    """Return a body of the maximum size, filled with comments."""
    text = start + unit * count + end + f"# {'a' * 1000}\n" * 200
    return text[: Settings().max_body_bytes].encode()


def with_dockerignore(pattern: str) -> bytes:
    """Return a body of nearly the maximum size, most of which is a .dockerignore."""
    count = (Settings().max_body_bytes - 100) // len(json.dumps(pattern))
    return json.dumps({"dockerfile": "FROM python:3\nCOPY . .\n", "dockerignore": pattern * count}).encode()


# The slowest reviews that the parser accepts, then bodies that it rejects, each with its status.
SLOWEST = [(largest("FROM python:3\nRUN <<E\n", "pip install a\n", (MOST_WORDS - 500) // 3, "E\n"), 200)]
MIXED = [
    *SLOWEST,
    (largest("FROM python:3\nRUN <<E\n", "pip install a;pip install b\n", (MOST_WORDS - 500) // 8, "E\n"), 200),
    (largest("FROM a\n", "RUN a\n", MOST_INSTRUCTIONS - 1), 200),
    (largest("FROM python:3\n", "RUN pip install a\n", MOST_INSTRUCTIONS - 1), 200),  # a thousand findings
    (largest("FROM a\n", "RUN a\n", MOST_INSTRUCTIONS), 422),
    (largest("FROM a\nRUN <<E\n", "a;", MOST_WORDS), 422),
    (b"\0" * Settings().max_body_bytes, 422),
    (with_dockerignore("**/[a-z]*b\n"), 422),
]


def connection(url: str) -> HTTPConnection:
    """Return a new connection."""
    return HTTPConnection(urlsplit(url).netloc, timeout=120)


def post(url: str, bodies: Iterable[tuple[bytes, int]]) -> None:
    """Post one body after another for one round."""
    end = time.monotonic() + ROUND_SECONDS
    with closing(connection(url)) as client:
        for body, status in islice(bodies, 1000):
            kind = "application/json" if body.startswith(b"{") else "text/plain"
            client.request("POST", "/api/reviews", body, {"Content-Type": kind})
            answer = client.getresponse()
            content = answer.read()
            assert answer.status == status, content
            if time.monotonic() > end:
                break


def health(url: str, over: Callable[[], bool]) -> list[float]:
    """Check health every 50 ms until it is over, and return the latencies in seconds."""
    waited: list[float] = []
    with closing(connection(url)) as client:
        while not over() and len(waited) < 5000:
            start = time.monotonic()
            client.request("GET", "/healthz")
            answer = client.getresponse()
            answer.read()
            waited.append(time.monotonic() - start)
            assert answer.status == 200
            time.sleep(0.05)
    return waited


def post_at_once(url: str, bodies: list[tuple[bytes, int]]) -> None:
    """Post from CLIENTS clients, each of which begins with another body."""
    with ThreadPoolExecutor(CLIENTS) as pool:
        clients = [pool.submit(post, url, islice(cycle(bodies), number, None)) for number in range(CLIENTS)]
    for client in clients:
        client.result()


def load(url: str, bodies: list[tuple[bytes, int]]) -> list[float]:
    """Return the latencies of health checks, in seconds, while the clients post."""
    # Run the clients in another process, so that they do not delay the health checks.
    with ProcessPoolExecutor(1, get_context("spawn")) as pool:
        clients = pool.submit(post_at_once, url, bodies)
        waited = health(url, clients.done)
    clients.result()
    return waited


@pytest.mark.parametrize("bodies", [SLOWEST, MIXED], ids=["slowest", "mixed"])
def test_health_responds_in_time_under_the_heaviest_load(url: str, bodies: list[tuple[bytes, int]]) -> None:
    latencies: list[float] = []
    while len(latencies) < ROUNDS and min(latencies, default=1) > PROMISED_SECONDS:
        waited = sorted(load(url, bodies))
        latencies.append(waited[int(len(waited) * QUANTILE)])
    assert min(latencies) <= PROMISED_SECONDS, latencies
