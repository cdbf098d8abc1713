"""Fixtures for the tests of the image: its containers, which are gone afterwards, whatever happened."""

import os
from collections.abc import Callable, Generator, Iterator
from itertools import groupby
from pathlib import Path
from typing import Protocol

import pytest

from tests.image.container import LABEL, LOCKED_DOWN, Container, docker, eventually

containers = pytest.StashKey[list[Container]]()
shown = pytest.StashKey[list[str]]()


class Start(Protocol):
    """Starts a container."""

    def __call__(
        self, *command: str, options: tuple[str, ...] = (), locked_down: bool = True, wait: bool = True
    ) -> Container:
        """The container, serving unless `wait` is false.

        `command` is what it runs instead of the image's own; `options` are docker run's, which go before those that
        `make run` locks it down with.
        """


@pytest.fixture(scope="session")
def image() -> str:
    """The image in question."""
    return os.environ["IMAGE"]


@pytest.fixture
def start(image: str, request: pytest.FixtureRequest) -> Iterator[Start]:
    """Starts containers of the image. They are removed after the test; if it fails, it shows what they wrote."""
    started = request.node.stash.setdefault(containers, [])

    def start(*command: str, options: tuple[str, ...] = (), locked_down: bool = True, wait: bool = True) -> Container:
        own = LOCKED_DOWN if locked_down else ()
        identity = docker(
            "run", "--detach", f"--label={LABEL}", "--publish=127.0.0.1::8000", *own, *options, image, *command
        )
        container = Container(identity.strip())
        started.append(container)
        if wait:
            eventually(lambda: container.serves() or container.state["Status"] == "exited")
            assert container.state["Status"] == "running"
        return container

    yield start
    for container in started:
        docker("rm", "--force", "--volumes", container.identity)


@pytest.fixture
def service(start: Start) -> Container:
    """A container as `make run` starts it, serving."""
    return start()


@pytest.fixture
def mount(tmp_path: Path) -> Callable[[str, str], str]:
    """Makes the option of docker run by which a module of this folder is at a path of the container."""

    def mount(name: str, path: str) -> str:
        # A copy that every user can read, whatever the umask of this checkout.
        module = tmp_path / name
        module.write_text(Path(__file__).with_name(name).read_text())
        module.chmod(0o644)
        return f"--volume={module}:{path}:ro"

    return mount


@pytest.fixture
def start_with_routes(start: Start, mount: Callable[[str, str], str]) -> Callable[..., Container]:
    """Starts containers with these options and with the further routes of tests/image/routes.py."""
    routes = mount("routes.py", "/app/app/routes_of_tests.py")

    def start_with_routes(*options: str) -> Container:
        command = ("uvicorn", "app.routes_of_tests:app", "--host", "0.0.0.0", "--port", "8000")  # noqa: S104 -- in a container
        return start(*command, options=(routes, *options))

    return start_with_routes


@pytest.fixture
def with_routes(start_with_routes: Callable[..., Container]) -> Container:
    """A container as `make run` starts it, serving, with these routes."""
    return start_with_routes()


@pytest.fixture
def show(request: pytest.FixtureRequest) -> Iterator[list[str]]:
    """Lines for the summary at the end: what was measured."""
    lines: list[str] = []
    yield lines
    request.config.stash.setdefault(shown, []).extend(lines)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Write what was shown of the image: the names of the tests that passed, as sentences, and what was measured."""
    passed = [report for report in terminalreporter.getreports("passed") if "tests/image/" in report.nodeid]
    if not passed:
        return
    terminalreporter.section(f"shown of {os.environ['IMAGE']}")
    for path, reports in groupby(passed, lambda report: report.location[0]):
        terminalreporter.write_line(path)
        names = dict.fromkeys(report.location[2].split("[")[0] for report in reports)
        for name in names:
            terminalreporter.write_line("  " + name.removeprefix("test_").replace("_", " "))
    for line in config.stash.get(shown, []):
        terminalreporter.write_line(line)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Add the logs of a failed test's containers to its report."""
    report = yield
    if report.failed:
        for container in item.stash.get(containers, []):
            log = docker("logs", "--tail=50", container.identity, check=False)
            report.sections.append((f"log of {container.identity[:12]}", log))
    return report
