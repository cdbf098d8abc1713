"""scripts/changes: which CI jobs a commit needs."""

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.support.git import git


@pytest.mark.parametrize(
    ("files", "needs"),
    [
        pytest.param(["docs/settings.md"], "code=false tooling=false", id="documentation"),
        pytest.param(["README.md", ".github/SECURITY.md", "LICENSE"], "code=false tooling=false", id="other texts"),
        pytest.param(["app/main.py", "docs/settings.md"], "code=true tooling=false", id="the service"),
        pytest.param(["requirements.in", "requirements-dev.txt"], "code=true tooling=false", id="its packages"),
        pytest.param(["tests/unit/test_main.py", "tests/service.py"], "code=true tooling=false", id="its tests"),
        pytest.param(["app/main.py", "Dockerfile"], "code=true tooling=true", id="the Dockerfile"),
        pytest.param(["requirements/lock.txt"], "code=true tooling=true", id="packages of a tool"),
        pytest.param(["deploy/load.py"], "code=true tooling=true", id="delivery"),
        pytest.param(["app.md.py"], "code=true tooling=true", id="anything else"),
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
    assert done.stdout.split() == needs.split()
