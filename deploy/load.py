"""Constant-rate load: so many requests a second, whether or not those before were answered, and none of them repeated.

It measures what clients notice while something changes. saturation.py measures how much a service can answer instead:
its clients wait for each answer, so they send less to a service that pauses.

`python -m deploy.load URL` prints what became of them, and fails if one failed.
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
"""Seconds after which an answer does not count any more."""
MOST_FAILURES_TOLD = 20


class LoadError(Exception):
    """The load cannot begin; says why, in a line."""


@dataclass(frozen=True)
class Request:
    """What is asked."""

    method: str
    path: str
    body: str = ""

    @property
    def headers(self) -> dict[str, str]:
        """The type of the body, if there is one."""
        media_type = "application/json" if self.body.startswith(("{", "[")) else "text/plain"
        return {"Content-Type": media_type} if self.body else {}

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


@dataclass(frozen=True)
class Outcome:
    """What became of a request. Times are in seconds, of `time.monotonic`."""

    request: Request
    due: float
    """When it was to be sent: the time that it took counts from here, so that a client held up hides nothing."""
    ended: float
    server: str
    """As the header X-Served-By names it; empty where there is none."""
    failure: str = ""
    """Why it failed: a status, or what happened to the connection."""

    @property
    def seconds(self) -> float:
        """How long it took."""
        return self.ended - self.due


def read(path: Path) -> list[Request]:
    """The requests in a file like requests.txt. Raises LoadError where there are none."""
    try:
        lines = [line for line in path.read_text().splitlines() if line.strip() and not line.startswith("#")]
    except (OSError, UnicodeDecodeError) as error:
        raise LoadError(f"{path}: {error}") from error
    requests = []
    for line in lines:
        method, _, rest = line.partition(" ")
        request_path, _, body = rest.partition(" ")
        if not method.isupper() or not request_path.startswith("/"):
            raise LoadError(f"{path}: a line is METHOD PATH [BODY], which this is not: {line}")
        requests.append(Request(method, request_path, body))
    if not requests:
        raise LoadError(f"{path}: there is no request in it")
    return requests


async def ask(client: httpx2.AsyncClient, request: Request, due: float) -> Outcome:
    """What becomes of the request, sent now."""
    server = failure = ""
    try:
        async with asyncio.timeout(TIMEOUT):
            content = request.body or None
            answer = await client.request(request.method, request.path, content=content, headers=request.headers)
        server = answer.headers.get("x-served-by", "")
        if not answer.is_success:
            failure = f"status {answer.status_code}"
    except TimeoutError:
        failure = f"no answer within {TIMEOUT:g} s"
    except httpx2.HTTPError as error:
        failure = f"{type(error).__name__}: {error}".removesuffix(": ")
    return Outcome(request, due, time.monotonic(), server, failure)


def client(url: str, kept: int | None) -> httpx2.AsyncClient:
    """A client that keeps so many idle connections, or all; `ask` has a time limit of its own."""
    limits = httpx2.Limits(max_keepalive_connections=kept)
    return httpx2.AsyncClient(base_url=url, limits=limits, timeout=None, trust_env=False)


async def ask_once(url: str, requests: Sequence[Request]) -> list[Outcome]:
    """What becomes of the requests, each sent when the one before is answered."""
    async with client(url, None) as asking:
        return [await ask(asking, request, time.monotonic()) for request in requests]


@dataclass
class Load:
    """Requests in turn, half of them on connections that are kept, half or all on one of their own."""

    url: str
    requests: Sequence[Request]
    rate: float = RATE
    seconds: float = float("inf")
    keep: bool = True
    outcomes: list[Outcome] = field(default_factory=list)
    stop: Event = field(default_factory=Event)

    async def run(self) -> None:
        """Ask for so long, or until `stop` is set; what is on its way by then is waited for."""
        async with client(self.url, None) as keeping, client(self.url, 0) as closing, asyncio.TaskGroup() as group:
            start = time.monotonic()
            for number in count():
                due = start + number / self.rate
                if due >= start + self.seconds:
                    break
                await asyncio.sleep(max(0.0, due - time.monotonic()))
                if self.stop.is_set():
                    break
                # Each request in both ways, however many there are.
                turn, own = divmod(number, 2)
                request = self.requests[turn % len(self.requests)]
                group.create_task(self._note(keeping if self.keep and not own else closing, request, due))

    async def _note(self, client: httpx2.AsyncClient, request: Request, due: float) -> None:
        self.outcomes.append(await ask(client, request, due))


@dataclass(frozen=True)
class Phase:
    """A part of the time, by its name and its begin; it ends where the next begins. Requests belong where they end."""

    name: str
    begin: float


HEAD = f"{'phase':<12}{'requests':>9}{'failed':>8}{'median':>11}{'p99':>11}{'slowest':>11}{'longest gap':>13}"


def row(name: str, outcomes: Sequence[Outcome]) -> str:
    """The outcomes as a line of the report: how many, how long they took, how long there was no answer at all."""
    answered = [outcome for outcome in outcomes if not outcome.failure]
    failed = len(outcomes) - len(answered)
    if len(answered) < 2:
        return f"{name:<12}{len(outcomes):>9,}{failed:>8,}"
    seconds = sorted(outcome.seconds for outcome in answered)
    gap = max(later - earlier for earlier, later in pairwise(sorted(outcome.ended for outcome in answered)))
    figures = (statistics.median(seconds), seconds[int(len(seconds) * 0.99)], seconds[-1])
    told = "".join(f"{f'{figure * 1000:,.0f} ms':>11}" for figure in figures)
    return f"{name:<12}{len(outcomes):>9,}{failed:>8,}{told}{f'{gap * 1000:,.0f} ms':>13}"


def report(outcomes: Sequence[Outcome], phases: Sequence[Phase]) -> list[str]:
    """A line for each phase, and one for each request that failed; times count from the first phase's begin."""
    lines = [HEAD]
    ends = [*(phase.begin for phase in phases[1:]), float("inf")]
    for phase, end in zip(phases, ends, strict=True):
        lines.append(row(phase.name, [outcome for outcome in outcomes if phase.begin <= outcome.ended < end]))
    failures = [outcome for outcome in outcomes if outcome.failure]
    for outcome in failures[:MOST_FAILURES_TOLD]:
        at = outcome.ended - phases[0].begin
        server = f" from {outcome.server}" if outcome.server else ""
        lines.append(
            f"failed at {at:.2f} s after {outcome.seconds:.2f} s: {outcome.request}: {outcome.failure}{server}"
        )
    if len(failures) > MOST_FAILURES_TOLD:
        lines.append(f"and {len(failures) - MOST_FAILURES_TOLD} more failed")
    return lines


def positive(text: str) -> float:
    """A number above 0, for the command line."""
    number = float(text)
    if not 0 < number < float("inf"):
        raise ValueError
    return number


def main() -> int:
    """Ask for so long, print the report; 1 if a request failed."""
    parser = argparse.ArgumentParser(prog="python -m deploy.load", description=__doc__)
    parser.add_argument("url", metavar="URL", help="http://127.0.0.1:8000")
    parser.add_argument("--seconds", type=positive, default=60.0, help="how long (%(default)g)")
    parser.add_argument("--rate", type=positive, default=RATE, help="requests a second (%(default)g)")
    parser.add_argument("--requests", type=Path, default=REQUESTS, help="a file like %(default)s")
    parser.add_argument(
        "--no-keep-alive",
        action="store_true",
        help="each request on a connection of its own: one that is kept ends with its container where nothing stands "
        "between that speaks HTTP",
    )
    parser.add_argument("--once", action="store_true", help="each request once, and print only those that fail")
    arguments = parser.parse_args()
    if not arguments.url.startswith(("http://", "https://")):
        parser.error(f"a URL begins with http:// or https://, which {arguments.url} does not")
    try:
        requests = read(arguments.requests)
    except LoadError as error:
        parser.error(str(error))
    if arguments.once:
        failed = [one for one in asyncio.run(ask_once(arguments.url, requests)) if one.failure]
        for outcome in failed:
            print(f"{outcome.request}: {outcome.failure}; {arguments.requests} needs requests that succeed")
        return int(bool(failed))
    load = Load(arguments.url, requests, arguments.rate, arguments.seconds, not arguments.no_keep_alive)
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
