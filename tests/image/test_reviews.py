"""Reviews by the image, its page, and the worker process that reviews."""

import gzip
import re
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from signal import SIGINT, SIGKILL, SIGSTOP

import pytest

from app.worker import MOST_WAITING
from tests.image.descriptors import FEW_FILES, out_of_file_descriptors
from tests.image.messages import JSON, assert_problem, get, request
from tests.support.container import Answer, Container, eventually
from tests.support.start import Start

TEXT = b"Content-Type: text/plain"
BODY = b'{"dockerfile": "FROM a"}'


def sized(*headers: bytes, body: bytes = BODY, media_type: bytes = JSON) -> bytes:
    """Return a request for a review, which closes the connection."""
    length = b"Content-Length: %d" % len(body)
    return request(
        b"POST /api/reviews HTTP/1.1", b"Host: a", b"Connection: close", media_type, *headers, length, body=body
    )


def post(container: Container) -> Answer:
    """Request a review and return the response."""
    return container.ask("POST", "/api/reviews", BODY, Content_Type="application/json")


@pytest.mark.parametrize(
    ("media_type", "body"),
    [
        pytest.param(TEXT, b"FROM a", id="text"),
        pytest.param(b"X: none", b"FROM a", id="no type"),
        pytest.param(TEXT + b"; a=" + b"x" * 10240, b"FROM a", id="a type of 10 KB"),
        pytest.param(TEXT, b"FROM <script>\x1b[31m", id="an invalid image name"),
    ],
)
def test_unusual_dockerfiles_are_reviewed(shared: Container, media_type: bytes, body: bytes) -> None:
    (answer,) = shared.exchange(sized(media_type=media_type, body=body))
    assert (answer.status, answer.headers["content-type"]) == (200, "application/json")
    assert not re.search(rb"[\x00-\x1f]", answer.body)


@pytest.mark.parametrize(
    ("data", "status"),
    [
        pytest.param(sized(media_type=TEXT, body=b"FROM \xff"), 400, id="text that is not UTF-8"),
        pytest.param(sized(media_type=TEXT, body=b""), 422, id="no text"),
        pytest.param(sized(media_type=TEXT, body=b"FROM a\0"), 422, id="NUL"),
        pytest.param(sized(media_type=TEXT, body=b"<script>\x1b[31m\x07"), 422, id="markup and escapes"),
        pytest.param(sized(body='{"dockerfile": ""}'.encode("utf-16")), 400, id="JSON in UTF-16"),
        pytest.param(sized(body=b'{"dockerfile": "FROM a\\u0000"}'), 422, id="escaped NUL"),
        pytest.param(sized(media_type=JSON + b"; charset=utf-16"), 415, id="another charset"),
        pytest.param(sized(b"Accept: <script>"), 406, id="an unknown media type in Accept"),
        pytest.param(sized(b"Content-Encoding: gzip"), 415, id="declared as gzip"),
        pytest.param(sized(b"Content-Encoding: br"), 415, id="declared as Brotli"),
        pytest.param(sized(b"Content-Encoding: <script>"), 415, id="an invalid encoding"),
        pytest.param(sized(media_type=TEXT, body=gzip.compress(b"FROM a")), 400, id="undeclared gzip"),
    ],
)
def test_invalid_dockerfile_is_a_problem(shared: Container, data: bytes, status: int) -> None:
    (answer,) = shared.exchange(data)
    assert_problem(answer, status)


@pytest.mark.parametrize("given", [b"bytes=5-1", b"bytes=999999-", b"lines=0-1", b"\xff", b"bytes=" + b"0-0," * 1000])
def test_invalid_range_is_ignored(shared: Container, given: bytes) -> None:
    (answer,) = shared.exchange(get(b"/page.js", b"Range: " + given))
    assert answer.status == 200


def reviewing(container: Container) -> int:
    """Return the process that reviews."""
    (found,) = (p.number for p in container.processes() if "app.review.pipe" in p.command)
    return found


def send(container: Container, number: int) -> int:
    """Send the signal to the process that reviews, which has answered, and return the process."""
    assert post(container).status == 200
    process = reviewing(container)
    container.python(f"import os; os.kill({process}, {int(number)})")
    return process


def ready(container: Container) -> tuple[int, str]:
    """Return the status and the detail of /readyz."""
    answer = container.ask("GET", "/readyz")
    return answer.status, answer.json.get("detail", "")


def statuses(container: Container) -> list[int]:
    """Return the statuses in the log, in order."""
    return [int(record["status"]) for record in container.records if "status" in record]


@contextmanager
def reviews_waiting(container: Container, count: int) -> Iterator[None]:
    """Let clients wait for a review inside the context."""
    with ExitStack() as clients:
        for _ in range(count):
            clients.enter_context(container.connect(sized()))
        yield


def test_killed_worker_process_fails_one_review(service: Container) -> None:
    before = send(service, SIGKILL)
    lost = post(service)
    assert (lost.status, lost.headers.get("retry-after")) in {(503, "1"), (200, None)}
    assert post(service).status == 200
    assert reviewing(service) != before
    assert "the worker process ended with exit code -9; starting another" in service.log
    eventually(lambda: "Z" not in {process.state for process in service.processes()})


def test_stopped_worker_process_fails_one_review(service: Container) -> None:
    before = send(service, SIGSTOP)
    lost = post(service)
    assert_problem(lost, 503)
    assert lost.headers["retry-after"] == "5"
    assert post(service).status == 200
    assert ready(service) == (200, "")
    assert reviewing(service) != before
    eventually(lambda: "Z" not in {process.state for process in service.processes()})


def test_interrupt_does_not_reach_the_worker_process(service: Container) -> None:
    before = send(service, SIGINT)
    assert post(service).status == 200
    assert reviewing(service) == before


def test_reviews_of_clients_that_left_are_cancelled(service: Container) -> None:
    before = send(service, SIGSTOP)
    with reviews_waiting(service, 20):
        eventually(lambda: service.ask("GET", "/healthz").status == 200)
    # A cancelled review is logged with 400, a finished one would be logged with 200 or 503.
    eventually(lambda: statuses(service) == [200] + [400] * 20)
    assert post(service).status == 200
    assert reviewing(service) != before


def test_too_many_waiting_reviews_are_not_ready(service: Container) -> None:
    send(service, SIGSTOP)
    with reviews_waiting(service, MOST_WAITING + 1):
        eventually(lambda: ready(service) == (503, "reviews: too many requests are waiting"))
        refused = post(service)
        assert_problem(refused, 503)
        assert refused.headers["retry-after"] == "5"
        assert service.serves()
    eventually(lambda: ready(service) == (200, ""))
    assert post(service).status == 200


def test_stop_during_a_review_exits_0_without_a_traceback(service: Container) -> None:
    send(service, SIGSTOP)
    with reviews_waiting(service, 2):
        assert service.serves()
        assert service.stop() == 0
    assert "Traceback" not in service.log


def test_reviews_work_without_shared_memory(start: Start) -> None:
    container = start(options=("--ipc=none",))
    assert post(container).status == 200
    assert container.stop() == 0


def test_reviews_work_with_4_processes(start: Start) -> None:
    container = start(options=("--pids-limit=4",))
    assert post(container).status == 200
    assert ready(container) == (200, "")


def test_one_allowed_process_is_not_ready_and_logs_why(start: Start) -> None:
    container = start(options=("--pids-limit=1",))
    eventually(lambda: ready(container) == (503, "reviews: the worker process does not start"))
    assert_problem(post(container), 503)
    assert container.stop() == 0
    (record,) = (record for record in container.records if record["level"] == "ERROR")
    assert "Resource temporarily unavailable" in record["message"]


def test_worker_process_is_replaced_once_one_can_start(start: Start) -> None:
    container = start(options=(FEW_FILES,))
    process = reviewing(container)
    with out_of_file_descriptors(container) as before:
        container.kill(process)
        before.sendall(b"POST /api/reviews HTTP/1.1\r\nHost: a\r\nContent-Length: 12\r\n\r\nFROM scratch")
        assert before.recv(12) == b"HTTP/1.1 503"
    eventually(container.serves)
    eventually(lambda: post(container).status == 200)
    assert container.stop() == 0
