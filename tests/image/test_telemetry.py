"""Telemetry of the image: nothing by default, and with its packages what the variables ask for."""

import json
import os
import re
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.support import collector as collector_program
from tests.support.container import PATIENCE, Container, docker, eventually
from tests.support.requirements import pins
from tests.support.start import Start, starting
from tests.support.telemetry import ENDPOINT, NOT_SENT, sent, values

COLLECTOR = "/collector.py"


def locked_with_fastapi_opentelemetry(project: Path) -> str:
    """Return the requirements.txt that `make lock` writes for fastapi[opentelemetry]."""
    locked, wider = ((project / name).read_text() for name in ("requirements.txt", "requirements-dev.txt"))
    blocks = {block.split("==")[0]: block for block in re.findall(r"^\S+==.*(?:\n +.*)*", wider, re.MULTILINE)}
    taken = set(pins(locked))
    added: list[str] = []
    while more := [
        name
        for name, block in blocks.items()
        if name not in taken and taken & set(re.findall(r"# +(?:via )?([\w.-]+)$", block, re.MULTILINE))
    ]:
        taken |= set(more)
        added += [blocks[name] for name in more]
    assert "opentelemetry-sdk" in taken
    return "\n".join([locked, *added])


@pytest.fixture(scope="module")
def sending_image(image: str, project: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Build the image with the packages for telemetry."""
    folder = tmp_path_factory.mktemp("telemetry") / "project"
    # A service may copy more folders than app/ into its image.
    shutil.copytree(project, folder, ignore=shutil.ignore_patterns(".*", "__pycache__"))
    shutil.copy(project / ".dockerignore", folder)
    (folder / "requirements.txt").write_text(locked_with_fastapi_opentelemetry(project))
    # Use another name: a suffix cannot follow an image that is named by digest.
    name, version = "telemetry-for-tests", str(os.getpid())
    command = ["make", "build", f"IMAGE={name}", f"VERSION={version}"]
    subprocess.run(command, cwd=folder, stdout=subprocess.PIPE, timeout=300, check=True)
    yield f"{name}:{version}"
    docker("image", "rm", "--force", f"{name}:{version}")


@pytest.fixture
def start_sending(sending_image: str, request: pytest.FixtureRequest) -> Iterator[Start]:
    """Return a function that starts containers of that image."""
    with starting(sending_image, request.node) as start:
        yield start


@pytest.fixture
def collect(start: Start, mount: Callable[[Path, str], str]) -> Callable[..., Container]:
    """Return a function that starts a collector."""

    def collect(*arguments: str) -> Container:
        option = mount(Path(collector_program.__file__), COLLECTOR)
        container = start("python", COLLECTOR, "4318", *arguments, options=(option,), wait=False)
        eventually(lambda: "port" in container.log)
        return container

    return collect


def named(address: str) -> str:
    """Return the option that names a collector."""
    return f"--env={ENDPOINT}=http://{address}"


def beside(collector: Container) -> str:
    """Return the address of the collector for other containers."""
    (network,) = collector.inspect()["NetworkSettings"]["Networks"].values()
    return f"{network['IPAddress']}:4318"


def test_missing_telemetry_packages_are_logged(start: Start, project: Path) -> None:
    if "opentelemetry-sdk" in pins((project / "requirements.txt").read_text()):
        pytest.skip("this service has them in its image, so that nothing is missing there")
    service = start(options=(named("127.0.0.1:4318"),))
    assert service.log.count(NOT_SENT) == 1
    assert "fastapi[opentelemetry]" in service.log


def test_each_worker_sends_traces_metrics_and_logs(start_sending: Start, collect: Callable[..., Container]) -> None:
    collector = collect()
    options = (named(beside(collector)), "--env=OTEL_SERVICE_NAME=a-service", "--env=WEB_CONCURRENCY=2", "--init")
    service = start_sending(options=options)
    eventually(lambda: service.log.count("Application startup complete.") == 2)
    identity = service.ask("GET", "/openapi.json").headers["x-request-id"]
    assert service.stop() == 0
    entries = map(json.loads, service.log.splitlines())
    (line,) = [entry for entry in entries if entry.get("request_id") == identity]
    received = sent(collector.log.splitlines())
    (record,) = [one for one in received.records if values(one.attributes).get("request_id") == identity]
    (span,) = [one for one in received.spans if identity in values(one.attributes).values()]
    assert line["trace_id"] == span.trace_id.hex() == record.trace_id.hex()
    assert "http.server.request.duration" in {metric.name for metric in received.metrics}
    assert received.services == {"a-service"}
    assert len(received.instances) == 2


def answers_and_stops(service: Container) -> None:
    """Fail unless the service responds, logs few failed exports, and stops in time."""
    assert {service.ask("GET", "/openapi.json").status for _ in range(100)} == {200}
    start = time.monotonic()
    assert service.stop() == 0
    assert time.monotonic() - start < 5 * PATIENCE
    assert service.log.count('"logger": "opentelemetry.') < 10
    assert "the collector did not accept the last" in service.log


def test_missing_collector_delays_only_the_stop_by_a_second(start_sending: Start) -> None:
    answers_and_stops(start_sending(options=(named("127.0.0.1:1"),)))


def test_silent_collector_delays_only_the_stop_by_a_second(
    start_sending: Start, collect: Callable[..., Container]
) -> None:
    answers_and_stops(start_sending(options=(named(beside(collect("silent"))),)))
