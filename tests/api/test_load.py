"""Load: health is told in time, whatever is posted meanwhile."""

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
# One of twenty may be late: a machine with clients and server on two cores, and whatever else it does, now and then
# lets any answer wait as long by itself.
QUANTILE = 0.95
# And it may be busy for seconds: a service that keeps the promise does so in one of these rounds. With its reviews in
# the event loop, health waited for 0.3 s and more in every one.
ROUNDS = 5
ROUND_SECONDS = 4.0


def largest(start: str, unit: str, count: int, end: str = "") -> bytes:
    """A body of the largest size, the rest of which is comments."""
    text = start + unit * count + end + f"# {'a' * 1000}\n" * 200
    return text[: Settings().max_body_bytes].encode()


def with_dockerignore(pattern: str) -> bytes:
    """A body of nearly the largest size, most of which is a .dockerignore."""
    count = (Settings().max_body_bytes - 100) // len(json.dumps(pattern))
    return json.dumps({"dockerfile": "FROM python:3\nCOPY . .\n", "dockerignore": pattern * count}).encode()


# As many as the parser takes, so that a review is as dear as it can be; then what it refuses. Each with its status.
DEAR = [(largest("FROM python:3\nRUN <<E\n", "pip install a\n", (MOST_WORDS - 500) // 3, "E\n"), 200)]
MIXED = [
    *DEAR,
    (largest("FROM python:3\nRUN <<E\n", "pip install a;pip install b\n", (MOST_WORDS - 500) // 8, "E\n"), 200),
    (largest("FROM a\n", "RUN a\n", MOST_INSTRUCTIONS - 1), 200),
    (largest("FROM python:3\n", "RUN pip install a\n", MOST_INSTRUCTIONS - 1), 200),  # a thousand findings
    (largest("FROM a\n", "RUN a\n", MOST_INSTRUCTIONS), 422),
    (largest("FROM a\nRUN <<E\n", "a;", MOST_WORDS), 422),
    (b"\0" * Settings().max_body_bytes, 422),
    (with_dockerignore("**/[a-z]*b\n"), 422),
]


def connection(url: str) -> HTTPConnection:
    """A connection of one's own."""
    return HTTPConnection(urlsplit(url).netloc, timeout=120)


def post(url: str, bodies: Iterable[tuple[bytes, int]]) -> None:
    """Post one body after another for as long as a round is."""
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
    """How long each answer takes, in seconds, to somebody who asks every 50 ms until it is over."""
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
    """Post from as many clients, each of which begins with another body."""
    with ThreadPoolExecutor(CLIENTS) as pool:
        clients = [pool.submit(post, url, islice(cycle(bodies), number, None)) for number in range(CLIENTS)]
    for client in clients:
        client.result()


def load(url: str, bodies: list[tuple[bytes, int]]) -> list[float]:
    """How long each answer about health takes, in seconds, while the clients post."""
    # In a process of their own, or who asks for health would wait for them here.
    with ProcessPoolExecutor(1, get_context("spawn")) as pool:
        clients = pool.submit(post_at_once, url, bodies)
        waited = health(url, clients.done)
    clients.result()
    return waited


@pytest.mark.parametrize("bodies", [DEAR, MIXED], ids=["the dearest", "of every kind"])
def test_health_responds_in_time_under_the_heaviest_load(url: str, bodies: list[tuple[bytes, int]]) -> None:
    told: list[float] = []
    while len(told) < ROUNDS and min(told, default=1) > PROMISED_SECONDS:
        waited = sorted(load(url, bodies))
        told.append(waited[int(len(waited) * QUANTILE)])
    assert min(told) <= PROMISED_SECONDS, told
