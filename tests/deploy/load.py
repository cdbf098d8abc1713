"""Steady load from outside a cluster, each request on a connection of its own, since an idle one ends with its pod.

`python -m tests.deploy.load URL` prints what became of the requests, and fails if one failed.
"""

import argparse
import asyncio
import sys
import time
from urllib.parse import urlsplit

from tests.image.load import Result, load

REQUEST = b"GET /readyz HTTP/1.1\r\nHost: app\r\n\r\n"
CLIENTS = 4
PAUSE = 0.05  # seconds


async def steady(address: tuple[str, int], seconds: float) -> Result:
    """What became of the requests that so many clients send at a time, for so long."""
    result = Result()
    start = time.perf_counter()
    while (duration := time.perf_counter() - start) < seconds:
        try:
            once = await load(address, REQUEST, CLIENTS, 0)
        except OSError:  # no connection
            once = Result()
            once.statuses[0] += 1
        result.statuses += once.statuses
        result.seconds += once.seconds
        await asyncio.sleep(PAUSE)
    result.duration = duration
    return result


def main() -> None:
    """Ask, print the report, and end with 1 if a request failed."""
    parser = argparse.ArgumentParser(prog="python -m tests.deploy.load", description=__doc__)
    parser.add_argument("url", metavar="URL")
    parser.add_argument("--seconds", type=float, default=60)
    arguments = parser.parse_args()
    url = urlsplit(arguments.url)
    if url.hostname is None:
        parser.error(f"{arguments.url} is no URL")
    result = asyncio.run(steady((url.hostname, url.port or 80), arguments.seconds))
    failed = result.statuses.total() - result.statuses[200]
    statuses = ", ".join(f"{number} of status {status}" for status, number in result.statuses.items())
    sys.stdout.write(f"{result.statuses.total()} requests in {result.duration:.0f} s, {failed} failed: {statuses}\n")
    sys.exit(failed > 0)


if __name__ == "__main__":
    main()
