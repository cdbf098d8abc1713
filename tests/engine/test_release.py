"""scripts/release: from the commit to `latest` in a registry, as in .github/workflows/publish.yml.

The registry is registry.py. Only the engine's own platform is built, because emulation takes minutes.
"""

import json
import os
import re
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.support.container import docker

# A docker without the options for the other platform.
ONE_PLATFORM = """#!/bin/sh
case "$1 $2" in
"buildx inspect") echo "Platforms: linux/amd64, linux/arm64" && exit ;;
"buildx build") shift 4 && set -- buildx build "$@" ;;
esac
exec {docker} "$@"
"""
# These tests use the image by its digest, and build another one on the same base.
TESTS = "tests/image/test_telemetry.py -k never"

Release = Callable[..., dict[str, str]]


def git(*arguments: str | Path, folder: Path | None = None) -> str:
    """Return what git prints, with the configuration of this machine, which may declare this folder safe."""
    command = ["git", *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True).stdout


@pytest.fixture(scope="module")
def clone(project: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Clone the last commit, with the tags of two releases and of a future one."""
    folder = tmp_path_factory.mktemp("release")
    engine = folder / "docker"
    engine.write_text(ONE_PLATFORM.format(docker=os.environ.get("DOCKER", "docker")))
    engine.chmod(0o755)
    source = folder / "source"
    git("clone", "--quiet", "--no-hardlinks", "--no-tags", project, source)
    for tag in ("v1.9.0", "v1.10.0", "v2.0.0-rc.1"):
        git("tag", tag, folder=source)
    return source


@pytest.fixture(scope="module")
def release(project: Path, clone: Path, tmp_path_factory: pytest.TempPathFactory) -> Release:
    """Return a function that runs scripts/release and returns its outputs for GitHub."""
    outputs = tmp_path_factory.mktemp("outputs") / "output"

    def release(*arguments: str) -> dict[str, str]:
        outputs.write_text("")
        own = {
            "DOCKER": str(clone.parent / "docker"),
            "GITHUB_OUTPUT": str(outputs),
            "MYPY_CACHE_DIR": str(project / ".mypy_cache"),
            "PYTHON_IMAGE": "",
            "TESTS": TESTS,
        }
        command = [str(clone / "scripts/release"), *arguments]
        done = subprocess.run(
            command, cwd=clone, env=os.environ | own, capture_output=True, text=True, timeout=600, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return dict(line.split("=", 1) for line in outputs.read_text().splitlines())

    return release


@pytest.fixture(scope="module")
def published(registry: str, release: Release, clone: Path) -> Iterator[dict[str, str]]:
    """Publish a version and return the outputs."""
    outputs = release("publish", f"{registry}/Some.Owner/Release-For-Tests", "v1.10.0", str(clone.parent / "notes"))
    yield outputs
    docker("image", "rm", "--force", f"{outputs['name']}@{outputs['digest']}")


def digest(image: str) -> str:
    """Return the digest of the image in the registry."""
    return docker("buildx", "imagetools", "inspect", image, "--format={{json .Manifest.Digest}}").strip('"\n')


def test_name_is_lower_case_and_digest_from_the_registry(published: dict[str, str], registry: str) -> None:
    assert published["name"] == f"{registry}/some.owner/release-for-tests"
    assert published["digest"] == digest(f"{published['name']}:v1.10.0")


def test_the_notes_name_the_image_and_its_base_by_digest(published: dict[str, str], clone: Path) -> None:
    notes = (clone.parent / "notes" / "notes.md").read_text()
    assert f"{published['name']}@{published['digest']}" in notes
    (base,) = set(re.findall(r"[\w/.:-]*python:\S+@sha256:[0-9a-f]{64}", notes))
    labels = json.loads(
        docker("inspect", "--format={{json .Config.Labels}}", f"{published['name']}@{published['digest']}")
    )
    named = [labels[f"org.opencontainers.image.base.{part}"] for part in ("name", "digest")]
    assert "@".join(named) == base


def test_latest_is_only_the_newest_release(published: dict[str, str], release: Release) -> None:
    image = f"{published['name']}@{published['digest']}"
    latest = f"{published['name']}:latest"
    assert release("latest", image, "v1.10.0") == {"latest": "true"}
    assert digest(latest) == published["digest"]
    for other in ("v1.9.0", "v2.0.0-rc.1"):
        assert release("latest", f"{published['name']}@sha256:{'0' * 64}", other) == {"latest": "false"}
    assert digest(latest) == published["digest"]


def test_release_is_rebuilt_after_its_base_image_changed(published: dict[str, str], release: Release) -> None:
    release("latest", f"{published['name']}@{published['digest']}", "v1.10.0")
    assert release("outdated", published["name"]) == {}
    moved = f"{published['name']}-moved"
    label = f"org.opencontainers.image.base.digest=sha256:{'0' * 64}"
    docker("build", "--quiet", f"--label={label}", f"--tag={moved}:latest", "-", text="FROM python:3.12-slim\n")
    docker("push", "--quiet", f"{moved}:latest")
    docker("image", "rm", f"{moved}:latest")
    outputs = release("outdated", moved)
    assert outputs["tag"] == "v1.10.0"
    assert re.fullmatch(r"v1\.10\.0-\d{8}", outputs["version"])
    assert re.fullmatch(r"\S+@sha256:[0-9a-f]{64}", outputs["base"])


def test_without_a_release_nothing_is_rebuilt(project: Path, tmp_path: Path) -> None:
    git("clone", "--quiet", "--no-tags", project, tmp_path / "fresh")
    done = subprocess.run(
        [tmp_path / "fresh" / "scripts" / "release", "outdated", "registry.example/owner/name"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "there is no release\n", "")
