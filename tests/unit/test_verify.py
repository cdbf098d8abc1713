"""scripts/verify: which tests it runs, and how it starts the container."""

import os
import shutil
import subprocess
from pathlib import Path

from deploy.container import LOCKED_DOWN


def asked(project: Path, folder: Path, programs: set[str], **variables: str) -> tuple[list[str], str]:
    """Run scripts/verify with these programs, and return the arguments of pytest and the errors."""
    (folder / "scripts").mkdir()
    for name in ("names", "verify"):
        shutil.copy(project / "scripts" / name, folder / "scripts")
    (folder / "deploy").mkdir()
    shutil.copy(project / "deploy/options.txt", folder / "deploy")
    found = folder / "programs"
    for path, text in {
        found / "docker": f'echo "$@" >>{folder}/engine; case $1 in port) echo 127.0.0.1:1 ;; inspect) echo 0 ;; esac',
        folder / ".venv/bin/pytest": f'echo "$@" >{folder}/asked',
        **{found / name: "" for name in {"curl", *programs}},
        folder / ".venv/bin/mypy": "",
        folder / ".venv/bin/python": "",
    }.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"#!/bin/sh\n{text}\n")
        path.chmod(0o755)
    for name in ("cat", "date", "dirname"):
        (found / name).symlink_to(str(shutil.which(name)))
    # Without PATH, a shell would search its default folders.
    environment = {"PATH": str(found), "HOME": os.environ.get("HOME", "/"), **variables}
    done = subprocess.run(
        [folder / "scripts/verify", "image"], env=environment, capture_output=True, text=True, check=True
    )
    return (folder / "asked").read_text().split(), done.stderr


SLOW = "tests/engine/test_commands.py::test_multi_platform_build_pushes_amd64_and_arm64"


def test_all_tests_run_if_all_programs_exist(project: Path, tmp_path: Path) -> None:
    arguments, said = asked(project, tmp_path, {"kubectl", "npm"})
    # Every folder of tests must be run by make verify or named by another target.
    folders = {str(Path(*path.relative_to(project).parts[:2])) for path in project.glob("tests/**/test_*.py")}
    named = (project / "Makefile").read_text().split()
    assert folders - {"tests/unit"} <= {*arguments, *named}
    assert "--ignore" not in arguments
    assert said == f"verify: skipped: {SLOW} (slow)\n"


def test_tests_without_their_program_are_skipped_and_listed(project: Path, tmp_path: Path) -> None:
    arguments, said = asked(project, tmp_path, set())
    assert "tests/deploy" not in arguments
    assert arguments[-4:-2] == ["--ignore", "tests/engine/test_devcontainer.py"]
    assert said == (
        f"verify: skipped: {SLOW} (slow) tests/deploy (no kubectl) tests/engine/test_devcontainer.py (no npm)\n"
    )


def test_ci_skips_nothing(project: Path, tmp_path: Path) -> None:
    arguments, said = asked(project, tmp_path, set(), CI="true")
    assert "tests/deploy" in arguments
    assert "--ignore" not in arguments
    assert said == f"verify: skipped: {SLOW} (slow)\n"


def test_container_has_its_options_and_run_options(project: Path, tmp_path: Path) -> None:
    asked(project, tmp_path, set(), RUN_OPTIONS="--network=orders --env=APP_LOG_LEVEL=debug")
    started = (tmp_path / "engine").read_text().splitlines()[0]
    assert started.startswith("run --detach ")
    assert started.endswith(f" {' '.join(LOCKED_DOWN)} --network=orders --env=APP_LOG_LEVEL=debug image")
