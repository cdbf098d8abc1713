"""Size and start of images: `python -m deploy.start IMAGE ...` prints a table in Markdown.

The start is the time from `docker run` to the first response. The images start in turn, so that a slow moment of the
machine affects all of them.
"""

import argparse
import http.client
import statistics
import subprocess
import sys
import time

from deploy.container import DOCKER, LOCKED_DOWN, RUN_OPTIONS

ROUNDS = 5
TIMEOUT = 60.0
"""Seconds after which a container that does not respond is an error."""


def docker(*arguments: str) -> str:
    """Return what the engine prints."""
    done = subprocess.run([DOCKER, *arguments], stdout=subprocess.PIPE, text=True, timeout=300, check=True)
    return done.stdout.strip()


def responds(host: str, port: int) -> bool:
    """Return True if the service answers a health check."""
    connection = http.client.HTTPConnection(host, port, timeout=1)
    try:
        connection.request("GET", "/healthz")
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def start(image: str) -> float:
    """Return the seconds that a new container needs until its first response. Raise TimeoutError if there is none."""
    begin = time.monotonic()
    container = docker("run", "--detach", "--publish=127.0.0.1::8000", *LOCKED_DOWN, *RUN_OPTIONS, image)
    try:
        host, _, port = docker("port", container, "8000").splitlines()[0].rpartition(":")
        while not responds(host, int(port)):
            if time.monotonic() > begin + TIMEOUT:
                raise TimeoutError(f"{image} does not respond within {TIMEOUT:g} s")
            time.sleep(0.01)
        return time.monotonic() - begin
    finally:
        docker("rm", "--force", "--volumes", container)


def table(images: list[str], rounds: int) -> list[str]:
    """Return a row for each image: its size, as the engine reports it, and the median of its starts."""
    starts = {image: [0.0] * rounds for image in images}
    for number in range(rounds):
        for image in images:
            starts[image][number] = start(image)
    lines = ["| image | size | start |", "| --- | --- | --- |"]
    for image, seconds in starts.items():
        size = int(docker("image", "inspect", "--format={{.Size}}", image))
        lines.append(f"| {image.rpartition(':')[2]} | {size / 1e6:.1f} MB | {statistics.median(seconds):.2f} s |")
    return lines


def main() -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(prog="python -m deploy.start", description=__doc__)
    parser.add_argument("images", metavar="IMAGE", nargs="+")
    parser.add_argument("--rounds", type=int, default=ROUNDS, help="starts of each image (%(default)s)")
    arguments = parser.parse_args()
    print("\n".join(table(arguments.images, arguments.rounds)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
