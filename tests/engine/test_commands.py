"""The card's build commands in a fresh clone, and the build argument for another Python version.

The images have the card's names. Existing images with these names get them back afterwards.
"""

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from shlex import split

import pytest

from tests.support.container import LABEL, docker, eventually
from tests.support.project import ANOTHER_VERSION, VERSION

PRODUCTION, DEV = "username/app:v1.0", "app:dev"
ANOTHER = f"tests-commands-{os.getpid()}:python{ANOTHER_VERSION}"
PLATFORMS = "linux/amd64,linux/arm64"
# Cold builds under emulation take minutes.
SECONDS = 1200


def run(image: str, *command: str, options: tuple[str, ...] = ()) -> str:
    """Return what a container of the image prints."""
    return docker("run", "--rm", f"--label={LABEL}", *options, image, *command, seconds=300).strip()


def inspect(image: str, field: str) -> str:
    """Return a field of the image's description, as a Go template names it."""
    return docker("image", "inspect", f"--format={{{{{field}}}}}", image).strip()


def require(image: str, *options: str) -> None:
    """Skip the test if the builder cannot run this image. In CI, fail instead."""
    command = ("buildx", "build", "--output=type=cacheonly", *options, "-")
    try:
        docker(*command, text=f"FROM {image}\nRUN true\n", seconds=300)
    except AssertionError as error:
        said = str(error).strip().splitlines()[-1]
    else:
        return
    reason = f"the builder cannot run {' '.join((image, *options))}: {said}"
    if os.environ.get("CI"):
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason)


@pytest.fixture(autouse=True, scope="module")
def _names() -> Iterator[None]:
    """Restore the names of existing images afterwards."""
    names = (PRODUCTION, DEV)
    # Give them a second name, or the engine could delete them once the first one is reused.
    kept = {name: f"{name}-kept-{os.getpid()}" for name in names if docker("image", "ls", "--quiet", name)}
    for name, other in kept.items():
        docker("tag", name, other)
    try:
        yield
    finally:
        for name in (*names, ANOTHER):
            docker("image", "rm", "--force", name, check=False)
        for name, other in kept.items():
            docker("tag", other, name)
            docker("image", "rm", other)


@pytest.fixture(scope="module")
def clone(project: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Clone the last commit."""
    folder = tmp_path_factory.mktemp("clone") / "app"
    command = ["git", "clone", "--quiet", "--no-hardlinks", str(project), str(folder)]
    subprocess.run(command, check=True)
    return folder


def build(clone: Path, command: str) -> str:
    """Run the command in the clone, and return what it prints."""
    name, *arguments = split(command)
    assert name == "docker"
    return docker(*arguments, folder=clone, seconds=SECONDS)


@pytest.fixture(scope="module")
def production(clone: Path) -> str:
    """Run the first command and return what it prints."""
    return build(clone, "docker build -t username/app:v1.0 .")


def test_production_build_skips_dev(production: str) -> None:
    assert "[builder " in production
    assert "[dev " not in production


@pytest.mark.usefixtures("production")
def test_production_image_serves_with_its_python_version() -> None:
    container = docker("run", "--detach", f"--label={LABEL}", PRODUCTION).strip()
    try:
        eventually(lambda: docker("exec", container, "python", "-m", "app.probe", check=False) == "", 60)
        assert docker("exec", container, "python", "--version").startswith(f"Python {VERSION}.")
    finally:
        docker("rm", "--force", "--volumes", container)


def test_build_of_dev_stops_before_production(clone: Path) -> None:
    printed = build(clone, "docker build --target dev -t app:dev .")
    assert "[production " not in printed
    assert run(DEV, "pytest", "--version").startswith("pytest ")


@pytest.mark.usefixtures("production")
def test_fresh_build_reuses_no_image(clone: Path) -> None:
    before = inspect(PRODUCTION, ".Created")
    build(clone, "docker build --pull --no-cache -t username/app:v1.0 .")
    assert inspect(PRODUCTION, ".Created") > before


def test_python_version_argument_changes_both_stages(clone: Path) -> None:
    require(f"python:{ANOTHER_VERSION}-slim")
    build(clone, f"docker build --build-arg PYTHON_VERSION={ANOTHER_VERSION} -t {ANOTHER} .")
    # The packages come from builder, the interpreter from production's base image. Their versions must match.
    assert run(ANOTHER, "python", "--version").startswith(f"Python {ANOTHER_VERSION}.")
    assert run(ANOTHER, "python", "-c", "import app.main, sys; print(sys.prefix)") == "/usr/local"
    imported = run(ANOTHER, "python", "-c", "import fastapi; print(fastapi.__file__)")
    assert f"/opt/python/lib/python{ANOTHER_VERSION}/" in imported


def test_multi_platform_build_pushes_amd64_and_arm64(clone: Path, registry: str) -> None:
    """Push to a local registry, because the card's name would push to Docker Hub."""
    require(f"python:{VERSION}-slim", f"--platform={PLATFORMS}")
    image = f"{registry}/{PRODUCTION}"
    try:
        build(clone, f"docker buildx build --platform {PLATFORMS} -t {image} --push .")
        index = json.loads(docker("buildx", "imagetools", "inspect", "--raw", image))
        found = {"{os}/{architecture}".format(**manifest["platform"]) for manifest in index["manifests"]}
        # Attestations have an unknown platform.
        assert found - {"unknown/unknown"} == set(PLATFORMS.split(","))
        # Pull from the registry, not from the images of the engine.
        docker("image", "rm", "--force", image, check=False)
        arm64 = "--platform=linux/arm64"
        docker("pull", "--quiet", arm64, image, seconds=300)
        code = "import app.main, platform; print(platform.machine())"
        assert run(image, "python", "-c", code, options=(arm64,)) == "aarch64"
    finally:
        docker("image", "rm", "--force", image, check=False)
