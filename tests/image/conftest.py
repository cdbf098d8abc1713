"""Fixtures for the tests of the image: its containers, which are always removed."""

import os
from collections.abc import Callable, Generator, Iterator
from functools import partial
from itertools import groupby
from pathlib import Path

import pytest

from deploy.container import serving
from tests.support.container import Container, docker
from tests.support.start import Start, containers, starting

shown = pytest.StashKey[list[str]]()


@pytest.fixture(scope="session")
def image() -> str:
    """Return the image to test."""
    return os.environ["IMAGE"]


@pytest.fixture
def start(image: str, request: pytest.FixtureRequest) -> Iterator[Start]:
    """Return a function that starts containers. They are removed after the test. If it fails, it prints their logs."""
    with starting(image, request.node) as start:
        yield start


@pytest.fixture
def service(start: Start) -> Container:
    """Return a running container with the options of `make run`."""
    return start()


@pytest.fixture(scope="module")
def shared(image: str, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Container]:
    """Return a running container with the additional routes of routes.py, for all tests of a file."""
    with starting(image, request.node) as start:
        yield serve_module(start, tmp_path_factory.mktemp("shared"), "routes")


def mounted(folder: Path, file: Path, path: str) -> str:
    """Return the option of docker run that mounts a copy of the file, made in the folder, at the path."""
    # Copy it, so that every user can read it, whatever the umask of this checkout.
    copy = folder / file.name
    copy.write_text(file.read_text())
    copy.chmod(0o644)
    return f"--volume={copy}:{path}:ro"


def serve_module(start: Start, folder: Path, name: str, *options: str) -> Container:
    """Start a container that serves the app in a module of this folder instead of the image's app."""
    module = f"{name}_for_tests"
    mount = mounted(folder, Path(__file__).with_name(f"{name}.py"), f"/app/app/{module}.py")
    return start(*serving(f"app.{module}:app"), options=(mount, *options))


@pytest.fixture
def mount(tmp_path: Path) -> Callable[[Path, str], str]:
    """Return a function that returns the option of docker run to mount a file at a path."""
    return partial(mounted, tmp_path)


@pytest.fixture
def serve(start: Start, tmp_path: Path) -> Callable[..., Container]:
    """Return a function that starts a container with another app of this folder.

    Its arguments are the module of the app and options of docker run.
    """
    return partial(serve_module, start, tmp_path)


@pytest.fixture
def with_routes(serve: Callable[..., Container]) -> Container:
    """Return a running container with the additional routes of routes.py."""
    return serve("routes")


@pytest.fixture
def show(request: pytest.FixtureRequest) -> Iterator[list[str]]:
    """Return a list for lines of the summary, such as figures."""
    lines: list[str] = []
    yield lines
    request.config.stash.setdefault(shown, []).extend(lines)


def sentence(report: pytest.TestReport) -> str:
    """Return the name of the test in words."""
    return report.location[2].split("[")[0].removeprefix("test_").replace("_", " ")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Write the names of the passed tests, in words, and the figures."""
    passed = [report for report in terminalreporter.getreports("passed") if "tests/image/" in report.nodeid]
    if not passed:
        return
    terminalreporter.section(f"shown of {os.environ['IMAGE']}")
    failed = {sentence(report) for kind in ("failed", "error") for report in terminalreporter.getreports(kind)}
    for path, reports in groupby(passed, lambda report: report.location[0]):
        terminalreporter.write_line(path)
        for line in dict.fromkeys(map(sentence, reports)):
            if line not in failed:
                terminalreporter.write_line(f"  {line}")
    for line in config.stash.get(shown, []):
        terminalreporter.write_line(line)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Add the logs of the containers of a failed test, and of its file, to the report."""
    report = yield
    if report.failed:
        for container in [one for node in item.listchain() for one in node.stash.get(containers, [])]:
            log = docker("logs", "--tail=50", container.identity, check=False)
            report.sections.append((f"log of {container.identity[:12]}", log))
    return report
