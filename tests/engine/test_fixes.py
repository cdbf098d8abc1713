"""The advice of each rule builds in a real engine: the bad example with its fixes, or else the good example."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory
from zipfile import ZipFile

import pytest

from app.review.edit import apply
from app.review.report import review
from app.review.rules import RULES
from tests.support.container import docker
from tests.support.git import git

BASE = "review-fixes-base"
# A stand-in for apt-get without a network: it needs root, and package lists to install anything.
APT_GET = """\
#!/bin/sh
[ "$(id -u)" = 0 ] || { echo "apt-get: permission denied" >&2; exit 100; }
case " $* " in
*" update "*) touch /var/lib/apt/lists/packages ;;
*" install "*) [ -e /var/lib/apt/lists/packages ] || { echo "apt-get: no package lists" >&2; exit 100; } ;;
esac
"""
# The packages that the examples install, each with a script of its name. A folder replaces the package index.
PACKAGES = ("fastapi", "flask", "idna", "numpy", "pytest")
DOCKERFILE = """\
FROM python:3.12-slim
COPY apt-get /usr/local/bin/
COPY wheels /wheels
ENV PIP_NO_INDEX=1 PIP_FIND_LINKS=/wheels
"""
FILES = {
    "apt-get": APT_GET,
    "app/__init__.py": "",
    "app/main.py": "",
    "main.py": "",
    "requirements.txt": "idna\n",
    "requirements-dev.txt": "pytest\n",
    "tests/test_app.py": "def test_it() -> None: pass\n",
}


@pytest.fixture(scope="module")
def context(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Return a folder with the files that the examples copy, and build the image that they are built on."""
    folder = tmp_path_factory.mktemp("context")
    for name, text in FILES.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text)
    (folder / "apt-get").chmod(0o755)
    (folder / "wheels").mkdir()
    for package in PACKAGES:
        write_wheel(folder / "wheels", package)
    (folder / "Dockerfile").write_text(DOCKERFILE)
    docker("build", "--load", f"--tag={BASE}", str(folder), seconds=600)
    yield folder
    docker("image", "rm", "--force", BASE)


def write_wheel(folder: Path, name: str) -> None:
    """Write a wheel with a module, and a script that calls it.

    https://packaging.python.org/en/latest/specifications/binary-distribution-format/
    """
    info = f"{name}-1.0.dist-info"
    with ZipFile(folder / f"{name}-1.0-py3-none-any.whl", "w") as wheel:
        wheel.writestr(f"{name}.py", "def main() -> None: pass\n")
        wheel.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        wheel.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        wheel.writestr(f"{info}/entry_points.txt", f"[console_scripts]\n{name} = {name}:main\n")
        wheel.writestr(f"{info}/RECORD", "")


def advice(rule_id: str) -> str:
    """Return the bad example with the rule's fixes, or the good example if the rule has none."""
    rule = RULES[rule_id]
    findings = [item for item in review(rule.bad, rule.dockerignore).findings if item.rule == rule_id]
    edits = [edit for item in findings for edit in item.edits]
    return apply(rule.bad, edits) if edits else rule.good


def build(context: Path, text: str, dockerignore: str) -> str:
    """Build a Dockerfile on the base, and return what the engine prints. Raises AssertionError if it fails."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "Dockerfile"
        path.write_text(text)
        path.with_name("Dockerfile.dockerignore").write_text(dockerignore)
        images = ("python:3.12-slim", "python:slim", "python:3.12", "debian:bookworm-slim")
        contexts = [f"--build-context={image}=docker-image://{BASE}" for image in images]
        return docker("build", "--output=type=cacheonly", f"--file={path}", *contexts, str(context), seconds=600)


@pytest.fixture(scope="module")
def builds(context: Path) -> Iterator[dict[str, Future[str]]]:
    """Build the advice of all rules, several at once."""
    with ThreadPoolExecutor(4) as pool:
        # The digest is an example.
        texts = {rule_id: re.sub(r"@sha256:\w+", "", advice(rule_id)) for rule_id in RULES}
        yield {
            rule_id: pool.submit(build, context, text, RULES[rule_id].dockerignore) for rule_id, text in texts.items()
        }


@pytest.mark.parametrize("rule_id", RULES)
def test_advice_of_a_rule_builds(builds: dict[str, Future[str]], rule_id: str) -> None:
    builds[rule_id].result()


@pytest.mark.parametrize("rule_id", RULES)
def test_advice_of_a_rule_removes_its_finding(rule_id: str) -> None:
    assert rule_id not in {item.rule for item in review(advice(rule_id), RULES[rule_id].dockerignore).findings}


def test_bad_advice_does_not_build(context: Path) -> None:
    (context / "Dockerfile").write_text(f"FROM {BASE}\nRUN apt-get update && rm -rf /var/lib/apt/lists/*\n")
    docker("build", "--output=type=cacheonly", str(context), seconds=600)
    (context / "Dockerfile").write_text(
        f"FROM {BASE}\nRUN apt-get update && rm -rf /var/lib/apt/lists/*\nRUN apt-get install a\n"
    )
    with pytest.raises(AssertionError, match="no package lists"):
        docker("build", "--output=type=cacheonly", str(context), seconds=600)


def test_diff_can_be_applied_with_git(tmp_path: Path, project: Path) -> None:
    (tmp_path / "Dockerfile").write_text("FROM python:3.12-slim\nCMD python -m app")  # without a newline at the end
    command = [sys.executable, "-m", "app.review", "--diff", "--unsafe-fixes"]

    def difference() -> subprocess.CompletedProcess[str]:
        environment = os.environ | {"PYTHONPATH": str(project)}
        return subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)

    first = difference()
    assert first.returncode == 1
    (tmp_path / "diff").write_text(first.stdout)
    git(tmp_path, "apply", "-p0", "diff")
    second = difference()
    assert (second.returncode, second.stdout) == (0, "")
