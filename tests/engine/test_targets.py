"""The make targets: their commands with and without a container engine, and their errors."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from deploy.container import LOCKED_DOWN
from tests.support.makefile import MAKEFILES, targets


def made(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run make in the folder."""
    command = ["make", *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


@pytest.fixture
def copy(project: Path, tmp_path: Path) -> Path:
    """Return a folder with what make needs, which is not a repository."""
    shutil.copytree(project / "scripts", tmp_path / "scripts")
    for name in ("Makefile", "Dockerfile"):
        shutil.copy(project / name, tmp_path)
    return tmp_path


# `docker info` decides about the runtime. The tests replace docker by a program that always succeeds or fails.
@pytest.mark.parametrize("engine", ["true", "false"])
@pytest.mark.parametrize("target", sorted(targets(*MAKEFILES)))
def test_make_has_a_rule_for_each_step_of(target: str, engine: str, project: Path) -> None:
    settings = (f"DOCKER={engine}", "IMAGE=registry.test/name", "VERSION=v1")
    found = made(project, "--dry-run", target, *settings)
    assert (found.returncode, found.stderr) == (0, "")


@pytest.mark.parametrize("target", ["build", "fresh", "push", "reproduce"])
def test_missing_engine_is_reported(target: str, project: Path) -> None:
    failed = made(project, target, "DOCKER=false", "IMAGE=registry.test/name", "VERSION=v1")
    assert failed.returncode != 0
    assert failed.stderr.splitlines()[0].startswith("no container engine answers: install or start Docker")


@pytest.mark.parametrize(
    ("said", "versions", "message"),
    [
        ("Docker version 1", {"docker": "26.0.2"}, "Docker 26.0.2 is too old: install 26.1 or newer"),
        ("Docker version 1", {"docker": "26.1.5+dfsg1"}, None),
        ("podman version 1", {"docker": "5.3.1"}, "Podman 5.3.1 is too old: install 5.4 or newer"),
        ("podman version 1", {"docker": "5.4.2"}, None),
        (
            "Docker version 1",
            {"docker": "30.0", "compose": "v2.25.0"},
            "compose: Docker Compose 2.25.0 is too old: install 2.26 or newer",
        ),
        (
            "Docker version 1",
            {"docker": "30.0", "compose": "v2.3.0"},
            "compose: Docker Compose 2.3.0 is too old: install 2.26 or newer",
        ),
        ("Docker version 1", {"docker": "30.0", "compose": "5.0.1"}, None),
    ],
)
def test_old_engine_is_reported_with_the_oldest_supported(
    said: str, versions: dict[str, str], message: str | None, copy: Path
) -> None:
    engine = copy / "docker"
    engine.write_text(
        "#!/bin/sh\n"
        f'case "$1 $2" in "--version ") echo {said} ;; "version --format") echo {versions["docker"]} ;;'
        f' "compose version") echo {versions.get("compose", "2.26.1")} ;; esac\n'
    )
    engine.chmod(0o755)
    done = made(copy, "dev", "RUNTIME=docker", f"DOCKER={engine}")
    assert (done.returncode == 0) is (message is None)
    assert message is None or done.stderr.splitlines()[0] == message


def test_an_image_without_labels_is_not_built(copy: Path) -> None:
    assert made(copy, "build", "DOCKER=true").returncode == 0
    (copy / "scripts/labels").chmod(0o644)
    assert made(copy, "build", "DOCKER=true").returncode != 0


def test_run_uses_the_options_of_the_tests_and_run_options(project: Path) -> None:
    printed = made(project, "--dry-run", "run", "RUN_OPTIONS=--network=orders --env=APP_LOG_LEVEL=debug").stdout
    assert f" {' '.join(LOCKED_DOWN)} --network=orders --env=APP_LOG_LEVEL=debug " in printed


ROOT = f"{os.getuid()}:{os.getgid()}"


@pytest.mark.parametrize(
    ("info", "owner"),
    [
        ("Security Options:\n  seccomp\n  rootless", "0:0"),
        ("Security Options:\n  seccomp", ROOT),
        ("    rootless: true", "0:0"),
        ("    rootless: false", ROOT),
    ],
    ids=["Docker without root", "Docker", "Podman without root", "Podman"],
)
def test_files_that_containers_write_belong_to_the_owner(info: str, owner: str, copy: Path) -> None:
    engine = copy / "docker"
    engine.write_text(f'#!/bin/sh\n[ "$1" != info ] || printf "{info}\\n"\n[ "$1" != run ] || echo "$@"\n')
    engine.chmod(0o755)
    assert f"run --rm --user {owner} " in made(copy, "lock", "RUNTIME=docker", f"DOCKER={engine}").stdout


@pytest.mark.parametrize(("settings", "removed"), [((), False), (("VOLUMES=1",), True)])
def test_clean_removes_volumes_only_with_volumes_set(settings: tuple[str, ...], removed: bool, project: Path) -> None:
    commands = made(project, "--dry-run", "clean", "DOCKER=true", *settings).stdout
    assert ("down --rmi local --remove-orphans --volumes" in commands) is removed
    assert ("Volumes stay" in commands) is not removed


def test_dev_reads_the_port_from_dotenv(copy: Path) -> None:
    dev = ("--dry-run", "dev", "RUNTIME=docker")
    (copy / ".env").write_text("APP_LOG_LEVEL=debug\nPORT=9000\n")
    assert "http://127.0.0.1:9000 " in made(copy, *dev).stdout
    assert "http://127.0.0.1:7000 " in made(copy, *dev, "PORT=7000").stdout
    (copy / ".env").write_bytes(b"PORT=7000\nPORT='9000' # mine\r\n")
    assert "http://127.0.0.1:9000 " in made(copy, *dev).stdout
    (copy / ".env").write_text("PORT=`touch ran`\n")
    assert "PORT is invalid" in made(copy, *dev).stderr
    assert not (copy / "ran").exists()
