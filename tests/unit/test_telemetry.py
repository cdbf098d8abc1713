"""Telemetry: what is sent to a collector, and that nothing is by default."""

import json
import logging
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest
from opentelemetry._logs import NoOpLoggerProvider
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord, SeverityNumber
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from app import telemetry
from app.collector import CollectorHandler, LineFilter
from app.main import create_app
from app.settings import Settings
from tests.support import collector as collector_program
from tests.support.telemetry import ENDPOINT, NOT_SENT, Sent, sent, values

# A service with one route that validates its input, and one that fails.
SERVICE = r"""
import logging
from app.main import app

@app.post("/numbers/{number}")
async def number(number: int, body: dict[str, int]) -> int:
    logging.getLogger("app").info("odd \ud800", extra={"odd": "\ud800"})
    return number

@app.get("/failure")
async def failure() -> None:
    raise LookupError("nobody foresaw this")

# In front, because a route of the service may match every path.
app.router.routes[:0] = [app.router.routes.pop(), app.router.routes.pop()]
"""
TRACE = "0af7651916cd43dd8448eb211c80319c"


@dataclass
class Run:
    """The log of a service after a few requests, and what the collector received."""

    lines: list[dict[str, Any]]
    sent: Sent

    def line(self, identity: str, logger: str = "app.access") -> dict[str, Any]:
        """Return the line of this logger for the request with this id."""
        (line,) = [one for one in self.lines if one.get("request_id") == identity and one["logger"] == logger]
        return line

    def record(self, identity: str) -> LogRecord:
        """Return the log record that the collector received for the request."""
        message = self.line(identity)["message"]
        (record,) = [one for one in self.sent.records if one.body.string_value == message]
        assert values(record.attributes)["request_id"] == identity
        return record

    def span(self, identity: str) -> Span:
        """Return the span of the request with this id."""
        name = "http.response.header.x-request-id"
        (span,) = [one for one in self.sent.spans if values(one.attributes).get(name) == identity]
        return span


@pytest.fixture(scope="module")
def run(project: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    """Run a service with a collector until its end."""
    folder = tmp_path_factory.mktemp("service")
    (folder / "service_for_tests.py").write_text(SERVICE)
    environment = os.environ | {"PYTHONPATH": f"{project}:{folder}", "PYTHONUNBUFFERED": "1"}
    named = {"OTEL_SERVICE_NAME": "numbers", "APP_LOG_FORMAT": "json", "UVICORN_LOG_CONFIG": "app/logging.json"}
    with ExitStack() as stack:

        def begin(*command: str, **variables: str) -> subprocess.Popen[str]:
            process = stack.enter_context(
                subprocess.Popen(
                    [sys.executable, *command],
                    cwd=project,
                    env=environment | variables,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.STDOUT,
                    text=True,
                )
            )
            stack.callback(process.kill)
            return process

        collector = begin(collector_program.__file__, "0")
        assert collector.stdout
        named[ENDPOINT] = f"http://127.0.0.1:{json.loads(collector.stdout.readline())['port']}"
        service = begin("-m", "uvicorn", "service_for_tests:app", "--port", "0", **named)
        assert service.stdout
        written: list[str] = []
        for line in service.stdout:
            written.append(line)
            if serving := re.search(r"running on http://127.0.0.1:(\d+)", line):
                ask_all(int(serving[1]))
                service.send_signal(signal.SIGINT)
        collector.terminate()
        yield Run([json.loads(line) for line in written], sent(collector.stdout))


def ask_all(port: int) -> None:
    """Send the requests that the tests look for."""
    for method, path, identity, headers in (
        ("POST", "/numbers/1?number=2", "fine", {"traceparent": f"00-{TRACE}-b7ad6b7169203331-01"}),
        ("POST", "/numbers/private", "refused", {"Authorization": "private", "Cookie": "private"}),
        ("GET", "/failure", "failed", {}),
        ("GET", "/healthz", "health", {}),
    ):
        connection = HTTPConnection("127.0.0.1", port, timeout=10)
        body = '{"private": "private"}' if identity == "refused" else '{"one": 1}'
        all_headers = {"X-Request-ID": identity, "Content-Type": "application/json", **headers}
        connection.request(method, path, body if method == "POST" else None, all_headers)
        connection.getresponse().read()
        connection.close()


@pytest.mark.parametrize(
    "environment",
    [
        {},
        {"OTEL_SERVICE_NAME": "a"},
        {ENDPOINT: ""},
        {ENDPOINT: "http://a:4318", "OTEL_SDK_DISABLED": "true"},
        {"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://a:4318", "OTEL_TRACES_EXPORTER": "none"},
    ],
    ids=str,
)
def test_without_an_endpoint_no_signal_is_wanted(environment: dict[str, str]) -> None:
    assert telemetry.wanted(environment) == {}


def test_unwanted_telemetry_is_neither_imported_nor_started(project: Path) -> None:
    code = """
import sys, threading, app.main
from app.telemetry import config
print([name for name in sys.modules if name.startswith(("app.collector", "opentelemetry.sdk", "requests"))])
print(threading.active_count())
print([name for name, wanted in config().items() if wanted is True])
"""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("OTEL_")}
    printed = subprocess.check_output([sys.executable, "-c", code], cwd=project, env=environment, text=True)
    assert printed.splitlines() == ["[]", "1", "[]"]


def test_each_signal_can_be_sent_alone() -> None:
    environment = {"OTEL_EXPORTER_OTLP_METRICS_ENDPOINT": "http://a:4318/v1/metrics"}
    assert list(telemetry.wanted(environment)) == ["METRICS"]
    assert list(telemetry.wanted({ENDPOINT: "http://a:4318", "OTEL_LOGS_EXPORTER": "none"})) == ["TRACES", "METRICS"]


@pytest.mark.parametrize(
    ("environment", "reason"),
    [
        ({ENDPOINT: "a:4318"}, f"{ENDPOINT}='a:4318': use a URL such as http://collector:4318"),
        (
            {ENDPOINT: "http://a:4317", "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"},
            "OTEL_EXPORTER_OTLP_PROTOCOL='grpc': only http/protobuf is supported",
        ),
        (
            {ENDPOINT: "http://a:4318", "OTEL_METRICS_EXPORTER": "prometheus"},
            "OTEL_METRICS_EXPORTER='prometheus': only otlp is supported",
        ),
    ],
    ids=str,
)
def test_invalid_variable_is_logged_and_the_service_runs(
    environment: dict[str, str], reason: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    create_app(Settings())
    assert caplog.messages == [NOT_SENT + reason]


def test_missing_packages_are_logged_with_the_solution(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv(ENDPOINT, "http://a:4318")
    monkeypatch.setitem(sys.modules, "opentelemetry.sdk.trace", None)
    monkeypatch.delitem(sys.modules, "app.collector")
    monkeypatch.delattr("app.collector")
    create_app(Settings())
    hint = "change fastapi to fastapi[opentelemetry] in requirements.in, then run make lock"
    assert caplog.messages == [f"{NOT_SENT}its packages are not installed; {hint}"]


def test_request_is_sent_as_span_metric_and_log_record(run: Run) -> None:
    span = run.span("fine")
    assert span.name == "POST /numbers/{number}"
    assert values(span.attributes)["http.response.status_code"] == 200
    record = run.record("fine")
    assert (record.severity_text, record.severity_number) == ("INFO", SeverityNumber.SEVERITY_NUMBER_INFO)
    assert values(record.attributes)["path"] == "/numbers/1"
    (durations,) = [one for one in run.sent.metrics if one.name == "http.server.request.duration"]
    points = [(values(point.attributes), point.count) for point in durations.histogram.data_points]
    assert {(point["http.route"], point["http.response.status_code"], count) for point, count in points} == {
        ("/numbers/{number}", 200, 1),
        ("/numbers/{number}", 422, 1),
        ("/failure", 500, 1),
    }


def test_span_and_record_have_the_ids_of_the_log_line(run: Run) -> None:
    span, line, record = run.span("fine"), run.line("fine"), run.record("fine")
    assert line["trace_id"] == span.trace_id.hex() == record.trace_id.hex()
    assert line["span_id"] == span.span_id.hex() == record.span_id.hex()
    assert not {"trace_id", "span_id", "taskName", "color_message"} & values(record.attributes).keys()


def test_trace_of_the_client_is_continued(run: Run) -> None:
    assert run.span("fine").trace_id.hex() == TRACE
    assert run.span("failed").trace_id.hex() != TRACE


def test_exception_is_logged_and_sent_once(run: Run) -> None:
    assert run.line("failed", "uvicorn.error")["trace_id"] == run.span("failed").trace_id.hex()
    (record,) = [one for one in run.sent.records if "exception.type" in values(one.attributes)]
    assert record.trace_id == run.span("failed").trace_id
    assert values(record.attributes)["exception.message"] == "nobody foresaw this"
    assert "in failure" in values(record.attributes)["exception.stacktrace"]


def test_health_is_not_sent(run: Run) -> None:
    assert b"healthz" not in run.sent.everything


def test_bodies_and_headers_are_not_sent(run: Run) -> None:
    assert values(run.span("refused").attributes)["http.response.status_code"] == 422
    said = run.sent.everything.replace(b"/numbers/private", b"")
    assert b"private" not in said


def test_lone_surrogate_is_sent(run: Run) -> None:
    assert "odd \\ud800" in {record.body.string_value for record in run.sent.records}


def test_record_that_cannot_be_formatted_is_dropped(capsys: pytest.CaptureFixture[str]) -> None:
    CollectorHandler(NoOpLoggerProvider()).handle(logging.makeLogRecord({"name": "app", "msg": "%d", "args": ("one",)}))
    assert "--- Logging error ---" in capsys.readouterr().err


def test_export_failure_is_logged_once_a_minute_and_not_sent() -> None:
    lines, provider = LineFilter(), Mock()
    for seconds, level, written in ((0, 30, True), (1, 30, False), (2, 40, True), (59, 40, False), (61, 30, True)):
        record = logging.makeLogRecord({"name": "opentelemetry.exporter", "levelno": level, "created": 1e9 + seconds})
        assert lines.filter(record) is written
        CollectorHandler(provider).handle(record)
    assert provider.mock_calls == []
    assert [lines.filter(logging.makeLogRecord({"name": "app"})) for _ in range(2)] == [True, True]


def test_everything_has_the_service_name(run: Run) -> None:
    assert run.sent.services == {"numbers"}


def test_only_lines_of_requests_have_trace_ids(run: Run) -> None:
    assert [line for line in run.lines if "trace_id" in line and "request_id" not in line] == []
    assert any("trace_id" not in line for line in run.lines)
