"""How releases and CI read the answers of GitHub and a registry: errors never count as permission."""

import json
import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.git import git

DIGEST = f"sha256:{'0' * 64}"


@dataclass(frozen=True)
class Release:
    """A clone of the project, with stand-ins for gh and docker."""

    clone: Path

    def add(self, name: str, script: str) -> None:
        """Add a program that runs this script."""
        program = self.clone.parent / "programs" / name
        program.parent.mkdir(exist_ok=True)
        program.write_text(f"#!/bin/sh\n{script}\n")
        program.chmod(0o755)

    def run(self, *command: str) -> tuple[int, str, str]:
        """Run a command of the project, and return its exit code, its output, and its outputs for GitHub."""
        output = self.clone.parent / "output"
        output.write_text("")
        own = {
            "PATH": f"{self.clone.parent / 'programs'}:{os.environ['PATH']}",
            "DEFAULT_BRANCH": "main",
            "PYTHON_IMAGE": "",
            "GITHUB_OUTPUT": str(output),
            "GITHUB_REPOSITORY": "owner/name",
        }
        done = subprocess.run(
            command,
            cwd=self.clone,
            env=os.environ | own,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        return done.returncode, done.stdout.strip(), output.read_text().strip()


@pytest.fixture
def release(project: Path, tmp_path: Path) -> Release:
    """Return a clone with a release. Its branch on GitHub is main."""
    clone = tmp_path / "clone"
    git(tmp_path, "clone", "--quiet", "--no-tags", str(project), str(clone))
    git(clone, "update-ref", "refs/remotes/origin/main", "HEAD")
    git(clone, "tag", "v1.0.0")
    return Release(clone)


def ready(release: Release, commit: str = "") -> tuple[int, str]:
    """Run `scripts/release ready`, and return its exit code and its output."""
    commit = commit or git(release.clone, "rev-parse", "HEAD").strip()
    return release.run("scripts/release", "ready", "ghcr.io/owner/name", commit)[:2]


def test_commit_of_the_default_branch_with_passed_ci_is_ready(release: Release) -> None:
    release.add("gh", "echo success")
    release.add("docker", f"echo 'Digest: {DIGEST}'")
    code, printed = ready(release)
    assert code == 0
    name, base = printed.splitlines()[-2:]
    assert name == "name=ghcr.io/owner/name"
    assert re.fullmatch(rf"base=\S*python:\S+@{DIGEST}", base)


@pytest.mark.parametrize("conclusion", ["failure", "in_progress", "missing"])
def test_a_commit_that_ci_has_not_passed_is_not_ready(release: Release, conclusion: str) -> None:
    release.add("gh", f"echo {conclusion}")
    code, said = ready(release)
    assert code == 1
    assert f"is {conclusion}: rerun this job after it has passed" in said


# The merge queue checked the commit first, then the default branch.
@pytest.mark.parametrize(
    ("runs", "code", "said"),
    [
        pytest.param(["success"], 0, f"@{DIGEST}", id="passed"),
        pytest.param(["failure", "success"], 0, f"@{DIGEST}", id="failed, then passed"),
        pytest.param(["success", "failure"], 1, "is failure", id="passed, then failed"),
        pytest.param(["success", None], 1, "is in_progress", id="passed, and runs again"),
        pytest.param([], 1, "is missing", id="not checked"),
    ],
)
def test_the_newest_check_of_the_commit_counts(release: Release, runs: list[str | None], code: int, said: str) -> None:
    if not shutil.which("jq"):
        if os.environ.get("CI"):
            pytest.fail("the test needs jq, which understands the filter as gh does", pytrace=False)
        pytest.skip("no jq")
    found = [
        {"id": number, "status": "completed" if conclusion else "in_progress", "conclusion": conclusion}
        for number, conclusion in enumerate(runs)
    ]
    # GitHub does not say in which order it lists them.
    answer = json.dumps({"check_runs": found[::-1]})
    release.add("gh", f'while [ "$1" != --jq ]; do shift; done; echo \'{answer}\' | jq --raw-output "$2"')
    release.add("docker", f"echo 'Digest: {DIGEST}'")
    ended, printed = ready(release)
    assert (ended, said in printed) == (code, True), printed


@pytest.mark.parametrize(
    ("tag", "newer", "latest", "prerelease"),
    [
        pytest.param("v1.0.0", "", "true", "false", id="the newest release"),
        pytest.param("v0.9.0", "", "false", "false", id="an older release"),
        pytest.param("v2.0.0-rc.1", "", "false", "true", id="a pre-release"),
        pytest.param("v2.0.0rc1", "", "false", "true", id="a pre-release in Python's form"),
        pytest.param("v1.0.0", "v1.1.0", "false", "false", id="a newer release exists"),
        pytest.param("v1.0.0", "v1.1.0-rc.1", "true", "false", id="a newer pre-release exists"),
        pytest.param("v1.0.0", "v1.1.0rc1", "true", "false", id="a newer pre-release in Python's form exists"),
        pytest.param("v1.0.0", "v2", "true", "false", id="a tag that is never released exists"),
    ],
)
def test_latest_is_the_newest_release(release: Release, tag: str, newer: str, latest: str, prerelease: str) -> None:
    for name in {tag, newer} - {"", "v1.0.0"}:
        git(release.clone, "tag", name)
    release.add("docker", "")
    code, _, outputs = release.run("scripts/release", "latest", f"ghcr.io/owner/name@{DIGEST}", tag)
    assert (code, dict(line.split("=") for line in outputs.splitlines())) == (
        0,
        {"latest": latest, "prerelease": prerelease},
    )


@pytest.mark.parametrize("exists", [False, True], ids=["first run", "second run"])
def test_a_second_run_adds_to_the_release_of_the_first(release: Release, exists: bool) -> None:
    workflow = (release.clone / ".github/workflows/release.yml").read_text()
    commands = re.findall(r"^      - run: (gh .*)$", workflow, re.MULTILINE)
    release.add("gh", f'echo "$*"; case $* in *upload*) exit {int(not exists)} ;; *create*) exit {int(exists)} ;; esac')
    script = "TAG=v1.0.0 PRERELEASE=false LATEST=false\n" + "\n".join(commands)
    code, printed, _ = release.run("bash", "-e", "-c", script)
    assert code == 0, printed
    upload, *create = printed.splitlines()
    assert upload == "release upload v1.0.0 release/image.* --clobber"
    # An older version must not become the latest release.
    options = "release create v1.0.0 release/image.* --verify-tag --prerelease=false --latest=false "
    assert [line.startswith(options) for line in create] == ([] if exists else [True])


def test_unreachable_github_is_not_ready(release: Release) -> None:
    release.add("gh", "echo HTTP 503 >&2; exit 1")
    assert ready(release) == (1, "HTTP 503")


def test_a_tag_that_has_moved_is_not_ready(release: Release) -> None:
    release.add("gh", "echo success")
    code, said = ready(release, "0" * 40)
    assert code == 1
    assert said.startswith("release: the tag has moved")


def test_a_commit_outside_the_default_branch_is_not_ready(release: Release) -> None:
    release.add("gh", "echo success")
    git(release.clone, "commit", "--quiet", "--allow-empty", "--message=other")
    code, said = ready(release)
    assert code == 1
    assert said.endswith("is not in main: merge it first")


@pytest.mark.parametrize(
    ("script", "said"),
    [
        pytest.param("echo 503 Service Unavailable >&2; exit 1", "503 Service Unavailable", id="a registry that fails"),
        pytest.param("echo null", "release: ghcr.io/owner/name:latest has no label with its base image", id="no label"),
    ],
)
def test_unknown_base_image_of_latest_is_not_outdated(release: Release, script: str, said: str) -> None:
    release.add("docker", f'[ "$1" != pull ] || {{ echo "Digest: {DIGEST}"; exit; }}\n{script}')
    code, printed, outputs = release.run("scripts/release", "outdated", "ghcr.io/owner/name")
    assert (code, printed.splitlines()[-1], outputs) == (1, said, "")


@pytest.mark.parametrize(
    ("script", "code", "said", "outputs"),
    [
        pytest.param("exit 0", 0, "", "enabled=true", id="it answers"),
        pytest.param("echo 'gh: Forbidden (HTTP 403)' >&2; exit 1", 0, "::notice::", "", id="switched off"),
        pytest.param("echo 'gh: It is disabled (HTTP 404)' >&2; exit 1", 0, "::notice::", "", id="disabled"),
        pytest.param("echo 'gh: Not Found (HTTP 404)' >&2; exit 1", 1, "gh: Not Found", "", id="unknown commits"),
        pytest.param("echo 'gh: API rate limit exceeded (HTTP 403)' >&2; exit 1", 1, "gh: API", "", id="too many"),
        pytest.param("echo 'gh: Resource not accessible (HTTP 403)' >&2; exit 1", 1, "gh: Resource", "", id="no right"),
        pytest.param("echo 'gh: Bad Gateway (HTTP 502)' >&2; exit 1", 1, "gh: Bad Gateway", "", id="an error"),
        pytest.param("echo 'no network' >&2; exit 1", 1, "no network", "", id="no answer"),
    ],
)
def test_dependency_graph_is_on_off_or_unknown(
    release: Release, script: str, code: int, said: str, outputs: str
) -> None:
    release.add("gh", script)
    found = release.run(".github/dependency-graph", "repos/owner/name/dependency-graph/compare/a...b")
    assert (found[0], found[2]) == (code, outputs)
    assert found[1].startswith(said)
