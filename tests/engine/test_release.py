"""scripts/release: from a commit to `latest` in a registry, as .github/workflows/publish.yml does it.

The registry is registry.py, in a container. The test builds the engine's own platform. A small image without commands
stands for the other platform, so that no emulation is needed.
"""

import json
import os
import platform
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.support.container import docker

OWN, OTHER = ("arm64", "amd64") if platform.machine() in {"arm64", "aarch64"} else ("amd64", "arm64")
# The image is known by its digest only, and the test builds another one on the same base.
TESTS = ("tests/image/test_telemetry.py::test_missing_telemetry_packages_are_logged",)

SOMEONE = ("-c", "user.name=someone", "-c", "user.email=someone@example.com", "-c", "commit.gpgSign=false")

Release = Callable[..., dict[str, str]]


def git(*arguments: str | Path, folder: Path | None = None) -> str:
    """Return what git prints, with the configuration of this machine, which may declare this folder safe."""
    command = ["git", *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True).stdout


@pytest.fixture(scope="module")
def clone(project: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Clone the project with its uncommitted changes, and tag two releases and a release candidate."""
    source = tmp_path_factory.mktemp("release") / "source"
    git("clone", "--quiet", "--no-hardlinks", "--no-tags", project, source)
    names = git("ls-files", "-z", "--cached", "--others", "--exclude-standard", folder=project).split("\0")[:-1]
    for name in names:
        if (project / name).exists():
            (source / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(project / name, source / name)
        else:
            (source / name).unlink(missing_ok=True)
    git("add", "--all", folder=source)
    git(*SOMEONE, "commit", "--quiet", "--allow-empty", "--message=changes", folder=source)
    for tag in ("v1.9.0", "v1.10.0", "v2.0.0-rc.1"):
        git("tag", tag, folder=source)
    return source


@pytest.fixture(scope="module")
def base(clone: Path) -> str:
    """Return the base image by digest."""
    command = [str(clone / "scripts/pin"), "--print"]
    return subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout.strip()


@pytest.fixture(scope="module")
def release(project: Path, clone: Path, tmp_path_factory: pytest.TempPathFactory) -> Release:
    """Run scripts/release, and return its results by name, as GitHub gets them."""
    output = tmp_path_factory.mktemp("output") / "output"

    def release(*arguments: str, base: str = "") -> dict[str, str]:
        output.write_text("")
        done = subprocess.run(
            [str(clone / "scripts/release"), *arguments],
            cwd=clone,
            env=os.environ | {"GITHUB_OUTPUT": str(output), "PYTHON_IMAGE": base},
            capture_output=True,
            text=True,
            timeout=600,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return dict(line.split("=", 1) for line in output.read_text().splitlines())

    return release


@pytest.fixture(scope="module")
def name(registry: str) -> str:
    """Return the name of the image, with capitals, as the name of an owner may contain them."""
    return f"{registry}/Some.Owner/Release-For-Tests"


@pytest.fixture(scope="module")
def built(name: str, release: Release, clone: Path, base: str) -> dict[str, str]:
    """Push both platforms, and return their digests."""
    own = release("build", name, "v1.10.0", f"linux/{OWN}", base=base)
    return own | {OTHER: push(name.lower(), OTHER, clone.parent / "metadata.json")}


@pytest.fixture(scope="module")
def merged(name: str, release: Release, clone: Path, base: str, built: dict[str, str]) -> Iterator[str]:
    """Return the released image by digest."""
    folder = str(clone.parent / "notes")
    found = release("merge", name, "v1.10.0", folder, built["amd64"], built["arm64"], base=base)
    image = f"{name.lower()}@{found['digest']}"
    yield image
    docker("image", "rm", "--force", image, check=False)


def push(name: str, architecture: str, metadata: Path) -> str:
    """Push an image of this platform, and return its digest."""
    output = "type=image,push=true,store=false,oci-mediatypes=true"
    options = (f"--platform=linux/{architecture}", "--provenance=false", f"--output={output}", f"--tag={name}:other")
    dockerfile = "FROM scratch\nLABEL org.opencontainers.image.title=other\n"
    docker("buildx", "build", *options, f"--metadata-file={metadata}", "-", text=dockerfile)
    found: str = json.loads(metadata.read_text())["containerimage.digest"]
    return found


def index(image: str) -> dict[str, str]:
    """Return the digest of each platform of an image in the registry."""
    raw = json.loads(docker("buildx", "imagetools", "inspect", "--raw", image))
    assert raw["mediaType"] == "application/vnd.oci.image.index.v1+json"
    return {one["platform"]["architecture"]: one["digest"] for one in raw["manifests"]}


def digest(image: str) -> str:
    """Return the digest of an image in the registry."""
    return docker("buildx", "imagetools", "inspect", image, "--format={{json .Manifest.Digest}}").strip('"\n')


def test_one_platform_is_pushed_as_one_manifest(name: str, built: dict[str, str]) -> None:
    assert digest(f"{name.lower()}:v1.10.0-{OWN}") == built[OWN]
    # An index would contain other manifests, such as attestations.
    raw = json.loads(docker("buildx", "imagetools", "inspect", "--raw", f"{name.lower()}@{built[OWN]}"))
    assert raw["mediaType"] == "application/vnd.oci.image.manifest.v1+json"


def test_the_merged_image_contains_both_platforms_as_they_were_tested(
    name: str, merged: str, built: dict[str, str]
) -> None:
    assert index(merged) == built
    assert digest(f"{name.lower()}:v1.10.0") == merged.partition("@")[2]


def test_the_pushed_platform_passes_the_tests_of_the_image(
    project: Path, name: str, built: dict[str, str], base: str
) -> None:
    image = f"{name.lower()}@{built[OWN]}"
    done = subprocess.run(
        [str(project / "scripts/verify"), image, *TESTS],
        env=os.environ | {"PYTHON_IMAGE": base},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=600,
        check=False,
    )
    docker("image", "rm", "--force", image, check=False)
    assert done.returncode == 0, done.stdout


def test_the_notes_name_the_image_and_its_base_by_digest(merged: str, clone: Path, base: str) -> None:
    notes = (clone.parent / "notes" / "notes.md").read_text()
    assert f"`{merged}`" in notes
    assert set(re.findall(r"[\w/.:-]*python:\S+@sha256:[0-9a-f]{64}", notes)) == {base}


def test_the_labels_name_the_base_by_digest(name: str, built: dict[str, str], base: str) -> None:
    image = f"{name.lower()}@{built[OWN]}"
    described = json.loads(docker("buildx", "imagetools", "inspect", image, "--format={{json .Image}}"))
    labels = described["config"]["Labels"]
    assert "@".join(labels[f"org.opencontainers.image.base.{part}"] for part in ("name", "digest")) == base


def test_latest_is_only_the_newest_release(name: str, merged: str, release: Release) -> None:
    latest = f"{name.lower()}:latest"
    assert release("latest", merged, "v1.10.0") == {"latest": "true", "prerelease": "false"}
    assert index(latest) == index(merged)
    assert digest(latest) == merged.partition("@")[2]
    for other in ("v1.9.0", "v2.0.0-rc.1"):
        assert release("latest", f"{name.lower()}@sha256:{'0' * 64}", other)["latest"] == "false"
    assert digest(latest) == merged.partition("@")[2]


def test_release_is_rebuilt_after_its_base_image_changed(name: str, merged: str, release: Release) -> None:
    moved = f"{name.lower()}-moved"
    docker("buildx", "imagetools", "create", f"--tag={moved}:latest", merged)
    assert release("outdated", moved) == {}
    label = f"org.opencontainers.image.base.digest=sha256:{'0' * 64}"
    docker("build", "--quiet", f"--label={label}", f"--tag={moved}:latest", "-", text="FROM python:3.12-slim\n")
    docker("push", "--quiet", f"{moved}:latest")
    docker("image", "rm", f"{moved}:latest")
    found = release("outdated", moved)
    assert found["tag"] == "v1.10.0"
    assert re.fullmatch(r"v1\.10\.0-\d{8}", found["version"])
    assert re.fullmatch(r"\S+@sha256:[0-9a-f]{64}", found["base"])


def test_without_a_release_nothing_is_rebuilt(project: Path, tmp_path: Path) -> None:
    git("clone", "--quiet", "--no-tags", project, tmp_path / "fresh")
    done = subprocess.run(
        [tmp_path / "fresh" / "scripts" / "release", "outdated", "registry.example/owner/name"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "there is no release\n", "")
