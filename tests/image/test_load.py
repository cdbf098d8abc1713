"""The image under load. `make load` runs these tests for longer."""

import asyncio
import os
import re
from collections.abc import Callable

import pytest

from deploy.load import REQUESTS, Request, read
from deploy.saturation import Result, load
from tests.support.container import Container, docker
from tests.support.start import Start

CLIENTS = 64
SECONDS = float(os.environ.get("LOAD_SECONDS", "4"))
# Rounds count answers, so that a slow machine does as much work before each measurement as a fast one. The time only
# limits a service with slow routes.
ROUNDS = 6
ANSWERS = int(SECONDS * 75)
LONGEST_ROUND = SECONDS * 5
# The share of the speed of an app with one route and nothing else.
PROMISED_SHARE = 0.75


def sent(request: Request) -> bytes:
    """Return the bytes of the request."""
    body = request.body.encode()
    headers = {"Host": "localhost", "Content-Length": len(body), **request.headers}
    head = (f"{request} HTTP/1.1", *(f"{name}: {text}" for name, text in headers.items()))
    return "\r\n".join((*head, "", "")).encode() + body


HEALTH = sent(Request("GET", "/healthz"))


def succeeded(result: Result) -> bool:
    """Return True if every response is a success."""
    return all(200 <= status < 300 for status in result.statuses)


def memory(container: Container) -> int:
    """Return the memory of the container in bytes, without the page cache."""
    # The files of cgroup version 2 and version 1.
    files = "/sys/fs/cgroup/memory.stat /sys/fs/cgroup/memory/memory.stat"
    counted = docker("exec", container.identity, "sh", "-c", f"cat {files} 2>/dev/null", check=False)
    match = re.search(r"^(?:anon|total_rss) (\d+)$", counted, re.MULTILINE)
    assert match, counted
    return int(match[1])


def summary(name: str, result: Result) -> str:
    """Return the result as a line of the summary."""
    return f"{name}: {result.rate:,.0f} requests/s, p99 {result.p99 * 1000:,.0f} ms"


@pytest.mark.parametrize("request_", read(REQUESTS), ids=str)
def test_under_load_no_request_fails_and_memory_is_stable(
    service: Container, show: list[str], request_: Request
) -> None:
    # Later requests may need what earlier ones have created.
    service.use()
    levels = []
    for _ in range(ROUNDS):
        result = asyncio.run(load(service.address, sent(request_), CLIENTS, LONGEST_ROUND, ANSWERS))
        assert succeeded(result), result.statuses
        levels.append(memory(service))
    # The first round is the warm-up. A leak raises every later level. One high level is only a moment.
    early, late = levels[1:3], levels[3:]
    memories = " ".join(f"{level / 1e6:.1f}" for level in levels)
    show.append(f"{summary(str(request_), result)}; memory in MB after each {ANSWERS:,} answers: {memories}")
    assert min(late) < max(early) * 1.1


def test_health_costs_little_more_than_a_bare_app(
    start: Start, serve: Callable[..., Container], show: list[str]
) -> None:
    # Both use up an equal share of a processor at the same time, so other work on the machine affects both alike. The
    # shares are small, so that the clients are not the limit.
    share = "--cpus=0.25"
    app, bare = start(options=(share,)), serve("bare", share)
    addresses = {"the app": app.address, "a bare app": bare.address}
    # After these requests, all processes of the service have started.
    app.use()

    async def at_once() -> dict[str, Result]:
        loads = [load(address, HEALTH, CLIENTS, SECONDS) for address in addresses.values()]
        return dict(zip(addresses, await asyncio.gather(*loads), strict=True))

    # The machine may still delay one of them, so one good round is enough.
    for _ in range(3):
        results = asyncio.run(at_once())
        if results["the app"].rate >= PROMISED_SHARE * results["a bare app"].rate:
            break
    show += [
        f"{summary(f'GET /healthz of {name}', result)}, on a quarter of a processor" for name, result in results.items()
    ]
    assert all(map(succeeded, results.values()))
    assert results["the app"].rate >= PROMISED_SHARE * results["a bare app"].rate


@pytest.mark.skipif(SECONDS < 10, reason="make load runs it, because it prints a figure and finds no faults")
def test_two_containers_are_as_fast_as_two_workers(start: Start, show: list[str]) -> None:
    # Each worker gets the same share of a processor and of memory at the same time, on a busy machine too.
    two = ("--cpus=0.25", "--cpu-shares=2048", "--memory=512m", "--memory-swap=512m")
    both = start(options=("--init", "--env=WEB_CONCURRENCY=2", *two))
    single = [start(options=("--cpus=0.125", "--cpu-shares=1024")) for _ in range(2)]

    async def at_once() -> list[Result]:
        return await asyncio.gather(*(load(one.address, HEALTH, CLIENTS // 2, SECONDS) for one in (both, *single)))

    of_both, *of_single = asyncio.run(at_once())
    assert all(map(succeeded, (of_both, *of_single)))
    rate = sum(result.rate for result in of_single)
    show += [
        f"{summary('GET /healthz of one container with two workers', of_both)}, on a quarter of a processor; "
        f"memory {memory(both) / 1e6:.1f} MB",
        f"GET /healthz of two containers: {rate:,.0f} requests/s, on an eighth each; "
        f"memory {' and '.join(f'{memory(container) / 1e6:.1f} MB' for container in single)}",
    ]
    assert rate >= PROMISED_SHARE * of_both.rate
