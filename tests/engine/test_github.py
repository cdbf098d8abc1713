""".github/run and .github/compare: what a job shows on GitHub."""

import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.container import docker
from tests.support.git import git

Run = Callable[..., tuple[int, list[str], str]]
# As BuildKit prints what runs in the dev stage.
CHECKS = """#12 3.421 + ruff check .
#12 3.500 F401 [*] `os` imported but unused
#12 3.500  --> app/main.py:3:8
#12 3.500   |
#12 4.001 + mypy
#12 5.101 app/main.py:10: error: Incompatible types  [assignment]
#12 5.102 + pytest
#12 7.100 FAILED tests/unit/test_main.py::test_a[b c] - assert 100% == 2
#12 7.200 ======= 1 failed, 812 passed in 60.21s (0:01:00) =======
#12 7.300 TOTAL      1000     30    97%
#12 9.100 failed: ruff check .
"""
FINDINGS = [
    "::error file=app/main.py,line=3::F401 [*] `os` imported but unused",
    "::error file=app/main.py,line=10::error: Incompatible types  [assignment]",
    "::error file=tests/unit/test_main.py::tests/unit/test_main.py::test_a[b c] - assert 100%25 == 2",
]


@pytest.fixture
def run(project: Path, tmp_path: Path) -> Run:
    """Run a command by .github/run. Return its exit code, the annotations and the summary."""
    summary = tmp_path / "summary"

    def run(*command: str, folder: Path = project) -> tuple[int, list[str], str]:
        done = subprocess.run(
            [project / ".github/run", *command],
            cwd=folder,
            env=os.environ | {"GITHUB_STEP_SUMMARY": str(summary)},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=120,
            check=False,
        )
        annotations = [line for line in done.stdout.splitlines() if line.startswith("::")]
        return done.returncode, annotations, summary.read_text()

    return run


def test_a_failure_has_annotations_and_the_exit_code_of_the_command(run: Run) -> None:
    code, annotations, summary = run("sh", "-c", f"cat <<'END'\n{CHECKS}END\nexit 3")
    assert code == 3
    assert annotations == FINDINGS
    assert " failed after " in summary
    assert "- pytest: 1 failed, 812 passed in 60.21s\n" in summary
    assert "- failed: error: Incompatible types  [assignment]\n" in summary


def test_a_success_has_a_summary_and_no_annotation(run: Run) -> None:
    code, annotations, summary = run("sh", "-c", f"cat <<'END'\n{CHECKS}END\n")
    assert (code, annotations) == (0, [])
    assert " passed after " in summary
    assert [line for line in summary.splitlines() if line.startswith("- `")] == [
        "- `ruff check .`",
        "- `mypy`",
        "- `pytest`",
    ]
    assert "- coverage: 97%\n" in summary


def test_a_failure_without_a_place_is_the_last_line(run: Run) -> None:
    code, annotations, summary = run("sh", "-c", "echo first; echo 'verify: no answer' >&2; echo; exit 1")
    assert (code, annotations) == (1, ["::error::verify: no answer"])
    assert summary.endswith("- failed: verify: no answer\n")


def test_what_the_tools_print_today_is_recognized(run: Run, tmp_path: Path) -> None:
    (tmp_path / "bad.py").write_text("import os\n\nnumber: int = 'text'\n")
    (tmp_path / "test_bad.py").write_text("def test_it() -> None:\n    assert 1 == 2\n")
    tools = [
        "ruff check --isolated bad.py",
        "mypy --config-file= bad.py",
        "pytest -c /dev/null --rootdir=. test_bad.py",
    ]
    script = "; ".join(f"'{sys.executable}' -m {tool}" for tool in tools)
    _, annotations, _ = run("sh", "-c", f"{script}; false", folder=tmp_path)
    # The tools may be of another version here. What matters is that each of them names its file and line.
    files = [re.findall(r"^::error file=([\w.]+)(?:,line=(\d+))?::", line)[0] for line in annotations]
    assert files == [("bad.py", "1"), ("bad.py", "3"), ("test_bad.py", "2"), ("test_bad.py", "")]


@pytest.fixture
def clone(project: Path, tmp_path: Path) -> Path:
    """Return a clone with another commit."""
    clone = tmp_path / "clone"
    git(tmp_path, "clone", "--quiet", "--no-tags", str(project), str(clone))
    git(clone, "commit", "--quiet", "--allow-empty", "--message=next")
    return clone


@pytest.mark.parametrize(("broken", "code"), [("parent", 0), ("this", 1)])
def test_only_the_image_of_this_commit_must_build(clone: Path, tmp_path: Path, broken: str, code: int) -> None:
    docker = tmp_path / "docker"
    docker.write_text(f'#!/bin/sh\ncase "$*" in *build*:{broken}*) exit 1 ;; esac\n')
    docker.chmod(0o755)
    environment = os.environ | {"DOCKER": str(docker)}
    done = subprocess.run([clone / ".github/compare"], env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode, "nothing to compare with" in done.stdout) == (code, code == 0)


def test_the_image_is_compared_with_that_of_the_parent(clone: Path, tmp_path: Path) -> None:
    summary = tmp_path / "summary"
    done = subprocess.run(
        [clone / ".github/compare"],
        env=os.environ | {"GITHUB_STEP_SUMMARY": str(summary), "PYTHON": sys.executable},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=600,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    rows = re.findall(r"^\| (\w+) \| [\d.]+ MB \| [\d.]+ s \|$", summary.read_text(), re.MULTILINE)
    assert rows == ["this", "parent"]
    assert docker("images", "--quiet", "--filter=reference=compared-*") == ""
