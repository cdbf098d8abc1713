"""Recovery: from failing outputs, clocks and files, a blocked event loop, and killed processes."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from http.client import HTTPConnection, HTTPException

import pytest

from deploy.container import serving
from tests.image.descriptors import FEW_FILES, out_of_file_descriptors
from tests.support.container import LABEL, SOON, Container, docker, eventually
from tests.support.start import Start

# Runs the following command with a standard output whose reader is gone.
GONE = "import os, sys; r, w = os.pipe(); os.dup2(w, 1); os.close(r); os.close(w); os.execvp(sys.argv[1], sys.argv[1:])"
# Runs the following command with a standard output that is read once the file /tmp/read exists.
LATE = """
import os, subprocess, sys, time
server = subprocess.Popen(sys.argv[1:], stdout=subprocess.PIPE)
while not os.path.exists("/tmp/read"):
    time.sleep(0.1)
for line in server.stdout:
    pass
"""
# Two workers and their own processes need more memory than the limit of `make run`.
TWO = ("--env=WEB_CONCURRENCY=2", "--memory=512m", "--memory-swap=512m")


def both_servers(container: Container, held: ExitStack) -> dict[int, HTTPConnection]:
    """Return an open connection to each of two workers, by process id."""
    found: dict[int, HTTPConnection] = {}

    def both() -> bool:
        connection = held.enter_context(closing(HTTPConnection(*container.address, timeout=30)))
        connection.request("GET", "/process")
        found.setdefault(int(connection.getresponse().read()), connection)
        return len(found) == 2

    eventually(both)
    return found


def slow(connection: HTTPConnection) -> int | None:
    """Return the status of a slow request, or None if it is lost."""
    try:
        connection.request("GET", "/slow?seconds=3")
        return connection.getresponse().status
    except (OSError, HTTPException):
        return None


@pytest.mark.parametrize(
    "wrapper",
    [
        pytest.param(("sh", "-c", 'exec "$@" >&-', "sh"), id="closed"),
        pytest.param(("sh", "-c", 'exec "$@" >&- 2>&-', "sh"), id="both closed"),
        pytest.param(("sh", "-c", 'exec "$@" >/dev/full', "sh"), id="full"),
        pytest.param(("sh", "-c", 'exec "$@" >/dev/full 2>&1', "sh"), id="both full"),
        pytest.param(("python", "-c", GONE), id="no reader"),
    ],
)
def test_closed_output_does_not_stop_the_service(start: Start, wrapper: tuple[str, ...]) -> None:
    container = start(*wrapper, *serving())
    container.use()
    assert container.stop() == 0


def test_blocked_output_delays_requests_until_it_is_read(start: Start) -> None:
    container = start("python", "-c", LATE, *serving(), options=("--tmpfs=/tmp", *SOON))

    def waits() -> bool:
        # Each request logs a long line, and a pipe holds 64 KiB or less.
        with container.connect(b"GET /" + b"a" * 4000 + b" HTTP/1.1\r\nHost: a\r\n\r\n") as connection:
            connection.settimeout(3)
            try:
                return not connection.recv(1)
            except TimeoutError:
                return True

    eventually(waits)
    container.becomes("unhealthy")
    container.python("open('/tmp/read', 'w')")
    container.becomes("healthy")
    container.use()


@pytest.mark.parametrize("years", [10, -10])
def test_clock_jump_changes_only_the_date(with_routes: Container, years: int) -> None:
    def year() -> int:
        date = with_routes.ask("GET", "/healthz").headers["date"]
        return int(date.split()[3])

    before = year()
    assert with_routes.ask("GET", f"/clock?seconds={years * 365.25 * 86400}").status == 200
    # Allow one year more or less, in case the year changes during the test.
    eventually(lambda: abs(year() - before - years) <= 1)
    with_routes.use()
    assert with_routes.stop() == 0


def test_service_recovers_after_running_out_of_descriptors(start: Start) -> None:
    container = start(options=(FEW_FILES,))
    with out_of_file_descriptors(container) as before:
        before.sendall(b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n")
        assert before.recv(12) == b"HTTP/1.1 200"
    eventually(container.serves)
    container.use()
    assert container.stop() == 0


def test_blocked_event_loop_is_unhealthy_until_it_continues(
    serve: Callable[..., Container],
) -> None:
    container = serve("routes", *SOON)
    container.becomes("healthy")
    with ThreadPoolExecutor() as threads:
        threads.submit(container.ask, "GET", "/block?seconds=8")
        container.becomes("unhealthy")
    container.becomes("healthy")


def test_health_checks_and_killed_workers_leave_no_zombies(
    serve: Callable[..., Container],
) -> None:
    # The child of a killed worker becomes the child of process 1. uvicorn waits only for its own children.
    container = serve("routes", *SOON, *TWO, "--init")
    with ExitStack() as held:
        server = min(both_servers(container, held))
        container.kill(server)
        assert server not in both_servers(container, held)
    eventually(lambda: len(container.state["Health"]["Log"]) >= 3)
    eventually(lambda: "Z" not in {process.state for process in container.processes()})
    assert container.stop() == 0


def test_killed_container_restarts_and_becomes_healthy(start: Start, image: str) -> None:
    container = start(options=(*SOON, "--restart=on-failure:3"))
    # Kill it from a container with the host's process ids, because `docker kill` disables the restart policy.
    kill = f"import os; os.kill({container.state['Pid']}, 9)"
    docker("run", "--rm", f"--label={LABEL}", "--pid=host", "--user=0", image, "python", "-c", kill)
    eventually(lambda: container.inspect()["RestartCount"] == 1)
    container.becomes("healthy")
    # The engine has chosen another port.
    again = Container(container.identity)
    again.use()
    assert again.stop() == 0


def test_killed_worker_loses_its_requests_and_is_replaced(
    serve: Callable[..., Container],
) -> None:
    container = serve("routes", *TWO)
    with ExitStack() as held:
        (victim, lost), (other, kept) = both_servers(container, held).items()
        threads = held.enter_context(ThreadPoolExecutor())
        statuses = [threads.submit(slow, connection) for connection in (lost, kept)]
        eventually(lambda: container.log.count("slow has begun") == 2)
        container.kill(victim)
        assert [container.serves() for _ in range(20)] == [True] * 20
        assert [status.result() for status in statuses] == [None, 200]
        found = both_servers(container, held)
        assert other in found
        assert victim not in found
    assert container.stop() == 0
