"""scripts/push, without an engine or a registry: docker and git are stand-ins that print what the test sets."""

import os
import subprocess
from pathlib import Path

import pytest

from tests.support.project import PROJECT

PUSH = PROJECT / "scripts" / "push"
BOTH = "Platforms: linux/amd64, linux/amd64/v2, linux/arm64"
DIGEST = f"sha256:{'1' * 64}"
# As docker buildx writes it.
METADATA = f'{{\n  "containerimage.digest": "{DIGEST}"\n}}\n'


def push(
    folder: Path,
    *,
    time: str = "1700000000",
    changed: str = "",
    platforms: str = BOTH,
    prefix: str = "",
    only: str = "",
    metadata: str = METADATA,
) -> tuple[str, str]:
    """Return how docker is called to build, and what is printed: errors, or the image that is pushed.

    `git log` prints `time`, `git status` prints `changed`, and `git rev-parse` prints `prefix`.
    """
    calls = folder / "calls"
    calls.touch()
    record = f'echo "${{SOURCE_DATE_EPOCH-unset}} $*" >>"{calls}"'
    write = f'while [ $# -gt 0 ]; do [ "$1" != --metadata-file ] || cp \'{folder}/metadata\' "$2"; shift; done'
    (folder / "metadata").write_text(metadata)
    git = f'status) printf %s "{changed}" ;; log) [ "{time}" ] && echo "{time}" ;; rev-parse) echo "{prefix}" ;;'
    for name, script in (
        ("docker", f'case "$2" in inspect) echo "{platforms}" ;; build) {record}; {write} ;; esac'),
        ("git", f'case "$1" in {git} esac'),
    ):
        program = folder / name
        program.write_text(f"#!/bin/sh\n{script}\n")
        program.chmod(0o755)
    environment = {"PATH": f"{folder}:{os.environ['PATH']}", "SOURCE_DATE_EPOCH": "1", "PUSH_PLATFORM": only}
    done = subprocess.run(
        [PUSH, "registry/name:v1", "--label=a=b"], env=environment, capture_output=True, text=True, check=False
    )
    assert (done.returncode == 0) == (done.stderr == "")
    return calls.read_text(), done.stderr or done.stdout


def test_it_builds_both_platforms_with_the_time_of_the_commit(tmp_path: Path) -> None:
    built, _ = push(tmp_path)
    assert built.startswith("unset buildx build --platform linux/amd64,linux/arm64 ")
    assert " --tag registry/name:v1 " in built
    assert "--label=a=b" in built.split()
    assert "rewrite-timestamp=true,source-date-epoch=1700000000" in built


def test_push_of_one_platform_prints_its_digest(tmp_path: Path) -> None:
    built, printed = push(tmp_path, only="linux/arm64", platforms="Platforms: linux/arm64")
    assert built.startswith("unset buildx build --platform linux/arm64 ")
    assert " --tag registry/name:v1-arm64 " in built
    assert "source-date-epoch=1700000000" in built
    assert printed == f"registry/name@{DIGEST}\n"


def test_push_fails_if_the_builder_reports_no_digest(tmp_path: Path) -> None:
    _, error = push(tmp_path, only="linux/arm64", metadata="{}")
    assert error == "push: the builder reports no digest\n"


def test_it_builds_a_clone_without_cache_of_the_last_stage(tmp_path: Path) -> None:
    # Otherwise times before the commit's would remain, of older files and of cached layers.
    built, _ = push(tmp_path)
    assert "--no-cache-filter production" in built
    assert not built.endswith(" .\n")


def test_in_a_folder_of_a_repository_it_builds_that_folder(tmp_path: Path) -> None:
    built, _ = push(tmp_path, prefix="services/orders/")
    assert built.endswith("/services/orders/\n")


@pytest.mark.parametrize("changed", [" M app/main.py", "?? app/new.py"])
def test_uncommitted_changes_are_not_pushed(tmp_path: Path, changed: str) -> None:
    built, error = push(tmp_path, changed=changed)
    assert (built, error) == ("", "push: some changes are not committed: commit or stash them first\n")


def test_repository_without_a_commit_is_not_pushed(tmp_path: Path) -> None:
    built, error = push(tmp_path, time="")
    assert (built, error) == ("", "push: there is no commit to push: commit your files first\n")


@pytest.mark.parametrize("platforms", ["Platforms: linux/amd64*, linux/arm64*", "Status: stopped"])
def test_any_list_of_platforms_is_parsed(tmp_path: Path, platforms: str) -> None:
    built, _ = push(tmp_path, platforms=platforms)
    assert built


@pytest.mark.parametrize(
    ("platforms", "missing"),
    [("Platforms: linux/amd64, linux/386", "linux/arm64"), ("Platforms: linux/arm64, linux/arm/v7", "linux/amd64")],
)
def test_missing_platform_is_reported_with_the_solution(tmp_path: Path, platforms: str, missing: str) -> None:
    built, error = push(tmp_path, platforms=platforms)
    assert built == ""
    assert error.startswith(f"push: the builder cannot run {missing}: install emulation with docker run --privileged")
