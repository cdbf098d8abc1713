"""Reproducible builds: the same commit gives the same image, with valid bytecode and no later times."""

import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.image.bytecode import assert_only_the_app_is_compiled
from tests.support.container import LABEL, PATIENCE, docker
from tests.support.git import git

NAME = "reproduction-for-tests"


@pytest.fixture(scope="module")
def reproduced(project: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[subprocess.CompletedProcess[str]]:
    """Run `make reproduce` in a folder of a larger repository, and remove the image afterwards."""
    repository = tmp_path_factory.mktemp("repository")
    folder = repository / "services" / "app"
    git(repository, "clone", "--quiet", str(project), str(folder))
    shutil.rmtree(folder / ".git")
    git(repository, "init", "--quiet")
    git(repository, "add", ".")
    git(repository, "commit", "--quiet", "--message=all")
    command = ["make", "--silent", "reproduce", f"IMAGE={NAME}"]
    try:
        yield subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=600 * PATIENCE, check=False)
    finally:
        docker("image", "rm", "--force", f"{NAME}:reproduced")


def test_two_cold_builds_of_a_commit_have_the_same_digest(
    reproduced: subprocess.CompletedProcess[str], show: list[str]
) -> None:
    assert reproduced.returncode == 0, reproduced.stderr
    (digest,) = reproduced.stdout.splitlines()
    assert re.fullmatch("sha256:[0-9a-f]{64}", digest)
    show.append(f"digest of the commit, built twice: {digest}")


@pytest.mark.usefixtures("reproduced")
def test_no_file_is_newer_than_the_commit() -> None:
    created = docker("inspect", "--format={{.Created}}", f"{NAME}:reproduced").strip()
    find = ("find", "/app", "/opt", "/etc/passwd", "-newermt", created)
    assert docker("run", "--rm", f"--label={LABEL}", f"{NAME}:reproduced", *find) == ""


@pytest.mark.usefixtures("reproduced")
def test_reproduced_image_compiles_only_the_app() -> None:
    start = ("uvicorn", "app.main:app", "--port", "0", "--limit-max-requests", "0")
    assert_only_the_app_is_compiled(
        docker("run", "--rm", f"--label={LABEL}", "--env=PYTHONVERBOSE=1", f"{NAME}:reproduced", *start)
    )
