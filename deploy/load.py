"""Constant-rate load: requests start at a fixed rate, however earlier ones end, and are never repeated.

This measures what clients notice during a change. saturation.py measures the highest rate that a service can answer:
its clients wait for each response, so they send less to a service that pauses.

`python -m deploy.load URL` prints a report, and fails if a request failed.
"""

import argparse
import asyncio
import signal
import statistics
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import count, pairwise
from pathlib import Path
from threading import Event

import httpx2

REQUESTS = Path(__file__).with_name("requests.txt")
RATE = 50.0
TIMEOUT = 10.0
"""Seconds after which a request counts as failed."""
FAILING = 300
"""The lowest status that counts as a failure."""
MAX_FAILURES_PRINTED = 20


class LoadError(Exception):
    """The load cannot start. The message is one line with the reason."""


@dataclass(frozen=True)
class Request:
    """A request to send."""

    method: str
    path: str
    body: str = ""

    @property
    def headers(self) -> dict[str, str]:
        """The media type of the body, if there is one."""
        media_type = "application/json" if self.body.startswith(("{", "[")) else "text/plain"
        return {"Content-Type": media_type} if self.body else {}

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


@dataclass(frozen=True)
class Outcome:
    """The outcome of a request. Times are seconds of `time.monotonic`."""

    request: Request
    due: float
    """When it was planned. Latency counts from here, so that a delay in this client hides nothing."""
    ended: float
    server: str
    """The header X-Served-By, or empty."""
    failure: str = ""
    """Why it failed: a status, or an error of the connection."""

    @property
    def seconds(self) -> float:
        """The latency."""
        return self.ended - self.due


def read(path: Path) -> list[Request]:
    """Return the requests in a file like requests.txt. Raises LoadError if it has none, or if a line is invalid."""
    try:
        lines = [line for line in path.read_text().splitlines() if line.strip() and not line.startswith("#")]
    except (OSError, UnicodeDecodeError) as error:
        raise LoadError(f"{path}: {error}") from error
    requests = []
    for line in lines:
        method, _, rest = line.partition(" ")
        request_path, _, body = rest.partition(" ")
        if not method.isupper() or not request_path.startswith("/"):
            raise LoadError(f"{path}: write METHOD PATH [BODY] instead of this line: {line}")
        requests.append(Request(method, request_path, body))
    if not requests:
        raise LoadError(f"{path} contains no requests: add a line METHOD PATH [BODY]")
    return requests


async def ask(client: httpx2.AsyncClient, request: Request, due: float, failing: int = FAILING) -> Outcome:
    """Send the request now and return its outcome. Statuses from `failing` on are failures."""
    server = failure = ""
    try:
        async with asyncio.timeout(TIMEOUT):
            content = request.body or None
            answer = await client.request(request.method, request.path, content=content, headers=request.headers)
        server = answer.headers.get("x-served-by", "")
        if answer.status_code >= failing:
            failure = f"status {answer.status_code}"
    except TimeoutError:
        failure = f"no response within {TIMEOUT:g} s"
    except httpx2.HTTPError as error:
        failure = f"{type(error).__name__}: {error}".removesuffix(": ")
    return Outcome(request, due, time.monotonic(), server, failure)


def client(url: str, kept: int | None) -> httpx2.AsyncClient:
    """Return a client that keeps this many idle connections, or all. `ask` has its own time limit."""
    limits = httpx2.Limits(max_keepalive_connections=kept)
    return httpx2.AsyncClient(base_url=url, limits=limits, timeout=None, trust_env=False)


async def ask_twice(url: str, requests: Sequence[Request]) -> list[Outcome]:
    """Send the requests one after the other, then all of them again, and return their outcomes."""
    async with client(url, None) as asking:
        return [await ask(asking, request, time.monotonic()) for request in [*requests, *requests]]


@dataclass
class Load:
    """Load by the requests in turn. Half of them, or none, use keep-alive; the others open a new connection."""

    url: str
    requests: Sequence[Request]
    rate: float = RATE
    seconds: float = float("inf")
    keep: bool = True
    failing: int = FAILING
    outcomes: list[Outcome] = field(default_factory=list)
    stop: Event = field(default_factory=Event)

    async def run(self) -> None:
        """Send requests until the time is over or `stop` is set, then wait for those in flight."""
        async with client(self.url, None) as keeping, client(self.url, 0) as closing, asyncio.TaskGroup() as group:
            start = time.monotonic()
            for number in count():
                due = start + number / self.rate
                if due >= start + self.seconds:
                    break
                await asyncio.sleep(max(0.0, due - time.monotonic()))
                if self.stop.is_set():
                    break
                # Send each request in both ways, however many there are.
                turn, own = divmod(number, 2)
                request = self.requests[turn % len(self.requests)]
                group.create_task(self._note(keeping if self.keep and not own else closing, request, due))

    async def _note(self, client: httpx2.AsyncClient, request: Request, due: float) -> None:
        self.outcomes.append(await ask(client, request, due, self.failing))


@dataclass(frozen=True)
class Phase:
    """A phase of the load. It lasts until the next one begins, and includes the requests that end in it."""

    name: str
    begin: float


HEAD = f"{'phase':<12}{'requests':>9}{'failed':>8}{'median':>11}{'p99':>11}{'slowest':>11}{'longest gap':>13}"


def row(name: str, outcomes: Sequence[Outcome]) -> str:
    """Return a line of the report: number, latency, and the longest time without any response."""
    answered = [outcome for outcome in outcomes if not outcome.failure]
    failed = len(outcomes) - len(answered)
    if len(answered) < 2:
        return f"{name:<12}{len(outcomes):>9,}{failed:>8,}"
    seconds = sorted(outcome.seconds for outcome in answered)
    gap = max(later - earlier for earlier, later in pairwise(sorted(outcome.ended for outcome in answered)))
    figures = (statistics.median(seconds), seconds[int(len(seconds) * 0.99)], seconds[-1])
    latency = "".join(f"{f'{figure * 1000:,.0f} ms':>11}" for figure in figures)
    return f"{name:<12}{len(outcomes):>9,}{failed:>8,}{latency}{f'{gap * 1000:,.0f} ms':>13}"


def report(outcomes: Sequence[Outcome], phases: Sequence[Phase]) -> list[str]:
    """Return a line for each phase and each failed request. Times count from the beginning of the first phase."""
    lines = [HEAD]
    ends = [*(phase.begin for phase in phases[1:]), float("inf")]
    for phase, end in zip(phases, ends, strict=True):
        lines.append(row(phase.name, [outcome for outcome in outcomes if phase.begin <= outcome.ended < end]))
    failures = [outcome for outcome in outcomes if outcome.failure]
    for outcome in failures[:MAX_FAILURES_PRINTED]:
        at = outcome.ended - phases[0].begin
        server = f" from {outcome.server}" if outcome.server else ""
        lines.append(
            f"failed at {at:.2f} s after {outcome.seconds:.2f} s: {outcome.request}: {outcome.failure}{server}"
        )
    if len(failures) > MAX_FAILURES_PRINTED:
        lines.append(f"{len(failures) - MAX_FAILURES_PRINTED} more failed")
    return lines


def positive(text: str) -> float:
    """Return the number, which must be above 0, from the command line."""
    number = float(text)
    if not 0 < number < float("inf"):
        raise ValueError
    return number


def main() -> int:
    """Run the load and print the report. Return 1 if a request failed."""
    parser = argparse.ArgumentParser(prog="python -m deploy.load", description=__doc__)
    parser.add_argument("url", metavar="URL", help="http://127.0.0.1:8000")
    parser.add_argument("--seconds", type=positive, default=60.0, help="how long (default: %(default)g)")
    parser.add_argument("--rate", type=positive, default=RATE, help="requests per second (default: %(default)g)")
    parser.add_argument("--requests", type=Path, default=REQUESTS, help="a file like %(default)s")
    parser.add_argument(
        "--no-keep-alive",
        action="store_true",
        help="open a connection for each request: without an HTTP proxy, a kept connection ends with its container",
    )
    parser.add_argument(
        "--failing",
        metavar="STATUS",
        type=int,
        default=FAILING,
        help="the lowest status that counts as a failure (default: %(default)s)",
    )
    parser.add_argument("--twice", action="store_true", help="send each request twice and print only failures")
    arguments = parser.parse_args()
    if not arguments.url.startswith(("http://", "https://")):
        parser.error(f"the URL must begin with http:// or https://, not {arguments.url}")
    try:
        requests = read(arguments.requests)
    except LoadError as error:
        parser.error(str(error))
    if arguments.twice:
        failed = [one for one in asyncio.run(ask_twice(arguments.url, requests)) if one.failure]
        for line in dict.fromkeys(f"{outcome.request}: {outcome.failure}" for outcome in failed):
            print(f"{line}; correct this request in {arguments.requests}")
        return int(bool(failed))
    load = Load(
        arguments.url, requests, arguments.rate, arguments.seconds, not arguments.no_keep_alive, arguments.failing
    )
    interrupted = Event()

    def interrupt(*_: object) -> None:
        interrupted.set()
        load.stop.set()

    for name in (signal.SIGINT, signal.SIGTERM):
        signal.signal(name, interrupt)
    begin = time.monotonic()
    asyncio.run(load.run())
    print("\n".join(report(load.outcomes, [Phase("all", begin)])))
    return 130 if interrupted.is_set() else int(any(outcome.failure for outcome in load.outcomes))


if __name__ == "__main__":
    sys.exit(main())
