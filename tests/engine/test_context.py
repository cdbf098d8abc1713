"""The build context as the engine reads it: what .dockerignore lets in, and nothing that lies beside it."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

# What a folder that somebody works in holds, beside what belongs into an image.
WANTED = ("Dockerfile", "app/main.py", "requirements.txt", "tests/unit/test_main.py")
UNWANTED = (
    ".env",
    ".git/config",
    ".venv/bin/python",
    "app/.env",
    "app/__pycache__/main.cpython-312.pyc",
    "app/web/node_modules/a/index.js",
    "id_rsa",
    "tests/.pytest_cache/x",
)


@pytest.fixture
def folder(project: Path, tmp_path: Path) -> Path:
    """A folder with those files, and the project's .dockerignore."""
    for name in (*WANTED, *UNWANTED):
        path = tmp_path / "folder" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("FROM scratch\nCOPY . /\n")
    shutil.copy(project / ".dockerignore", tmp_path / "folder")
    return tmp_path / "folder"


def test_what_is_not_named_never_reaches_the_engine(folder: Path, tmp_path: Path) -> None:
    docker = os.environ.get("DOCKER", "docker")
    command = [docker, "buildx", "build", f"--output=type=local,dest={tmp_path / 'context'}", str(folder)]
    subprocess.run(command, capture_output=True, timeout=60, check=True)
    context = tmp_path / "context"
    entered = {str(path.relative_to(context)) for path in context.rglob("*") if path.is_file()}
    assert entered == {*WANTED, ".dockerignore"}
