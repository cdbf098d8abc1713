"""scripts/pin: the base image's digest, written into the Dockerfile and taken off again."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

PINNED = re.compile(r"^FROM (\S+?)(@sha256:[0-9a-f]{64})? AS python$", re.MULTILINE)
# Where nothing listens.
NOWHERE = "127.0.0.1:1/python:3.12-slim"


@pytest.fixture
def folder(project: Path, tmp_path: Path) -> Path:
    """A folder with the Dockerfile and the script."""
    (tmp_path / "scripts").mkdir()
    for name in ("Dockerfile", "scripts/pin"):
        shutil.copy(project / name, tmp_path / name)
    return tmp_path


def pin(folder: Path, *arguments: str, image: str = "") -> subprocess.CompletedProcess[str]:
    """What the script says, with PYTHON_IMAGE set to the image."""
    command = [str(folder / "scripts" / "pin"), *arguments]
    environment = os.environ | {"PYTHON_IMAGE": image}
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300, check=False)


def base(folder: Path) -> list[tuple[str, str]]:
    """The base image and its digest, as the Dockerfile has them."""
    return PINNED.findall((folder / "Dockerfile").read_text())


def test_a_tag_gets_its_digest_and_nothing_else_changes(folder: Path) -> None:
    assert pin(folder, "--off").returncode == 0
    floating = (folder / "Dockerfile").read_text()
    ((image, _),) = base(folder)
    assert pin(folder).returncode == 0
    ((pinned, digest),) = base(folder)
    known = subprocess.run(
        [os.environ.get("DOCKER", "docker"), "image", "inspect", "--format={{.RepoDigests}}", image],
        capture_output=True,
        text=True,
        check=True,
    )
    assert pinned == image
    assert digest
    assert digest in known.stdout
    assert pin(folder, "--off").returncode == 0
    assert (folder / "Dockerfile").read_text() == floating


def test_a_digest_stays_until_another_is_asked_for(folder: Path) -> None:
    old = f"@sha256:{'0' * 64}"
    assert pin(folder, image=f"python:3.12-slim{old}").returncode == 0
    assert base(folder) == [("python:3.12-slim", old)]
    assert pin(folder).returncode == 0
    assert base(folder) == [("python:3.12-slim", old)]
    assert pin(folder, "--upgrade").returncode == 0
    ((image, digest),) = base(folder)
    assert image == "python:3.12-slim"
    assert digest not in {"", old}


def test_what_would_be_pinned_can_be_printed_and_nothing_changes(folder: Path) -> None:
    assert pin(folder, "--off").returncode == 0
    before = (folder / "Dockerfile").read_text()
    assert re.fullmatch(r"python:\S+@sha256:[0-9a-f]{64}\n", pin(folder, "--print").stdout)
    # Nothing is asked about what has its digest.
    written = f"{NOWHERE}@sha256:{'0' * 64}"
    assert pin(folder, "--print", image=written).stdout == f"{written}\n"
    assert (folder / "Dockerfile").read_text() == before


def test_where_no_registry_answers_it_says_so_and_changes_nothing(folder: Path) -> None:
    before = (folder / "Dockerfile").read_text()
    ((image, digest),) = base(folder)
    answer = pin(folder, image=NOWHERE)
    assert answer.returncode == 1
    assert f"the base image stays {image}{digest}" in answer.stderr.splitlines()[-1]
    assert (folder / "Dockerfile").read_text() == before
