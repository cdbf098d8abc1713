"""template/bench and the engine: every run removes what it created, and nothing else."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support.container import PATIENCE, docker

ROW = ("--quick", "root")


@pytest.fixture
def theirs() -> Iterator[set[str]]:
    """Create an image, a layer and a cache mount that belong to someone else, and return what exists."""
    run = "RUN --mount=type=cache,target=/root/.cache/theirs touch /root/.cache/theirs/file"
    docker("build", "--tag=bench-not-mine:1", "-", text=f"FROM python:3.12-slim\n{run}\n", seconds=300)
    found = there()
    assert found
    yield found
    docker("image", "rm", "bench-not-mine:1")


def there() -> set[str]:
    """Return the ids of images, containers, volumes, networks, and that build cache.

    The rest of the cache is left out, because the builder removes old records at any time.
    """
    kinds = (("image", "ls", "--all", "--no-trunc"), ("ps", "--all", "--no-trunc"), ("volume", "ls"), ("network", "ls"))
    named = {name for kind in kinds for name in docker(*kind, "--quiet").split()}
    records = docker("buildx", "du", "--verbose", "--filter=description~=theirs")
    return named | set(re.findall(r"^ID:\s+(\S+)", records, re.MULTILINE))


def marks() -> set[str]:
    """Return the marks of runs in images, containers and the build cache."""
    outputs = (
        docker("image", "ls", "--all"),
        docker("ps", "--all", "--format={{.Labels}}"),
        docker("buildx", "du", "--verbose"),
    )
    return set(re.findall(r"bench-\d+-\d+", "".join(outputs)))


@contextmanager
def running(project: Path) -> Iterator[subprocess.Popen[str]]:
    """Start a run of one row in its own process group, as in a terminal."""
    command = [sys.executable, "-m", "template.bench", *ROW]
    with subprocess.Popen(
        command, cwd=project, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True
    ) as run:
        yield run
        run.wait(300 * PATIENCE)


def assert_nothing_of_it_is_left(theirs: set[str], before: set[str]) -> None:
    """Fail unless everything of others is left, and nothing with the mark of this run."""
    assert theirs - there() == set()
    assert marks() - before == set()


@pytest.mark.parametrize("target", ["bench", "bench-peers"])
@pytest.mark.parametrize("where", ["command line", "environment"])
@pytest.mark.parametrize("note", ["a laptop (ours); `hostile`", "\";hostile;'", "a\nhostile"])
def test_note_is_never_run_as_a_command(project: Path, target: str, where: str, note: str) -> None:
    command = ["make", "-n", target]
    if where == "command line":
        command.append(f"NOTE={note}")
    done = subprocess.run(
        command, cwd=project, env=os.environ | {"NOTE": note}, capture_output=True, text=True, check=True
    )
    assert '--note "$NOTE"' in done.stdout
    assert "hostile" not in done.stdout


def test_run_prints_figures_and_cleans_up(project: Path, theirs: set[str]) -> None:
    before = marks()
    with running(project) as run:
        printed, _ = run.communicate(timeout=300 * PATIENCE)
    assert run.returncode == 0, printed
    assert re.search(r"\| files that the process may change \| 0 files \| [\d,]+ files \| better with it \|", printed)
    assert_nothing_of_it_is_left(theirs, before)


def test_interrupted_run_cleans_up(project: Path, theirs: set[str]) -> None:
    before = marks()
    with running(project) as run:
        assert run.stdout
        # By then, the project is built, and its variant is being built.
        while "building root" not in run.stdout.readline():
            assert run.poll() is None
        os.killpg(run.pid, signal.SIGTERM)
        run.communicate(timeout=300 * PATIENCE)
    assert run.returncode == 143
    assert_nothing_of_it_is_left(theirs, before)
