"""scripts/labels: the labels of an image. The tests are here because the dev stage has no git."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.support.git import GIT, git


def labels(project: Path) -> dict[str, str]:
    """Return the labels that scripts/labels prints there, by the last part of their names."""
    environment = os.environ | GIT | {"GIT_CEILING_DIRECTORIES": str(project.parent)}
    command = [str(project / "scripts/labels"), "a-title", "a-version"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    assert done.stderr == ""
    return dict(re.findall(r"^--label org\.opencontainers\.image\.(\w+)=(.+)$", done.stdout, re.MULTILINE))


@pytest.fixture
def unversioned(project: Path, tmp_path: Path) -> Path:
    """Return a folder with the script and the files that it reads."""
    folder = tmp_path / "project"
    (folder / "scripts").mkdir(parents=True)
    for name in ("scripts/labels", "scripts/names", "scripts/pin", "Dockerfile"):
        shutil.copy(project / name, folder / name)
    return folder


@pytest.fixture
def repository(unversioned: Path) -> Path:
    """Return that folder as a git repository with a commit."""
    git(unversioned, "init", "--quiet")
    git(unversioned, "commit", "--quiet", "--allow-empty", "--message=first")
    return unversioned


def test_labels_contain_the_commit_and_its_time(repository: Path) -> None:
    revision = git(repository, "rev-parse", "HEAD").strip()
    expected = {"title": "a-title", "version": "a-version", "revision": revision, "created": "2001-09-09T01:46:40Z"}
    assert labels(repository) == expected


def test_repository_that_git_refuses_is_an_error(repository: Path) -> None:
    command = [str(repository / "scripts/labels"), "a-title", "a-version"]
    environment = os.environ | GIT | {"GIT_TEST_ASSUME_DIFFERENT_OWNER": "1"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.splitlines() == [
        f"labels: fatal: detected dubious ownership in repository at '{repository}'",
        f"labels: allow it: git config --global --add safe.directory {repository}",
    ]


@pytest.mark.parametrize(
    ("base", "expected"),
    [("python:3.12-slim", ["name=python:3.12-slim"]), ("a/b:3@sha256:c", ["name=a/b:3", "digest=sha256:c"])],
)
def test_labels_contain_the_base_image_and_its_digest(unversioned: Path, base: str, expected: list[str]) -> None:
    def lines(**environment: str) -> list[str]:
        command = [str(unversioned / "scripts/labels"), "a-title", "a-version"]
        own = {name: value for name, value in os.environ.items() if name != "PYTHON_IMAGE"} | environment
        done = subprocess.run(command, env=own, capture_output=True, text=True, check=True)
        return re.findall(r"^--label org\.opencontainers\.image\.base\.(.+)$", done.stdout, re.MULTILINE)

    assert lines(PYTHON_IMAGE=base) == expected
    (unversioned / "Dockerfile").write_text(f"ARG PYTHON_IMAGE={base}\nFROM ${{PYTHON_IMAGE}} AS base\n")
    assert lines() == expected


def test_outside_git_labels_are_title_version_and_base(unversioned: Path) -> None:
    assert labels(unversioned) == {"title": "a-title", "version": "a-version"}


def test_before_the_first_commit_there_is_no_revision(unversioned: Path) -> None:
    git(unversioned, "init", "--quiet")
    assert labels(unversioned) == {"title": "a-title", "version": "a-version"}


@pytest.mark.parametrize(
    "remote",
    [
        "https://example.com/owner/name",
        "https://example.com/owner/name.git",
        "https://example.com/owner/name.git/",
        "https://token@example.com/owner/name.git",
        "https://user:token@example.com/owner/name.git",
        "https://user:to@ken@example.com/owner/name.git",
        "git@example.com:owner/name.git",
        "someone@example.com:owner/name.git",
        "ssh://git@example.com/owner/name",
        "ssh://git@example.com:22/owner/name.git",
    ],
)
def test_source_is_a_public_url_without_credentials(repository: Path, remote: str) -> None:
    git(repository, "remote", "add", "origin", remote)
    assert labels(repository)["source"] == "https://example.com/owner/name"


@pytest.mark.parametrize(
    "remote", ["/home/someone/name", "../name", "file:///home/someone/name", "https://a --push", "https://a/`b`"]
)
def test_private_remote_gives_no_source(repository: Path, remote: str) -> None:
    git(repository, "remote", "add", "origin", remote)
    assert "source" not in labels(repository)
