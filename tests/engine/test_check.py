"""`make test`: the end of its output shows if the checks passed, or which failed and why."""

import shutil
import subprocess
from pathlib import Path

import pytest

TOOLS = ("ruff", "mypy", "pytest", "python")
BUILT = """#12 3.45 + mypy
#12 3.46 --- mypy
#12 4.56 ==== failed
#12 4.56 --- mypy
#12 4.57 a.py:1: error: no
#12 4.58 failed: mypy
#12 ERROR: process
"""


@pytest.fixture
def checks(project: Path, tmp_path: Path) -> Path:
    """Return a folder with scripts/check and tools that find nothing."""
    (tmp_path / "scripts").mkdir()
    shutil.copy(project / "scripts/check", tmp_path / "scripts")
    (tmp_path / "bin").mkdir()
    for name in TOOLS:
        finds(tmp_path, name, "exit 0")
    return tmp_path


def finds(folder: Path, tool: str, script: str) -> None:
    """Make the tool run this script."""
    path = folder / "bin" / tool
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)


def check(folder: Path) -> tuple[int, list[str]]:
    """Run scripts/check and return its exit code and its lines."""
    environment = {"PATH": f"{folder / 'bin'}:/usr/bin:/bin"}
    done = subprocess.run(
        [folder / "scripts/check"],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout.splitlines()


def test_passed_is_the_last_line(checks: Path) -> None:
    code, lines = check(checks)
    assert (code, lines[-1]) == (0, "passed")


def test_end_repeats_output_of_failed_checks(checks: Path) -> None:
    finds(checks, "mypy", "sleep 1; echo a.py:1: error: no; exit 1")
    finds(checks, "pytest", "echo FAILED tests/a.py; exit 1")
    code, lines = check(checks)
    assert code == 1
    assert lines[-6:] == [
        "==== failed",
        "--- pytest",
        "FAILED tests/a.py",
        "--- mypy",
        "a.py:1: error: no",
        "failed: pytest, mypy; `make` shows how to run one test, and how to format",
    ]
    assert "+ python -m app.review --fail-on info" in lines


@pytest.mark.parametrize(
    ("code", "end"),
    [(0, ["passed"]), (1, ["", "==== failed", "--- mypy", "a.py:1: error: no", "failed: mypy"])],
)
def test_build_ends_with_the_same_lines(project: Path, code: int, end: list[str]) -> None:
    command = [str(project / "scripts/test"), "sh", "-c", f"printf '{BUILT}' >&2; exit {code}"]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
    assert done.returncode == code
    assert done.stdout.splitlines()[-len(end) :] == end


def test_podman_build_ends_with_the_same_lines(project: Path) -> None:
    command = [str(project / "scripts/test"), "sh", "-c", "printf '==== failed\\n--- mypy\\nfailed: mypy\\n'; exit 1"]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
    assert done.stdout.splitlines()[-3:] == ["==== failed", "--- mypy", "failed: mypy"]


def test_build_that_fails_before_the_checks_is_reported(project: Path) -> None:
    command = [str(project / "scripts/test"), "sh", "-c", "echo '#3 ERROR: no network' >&2; exit 1"]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
    assert done.returncode == 1
    assert done.stdout.splitlines()[-1] == "failed: the build stopped before the checks ended"
