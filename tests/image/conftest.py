"""Fixtures for the tests of the image: its containers, which are gone afterwards, whatever happened."""

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
    """The image in question."""
    return os.environ["IMAGE"]


@pytest.fixture
def start(image: str, request: pytest.FixtureRequest) -> Iterator[Start]:
    """Starts containers of the image. They are removed after the test; if it fails, it shows what they wrote."""
    with starting(image, request.node) as start:
        yield start


@pytest.fixture
def service(start: Start) -> Container:
    """A container as `make run` starts it, serving."""
    return start()


@pytest.fixture(scope="module")
def shared(image: str, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Container]:
    """The same with the further routes of routes.py, one for all tests of a file."""
    with starting(image, request.node) as start:
        yield serve_module(start, tmp_path_factory.mktemp("shared"), "routes")


def mounted(folder: Path, file: Path, path: str) -> str:
    """Return the option of docker run by which a file is at a path of the container, by way of a copy in the folder."""
    # Every user can read the copy, whatever the umask of this checkout.
    copy = folder / file.name
    copy.write_text(file.read_text())
    copy.chmod(0o644)
    return f"--volume={copy}:{path}:ro"


def serve_module(start: Start, folder: Path, name: str, *options: str) -> Container:
    """Start a container that serves the app in a module of this folder in place of the image's own."""
    module = f"{name}_for_tests"
    mount = mounted(folder, Path(__file__).with_name(f"{name}.py"), f"/app/app/{module}.py")
    return start(*serving(f"app.{module}:app"), options=(mount, *options))


@pytest.fixture
def mount(tmp_path: Path) -> Callable[[Path, str], str]:
    """Makes the option of docker run by which a file is at a path of the container."""
    return partial(mounted, tmp_path)


@pytest.fixture
def serve(start: Start, tmp_path: Path) -> Callable[..., Container]:
    """Starts a container that serves an app of this folder in place of the image's own.

    The app is named by its module; what follows are options of docker run.
    """
    return partial(serve_module, start, tmp_path)


@pytest.fixture
def with_routes(serve: Callable[..., Container]) -> Container:
    """A container with the further routes of routes.py, serving."""
    return serve("routes")


@pytest.fixture
def show(request: pytest.FixtureRequest) -> Iterator[list[str]]:
    """Lines for the summary at the end: what was measured."""
    lines: list[str] = []
    yield lines
    request.config.stash.setdefault(shown, []).extend(lines)


def sentence(report: pytest.TestReport) -> str:
    """The name of its test in words."""
    return report.location[2].split("[")[0].removeprefix("test_").replace("_", " ")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Write what was shown of the image: the names of the tests that passed, as sentences, and what was measured."""
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
    """Add the logs of a failed test's containers, and of those that its file shares, to its report."""
    report = yield
    if report.failed:
        for container in [one for node in item.listchain() for one in node.stash.get(containers, [])]:
            log = docker("logs", "--tail=50", container.identity, check=False)
            report.sections.append((f"log of {container.identity[:12]}", log))
    return report
