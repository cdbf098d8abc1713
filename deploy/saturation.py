"""Closed-loop load: each client sends its next request after the last response.

This measures the highest rate that a service can answer. load.py sends at a constant rate instead, and measures what
clients notice: here, a service that pauses receives fewer requests.
"""

import asyncio
import re
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import cast

HEAD = re.compile(rb"HTTP/1\.1 (\d{3}) .*?\r\ncontent-length: (\d+)\r\n.*?\r\n\r\n", re.DOTALL | re.IGNORECASE)


@dataclass
class Result:
    """What the clients saw: the number of each status, with 0 for lost connections, and the latencies in seconds."""

    statuses: Counter[int] = field(default_factory=Counter)
    seconds: list[float] = field(default_factory=list)
    duration: float = 0.0

    @property
    def rate(self) -> float:
        """Responses per second."""
        return len(self.seconds) / self.duration

    @property
    def p99(self) -> float:
        """The p99 latency in seconds."""
        return sorted(self.seconds)[int(len(self.seconds) * 0.99)]


class Client(asyncio.Protocol):
    """A client with one connection. HTTP libraries would need more time for a request than the service does."""

    def __init__(self, request: bytes, result: Result, goes_on: Callable[[float], bool]) -> None:
        self.request, self.result, self.goes_on = request, result, goes_on
        self.received = b""
        self.sent = 0.0
        self.done = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Send the first request."""
        self.transport = cast(asyncio.Transport, transport)
        self.ask()

    def ask(self) -> None:
        """Send the request."""
        self.received = b""
        self.sent = time.perf_counter()
        self.transport.write(self.request)

    def data_received(self, data: bytes) -> None:
        """Record a complete response, and send the next request until the end."""
        self.received += data
        head = HEAD.match(self.received)
        if head is None or len(self.received) < head.end() + int(head[2]):
            return
        now = time.perf_counter()
        self.result.statuses[int(head[1])] += 1
        self.result.seconds.append(now - self.sent)
        if self.goes_on(now):
            self.ask()
        else:
            self.done.set_result(None)
            self.transport.close()

    def connection_lost(self, error: Exception | None) -> None:
        """Record a connection that was lost before its response."""
        if not self.done.done():
            self.result.statuses[0] += 1
            self.done.set_result(None)


async def load(
    address: tuple[str, int], request: bytes, clients: int, seconds: float, answers: float = float("inf")
) -> Result:
    """Send the request from this many clients, for this long or until this many answers. Return what they saw."""
    result = Result()
    start = time.perf_counter()
    loop = asyncio.get_running_loop()

    def goes_on(now: float) -> bool:
        return now < start + seconds and len(result.seconds) < answers

    connected = [
        await loop.create_connection(lambda: Client(request, result, goes_on), *address) for _ in range(clients)
    ]
    await asyncio.wait_for(asyncio.gather(*(client.done for _, client in connected)), seconds + 60)
    result.duration = time.perf_counter() - start
    return result
