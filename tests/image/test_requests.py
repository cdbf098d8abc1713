"""Unusual and invalid requests: bodies, media types, targets and forwarded headers."""

import json
from collections.abc import Callable

import pytest

from tests.image.messages import BODY, JSON, assert_problem, get, sized
from tests.support.container import Container


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(sized(), id="plain"),
        pytest.param(sized(media_type=JSON + b"; a=" + b"x" * 10240), id="a type of 10 KB"),
        pytest.param(sized(b"Expect: 999"), id="an unknown expectation"),
    ],
)
def test_unusual_valid_requests_succeed(shared: Container, data: bytes) -> None:
    (answer,) = shared.exchange(data)
    assert (answer.status, answer.headers["content-type"]) == (200, "application/json")


def test_expect_100_continue_is_answered(shared: Container) -> None:
    assert [answer.status for answer in shared.exchange(sized(b"Expect: 100-continue"))] == [100, 200]


NAME = json.dumps(next(iter(json.loads(BODY)))).encode()


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(sized(body=b""), id="empty"),
        pytest.param(sized(body=b"\0"), id="NUL"),
        pytest.param(sized(body=BODY[:-3]), id="cut off"),
        pytest.param(sized(body=b'{%s: "\xff"}' % NAME), id="no UTF-8"),
        pytest.param(sized(body=b'{%s: "\\ud800"}' % NAME), id="a lone surrogate"),
        pytest.param(sized(body=b"{%s: NaN}" % NAME), id="NaN"),
        pytest.param(sized(body=b"{%s: -Infinity}" % NAME), id="Infinity"),
        pytest.param(sized(body=b"[" * 100_000), id="100,000 brackets"),
        pytest.param(sized(body=b"{%s:" % NAME * 7000), id="7,000 objects"),
        pytest.param(sized(body=b"{%s: %s}" % (NAME, b"9" * 100_000)), id="100,000 digits"),
        pytest.param(sized(body=BODY[:-1] + b", %s: []}" % NAME), id="a key twice, of which one is another type"),
        pytest.param(sized(body=b'{"<script>\\u001b": 1}'), id="another key"),
        pytest.param(sized(body=b'{"%s": 1}' % (b"<script>" * 10_000)), id="a key of 80 KB"),
        pytest.param(sized(media_type=b"Content-Type: <script>"), id="an invalid type"),
        pytest.param(sized(media_type=b"Content-Type:"), id="an empty type"),
        pytest.param(sized(media_type=b"Content-Type: \xff"), id="a type of raw bytes"),
        pytest.param(sized(media_type=b"Content-Type: multipart/form-data; boundary=a"), id="a form"),
    ],
)
def test_invalid_body_is_a_problem(shared: Container, data: bytes) -> None:
    (answer,) = shared.exchange(data)
    assert answer.status in {400, 415, 422}
    assert_problem(answer, answer.status)


@pytest.mark.parametrize("method", [b"TRACE", b"CONNECT", b"BREW", b"get", b"B" * 10_000], ids=lambda name: name[:9])
def test_wrong_method_is_a_problem(shared: Container, method: bytes) -> None:
    (answer,) = shared.exchange(get(b"/healthz", b"X-Secret: swordfish", method=method))
    assert_problem(answer, 405)
    assert answer.headers["allow"] == "GET, HEAD"
    assert b"swordfish" not in answer.body


@pytest.mark.parametrize(
    "target",
    [
        pytest.param(b"/" + b"a" * 8000, id="long"),
        pytest.param(b"/<script>", id="markup"),
        pytest.param(b"/%00", id="NUL"),
        pytest.param(b"/%ff", id="no UTF-8"),
        pytest.param(b"/%zz", id="no escape"),
        pytest.param(b"/%0d%0aX-Header:%20a", id="line breaks"),
        pytest.param(b"/../main.py", id="dots"),
        pytest.param(b"/..%2fmain.py", id="dots, escaped"),
        pytest.param(b"/..\\main.py", id="dots, the other slash"),
        pytest.param(b"//evil.example", id="another host"),
        pytest.param(b"//evil.example/..", id="another host, and back"),
        pytest.param(b"/%2f%2fevil.example/%2e%2e", id="another host, and back, escaped"),
        pytest.param(b"http://evil.example/nothing", id="absolute"),
        pytest.param(b"evil.example:443", id="authority"),
        pytest.param(b"*", id="asterisk"),
        pytest.param(b".", id="dot"),
        pytest.param(b"?", id="question mark"),
    ],
)
def test_unknown_target_is_a_problem_and_not_a_redirect(shared: Container, target: bytes) -> None:
    (answer,) = shared.exchange(get(target))
    assert_problem(answer, 404)


FORWARDED = {
    "X_Forwarded_For": "203.0.113.7",
    "X_Forwarded_Host": "evil.example",
    "X_Forwarded_Port": "444",
    "X_Forwarded_Prefix": "/evil",
    "X_Forwarded_Proto": "https",
    "X_Real_IP": "203.0.113.7",
    "Forwarded": "for=203.0.113.7;host=evil.example;proto=https",
}


def test_forwarded_headers_of_untrusted_peers_are_ignored(with_routes: Container) -> None:
    seen = with_routes.ask("GET", "/seen").json
    assert with_routes.ask("GET", "/seen", None, **FORWARDED).json == seen


def test_forwarded_headers_of_trusted_peers_are_used(serve: Callable[..., Container]) -> None:
    container = serve("routes", "--env=FORWARDED_ALLOW_IPS=*")
    seen = container.ask("GET", "/seen", None, **FORWARDED).json
    assert seen["client"] == "203.0.113.7"
    assert seen["url"].startswith("https://")


def test_urls_include_the_path_that_a_proxy_removes(serve: Callable[..., Container]) -> None:
    container = serve("routes", "--env=UVICORN_ROOT_PATH=/orders")
    assert container.ask("GET", "/seen", Host="shop.example").json["url"] == "http://shop.example/orders/seen"
    assert container.ask("GET", "/openapi.json").json["servers"] == [{"url": "/orders"}]
    container.becomes("healthy")


# This test is last: it checks the container that all tests of this file share.
def test_no_request_of_this_file_left_a_failure_in_the_log(shared: Container) -> None:
    shared.use()
    assert shared.state["Status"] == "running"
    assert shared.failures == []
