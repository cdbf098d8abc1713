"""scripts/changes: which CI jobs a commit needs."""

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.support.git import git


@pytest.mark.parametrize(
    ("files", "needs"),
    [
        pytest.param(["docs/settings.md"], "", id="documentation"),
        pytest.param(["README.md", ".github/SECURITY.md", "LICENSE"], "", id="other texts"),
        pytest.param(["app/main.py", "docs/settings.md"], "code service", id="the service"),
        pytest.param(["requirements.in", "requirements-dev.txt"], "code service", id="its packages"),
        pytest.param(["tests/unit/test_main.py", "tests/service.py"], "code service", id="its tests"),
        pytest.param(["deploy/requests.txt"], "code service", id="requests to the service"),
        pytest.param(["Dockerfile"], "code service tooling", id="the Dockerfile"),
        pytest.param(["scripts/labels", ".github/grype.yaml"], "code service tooling", id="what the image needs"),
        pytest.param(["tests/support/container.py"], "code service tooling", id="what tests share"),
        pytest.param(["deploy/load.py"], "code service tooling delivery", id="the load"),
        pytest.param(["deploy/options.txt"], "code service tooling delivery", id="options"),
        pytest.param(["deploy/kubernetes/base/settings.env"], "code delivery", id="manifests"),
        pytest.param(["deploy/haproxy/rollout.py"], "code delivery", id="rollout"),
        pytest.param(["scripts/deploy", "tests/deploy/test_deploy.py"], "code delivery", id="deployment"),
        pytest.param(["Makefile", "requirements/lock.txt"], "code tooling", id="tools"),
        pytest.param(["app/main.py", "Makefile"], "code service tooling", id="the service and tools"),
        pytest.param(["app.md.py"], "code tooling", id="anything else"),
    ],
)
@pytest.mark.parametrize("folder", ["", "services/orders"])
def test_a_commit_needs(files: list[str], needs: str, folder: str, project: Path, tmp_path: Path) -> None:
    root = tmp_path / folder
    (root / "scripts").mkdir(parents=True)
    shutil.copy(project / "scripts/changes", root / "scripts")
    git(tmp_path, "init", "--quiet")
    git(tmp_path, "commit", "--quiet", "--allow-empty", "--message=first")
    for name in files:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text("changed")
    git(tmp_path, "add", *(str(root / name) for name in files))
    git(tmp_path, "commit", "--quiet", "--message=second")
    done = subprocess.run([root / "scripts/changes"], capture_output=True, text=True, check=True)
    expected = [f"{name}={str(name in needs.split()).lower()}" for name in ("code", "service", "tooling", "delivery")]
    assert done.stdout.split() == expected


def test_a_file_that_moved_to_the_docs_counts_where_it_was(project: Path, tmp_path: Path) -> None:
    for folder in ("scripts", "app", "docs"):
        (tmp_path / folder).mkdir()
    shutil.copy(project / "scripts/changes", tmp_path / "scripts")
    (tmp_path / "app/page.md.py").write_text("a page\n" * 10)
    git(tmp_path, "init", "--quiet")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "--quiet", "--message=first")
    git(tmp_path, "mv", "app/page.md.py", "docs/page.md.py")
    git(tmp_path, "commit", "--quiet", "--message=second")
    done = subprocess.run([tmp_path / "scripts/changes"], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[0] == "code=true"
