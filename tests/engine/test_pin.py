"""scripts/pin: the digest of the base image in the Dockerfile, and `make` with a pinned Dockerfile."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from deploy.container import DOCKER
from tests.support.container import LABEL, docker
from tests.support.project import ANOTHER_VERSION, VERSION

PIN = re.compile(r"^ARG PYTHON_IMAGE=\$\{PYTHON_IMAGE/(\S+)/(\S+?)@(sha256:[0-9a-f]{64})\}$", re.MULTILINE)
OLD = f"sha256:{'0' * 64}"
TAG = f"{VERSION}-slim"


@pytest.fixture
def folder(project: Path, tmp_path: Path) -> Path:
    """Return a folder with the Makefile, the Dockerfile without a digest, and the scripts."""
    shutil.copytree(project / "scripts", tmp_path / "scripts")
    for name in ("Dockerfile", "Makefile"):
        shutil.copy(project / name, tmp_path / name)
    assert pin(tmp_path, "--off").returncode == 0
    return tmp_path


def run(folder: Path, *command: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run a command in the folder."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON_")} | variables
    return subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=300, check=False
    )


def pin(folder: Path, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run scripts/pin."""
    return run(folder, "scripts/pin", *arguments, **variables)


def pins(folder: Path) -> list[tuple[str, str, str]]:
    """Return the tag, the tag that replaces it and the digest of each pin in the Dockerfile."""
    return PIN.findall((folder / "Dockerfile").read_text())


def pin_to(folder: Path, digest: str) -> None:
    """Pin the tag to a digest, without asking a registry."""
    dockerfile = folder / "Dockerfile"
    line = f"ARG PYTHON_IMAGE=${{PYTHON_IMAGE/{TAG}/{TAG}@{digest}}}\n"
    dockerfile.write_text(dockerfile.read_text().replace("-slim\n", f"-slim\n{line}", 1))
    assert pins(folder) == [(TAG, TAG, digest)]


def test_pin_adds_one_line_and_off_removes_it(folder: Path) -> None:
    before = (folder / "Dockerfile").read_text()
    assert pin(folder).returncode == 0
    ((tag, replacement, digest),) = pins(folder)
    assert tag == replacement == TAG
    assert digest in docker("image", "inspect", "--format={{.RepoDigests}}", f"python:{TAG}")
    assert re.sub(f"{PIN.pattern}\n", "", (folder / "Dockerfile").read_text(), flags=re.MULTILINE) == before
    assert pin(folder, "--off").returncode == 0
    assert (folder / "Dockerfile").read_text() == before


def test_a_digest_stays_until_an_upgrade(folder: Path) -> None:
    pin_to(folder, OLD)
    assert "UPGRADE=1" in pin(folder).stdout
    assert pins(folder) == [(TAG, TAG, OLD)]
    assert pin(folder, "--upgrade").returncode == 0
    ((*_, digest),) = pins(folder)
    assert digest != OLD


def test_check_fails_only_if_the_tag_has_another_digest(folder: Path) -> None:
    assert pin(folder, "--check").returncode == 0
    assert pin(folder).returncode == 0
    assert pin(folder, "--check").returncode == 0
    assert pin(folder, "--off").returncode == 0
    pin_to(folder, OLD)
    outdated = pin(folder, "--check")
    assert outdated.returncode == 1
    assert outdated.stderr.splitlines()[-1].endswith("run `make pin UPGRADE=1`")


def test_print_changes_nothing(folder: Path) -> None:
    before = (folder / "Dockerfile").read_text()
    assert re.fullmatch(rf"python:{re.escape(TAG)}@sha256:[0-9a-f]{{64}}\n", pin(folder, "--print").stdout)
    digested = f"127.0.0.1:1/python:{TAG}@{OLD}"
    assert pin(folder, "--print", PYTHON_IMAGE=digested).stdout == f"{digested}\n"
    assert (folder / "Dockerfile").read_text() == before


def name(folder: Path, image: str) -> str:
    """Write another base image into the Dockerfile, and return its text."""
    text = (folder / "Dockerfile").read_text().replace("=python:${PYTHON_VERSION}-slim", f"={image}")
    (folder / "Dockerfile").write_text(text)
    return text


def test_unreachable_registry_changes_nothing(folder: Path) -> None:
    before = name(folder, "127.0.0.1:1/python:${PYTHON_VERSION}-slim")
    answer = pin(folder)
    assert answer.returncode == 1
    assert answer.stderr.splitlines()[-1].startswith(f"pin: cannot read the digest of 127.0.0.1:1/python:{TAG}")
    assert (folder / "Dockerfile").read_text() == before


@pytest.mark.parametrize("image", ["python", "127.0.0.1:1/python"])
def test_an_image_without_a_tag_is_not_pinned(folder: Path, image: str) -> None:
    before = name(folder, image)
    assert pin(folder).stderr == f"pin: {image} has no tag: add one to ARG PYTHON_IMAGE in Dockerfile\n"
    assert pin(folder, "--show").stdout == f"{image}\n"
    assert (folder / "Dockerfile").read_text() == before


@pytest.mark.parametrize(
    "variables", [{"PYTHON_VERSION": ANOTHER_VERSION}, {"PYTHON_IMAGE": f"mirror.example/python:{TAG}"}]
)
def test_digest_of_another_image_is_not_written(folder: Path, variables: dict[str, str]) -> None:
    before = (folder / "Dockerfile").read_text()
    refused = pin(folder, **variables)
    assert (refused.returncode, refused.stdout) == (1, "")
    assert "edit ARG PYTHON_VERSION or ARG PYTHON_IMAGE there" in refused.stderr
    assert (folder / "Dockerfile").read_text() == before


def test_an_unknown_option_is_an_error(folder: Path) -> None:
    assert pin(folder, "--of").stderr == "pin: --of is invalid: use --upgrade, --off, --check, --show or --print\n"


@pytest.mark.parametrize(
    "settings",
    [
        pytest.param([], id="the Dockerfile's version"),
        pytest.param([f"PYTHON_VERSION={VERSION}"], id="the same version"),
        pytest.param(["PYTHON_IMAGE=mirror.example/python:3.13-slim"], id="another image"),
    ],
)
def test_make_builds_what_the_pin_is_for(folder: Path, settings: list[str]) -> None:
    pin_to(folder, OLD)
    assert run(folder, "make", "-n", "build", *settings).returncode == 0


@pytest.mark.parametrize("target", ["build", "fresh", "test", "reproduce", "dev"])
def test_make_refuses_another_version_than_the_pinned_one(folder: Path, target: str) -> None:
    pin_to(folder, OLD)
    refused = run(folder, "make", "-n", target, f"PYTHON_VERSION={ANOTHER_VERSION}", "RUNTIME=docker")
    assert refused.returncode == 2
    refusal = f"pins {TAG} and cannot build on {ANOTHER_VERSION}-slim: remove the digest with `make pin OFF=1`"
    assert refusal in refused.stderr


def test_python_version_from_the_environment_is_ignored(folder: Path) -> None:
    assert "PYTHON_VERSION" not in run(folder, "make", "-n", "build", PYTHON_VERSION="3.13.1").stdout


def test_another_version_is_never_the_pinned_image(folder: Path) -> None:
    pin_to(folder, OLD)
    build = (DOCKER, "build", f"--label={LABEL}", "--target=base", "--build-arg=PYTHON_VERSION=3.99", "--quiet", ".")
    failed = run(folder, *build)
    assert failed.returncode == 1
    assert "python:3.99-slim" in failed.stderr
    assert OLD not in failed.stderr
