"""What the image does with Dockerfiles and its page, and the process beside the service in which reviews are made."""

import gzip
import re

import pytest

from tests.image.conftest import Start
from tests.image.descriptors import FEW_FILES, out_of_file_descriptors
from tests.image.messages import JSON, assert_problem, get, sized
from tests.support.container import Container, eventually

TEXT = b"Content-Type: text/plain"


@pytest.mark.parametrize(
    ("media_type", "body"),
    [
        pytest.param(TEXT, b"FROM a", id="text"),
        pytest.param(b"X: none", b"FROM a", id="no type"),
        pytest.param(TEXT + b"; a=" + b"x" * 10240, b"FROM a", id="a type of 10 KB"),
        pytest.param(TEXT, b"FROM <script>\x1b[31m", id="a name that is no image's"),
    ],
)
def test_odd_dockerfiles_that_harm_nobody_are_reviewed(shared: Container, media_type: bytes, body: bytes) -> None:
    (answer,) = shared.exchange(sized(media_type=media_type, body=body))
    assert (answer.status, answer.headers["content-type"]) == (200, "application/json")
    assert not re.search(rb"[\x00-\x1f]", answer.body)


@pytest.mark.parametrize(
    ("data", "status"),
    [
        pytest.param(sized(media_type=TEXT, body=b"FROM \xff"), 400, id="text that is no UTF-8"),
        pytest.param(sized(media_type=TEXT, body=b""), 422, id="no text"),
        pytest.param(sized(media_type=TEXT, body=b"FROM a\0"), 422, id="NUL"),
        pytest.param(sized(media_type=TEXT, body=b"<script>\x1b[31m\x07"), 422, id="markup and escapes"),
        pytest.param(sized(body='{"dockerfile": ""}'.encode("utf-16")), 400, id="JSON in UTF-16"),
        pytest.param(sized(body=b'{"dockerfile": "FROM a\\u0000"}'), 422, id="escaped NUL"),
        pytest.param(sized(media_type=JSON + b"; charset=utf-16"), 415, id="another charset"),
        pytest.param(sized(b"Accept: <script>"), 406, id="an answer that there is none of"),
        pytest.param(sized(b"Content-Encoding: gzip"), 415, id="said to be gzip"),
        pytest.param(sized(b"Content-Encoding: br"), 415, id="said to be Brotli"),
        pytest.param(sized(b"Content-Encoding: <script>"), 415, id="an encoding that is none"),
        pytest.param(sized(media_type=TEXT, body=gzip.compress(b"FROM a")), 400, id="gzip, and not said"),
    ],
)
def test_what_is_no_dockerfile_is_a_problem(shared: Container, data: bytes, status: int) -> None:
    (answer,) = shared.exchange(data)
    assert_problem(answer, status)


@pytest.mark.parametrize("given", [b"bytes=5-1", b"bytes=999999-", b"lines=0-1", b"\xff", b"bytes=" + b"0-0," * 1000])
def test_a_range_that_cannot_be_read_is_ignored(shared: Container, given: bytes) -> None:
    (answer,) = shared.exchange(get(b"/page.js", b"Range: " + given))
    assert answer.status == 200


def reviewing(container: Container) -> int:
    """The process that reviews."""
    (found,) = (p.number for p in container.processes() if p.parent == 1 and "spawn_main" in p.command)
    return found


def test_a_killed_reviewing_process_costs_one_review(service: Container) -> None:
    before = reviewing(service)
    service.kill(before)
    lost = service.post()
    assert (lost.status, lost.headers.get("retry-after")) in {(503, "1"), (200, None)}
    assert service.post().status == 200
    assert reviewing(service) != before
    eventually(lambda: "Z" not in {process.state for process in service.processes()})


def test_killed_when_no_other_can_be_started_it_is_replaced_as_soon_as_one_can(start: Start) -> None:
    container = start(options=(FEW_FILES,))
    container.kill(reviewing(container))
    with out_of_file_descriptors(container) as before:
        before.sendall(b"POST /api/reviews HTTP/1.1\r\nHost: a\r\nContent-Length: 12\r\n\r\nFROM scratch")
        assert before.recv(12) in {b"HTTP/1.1 500", b"HTTP/1.1 503"}
    eventually(container.serves)
    eventually(lambda: container.post().status == 200)
    assert container.stop() == 0
