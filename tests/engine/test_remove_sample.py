"""template/remove-sample: its question, its errors and its result. The tests are here because dev has no git."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from template.bench.subject import copy
from tests.support.git import git


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Copy the project into a new repository."""
    folder = tmp_path_factory.mktemp("template") / "A Service"
    copy(folder)
    git(folder, "init", "--quiet")
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message=first")
    return folder


@pytest.fixture
def repository(template: Path, tmp_path: Path) -> Path:
    """Return a copy of that repository, for one test."""
    return Path(shutil.copytree(template, tmp_path / "A Service"))


def remove_sample(folder: Path, answer: str = "") -> subprocess.CompletedProcess[str]:
    """Run the script with this answer."""
    environment = {**os.environ, "GIT_CEILING_DIRECTORIES": str(folder.parent)}
    environment.pop("YES", None)
    command = [str(folder / "template" / "remove-sample")]
    return subprocess.run(command, input=answer, env=environment, capture_output=True, text=True, check=False)


def assert_refused(done: subprocess.CompletedProcess[str], reason: str) -> None:
    """Fail unless the script failed with this reason in one line."""
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert line.partition(": ")[2].startswith(reason)


@pytest.mark.parametrize("answer", ["", "\n", "n\n", "yess\n"], ids=["no answer", "an empty one", "no", "another one"])
def test_it_lists_its_changes_and_waits_for_yes(repository: Path, answer: str) -> None:
    done = remove_sample(repository, answer)
    assert_refused(done, "nothing has changed")
    assert "  app/review\n" in done.stdout
    assert "  app/routes/greetings.py\n" in done.stdout
    assert git(repository, "status", "--porcelain") == ""


@pytest.mark.parametrize("name", ["README.md", "new"])
def test_uncommitted_changes_stop_it(repository: Path, name: str) -> None:
    (repository / name).write_text("mine")
    assert_refused(remove_sample(repository, "y\n"), "some changes are not committed")
    assert (repository / name).read_text() == "mine"


def test_ignored_files_in_its_way_stop_it(repository: Path) -> None:
    (repository / ".git/info/exclude").write_text("greetings.py\n!template/overlay/**\n")
    (repository / "app/routes/greetings.py").write_text("mine")
    assert_refused(remove_sample(repository, "y\n"), "git ignores app/routes/greetings.py")
    assert (repository / "app/routes/greetings.py").read_text() == "mine"


@pytest.mark.parametrize("begun", [False, True], ids=["no repository", "no commit"])
def test_repository_without_a_commit_stops_it(repository: Path, begun: bool) -> None:
    shutil.rmtree(repository / ".git")
    if begun:
        git(repository, "init", "--quiet")
    assert_refused(remove_sample(repository, "y\n"), "there is no commit to go back to")
    assert (repository / "app/review").exists()


def test_names_of_folders_and_files_are_never_run(
    template: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "hostile"
    program.write_text(f"#!/bin/sh\ntouch '{tmp_path}/ran'\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    folder = Path(shutil.copytree(template, tmp_path / "-a `hostile` '$(hostile)' \";hostile;\nhostile"))
    names = {"a `hostile`.txt", "$(hostile).md", "-v", "'a\"", "é\n;hostile"}
    for name in names:
        (folder / name).write_text("before\nsee template/trial\nafter\n")
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message=second")
    done = remove_sample(folder, "y\n")
    assert (done.returncode, done.stderr) == (0, "")
    assert {name: (folder / name).read_text() for name in names} == dict.fromkeys(names, "before\nafter\n")
    assert git(folder, "status", "--porcelain", "-z").count("?? ") == 0
    assert not (tmp_path / "ran").exists()


def test_result_is_staged_and_git_can_undo_it(repository: Path) -> None:
    (repository / "app/review/__pycache__").mkdir()
    done = remove_sample(repository, "y\n")
    assert (done.returncode, done.stderr) == (0, "")
    assert not [name for name in ("app/review", "docs/sample", "template") if (repository / name).exists()]
    assert (repository / "app/routes/greetings.py").exists()
    assert (repository / "README.md").read_text().startswith("# Service\n")
    staged = git(repository, "status", "--porcelain").splitlines()
    assert [line for line in staged if line[1] != " "] == []
    git(repository, "reset", "--quiet", "--hard")
    assert git(repository, "status", "--porcelain") == ""
    assert (repository / "app/review/dockerfile.py").exists()
