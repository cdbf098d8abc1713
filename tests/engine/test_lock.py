"""`make lock`: all files are locked, or none of them changes."""

import os
import subprocess
from pathlib import Path

import pytest

SOURCES = ("requirements.in", "requirements-dev.in", "requirements/verify.in", "requirements/new.in")
# A stand-in for Python with pip: it installs a uv into the folder after --target, which fails at the file FAILING.
PYTHON = """#!/bin/sh
while [ "$1" != --target ]; do shift; done
mkdir "$2/bin"
cat >"$2/bin/uv" <<'UV'
#!/bin/sh
while [ "$1" != --output-file ]; do shift; done
echo locked >"$2"
[ "$2" != "$FAILING" ]
UV
chmod +x "$2/bin/uv"
"""


@pytest.mark.parametrize(
    ("failing", "content"),
    [("none", "locked"), ("requirements/verify.txt", "before"), ("requirements.txt", "before")],
)
def test_all_files_are_locked_or_none(project: Path, tmp_path: Path, failing: str, content: str) -> None:
    scripts = tmp_path / "scripts"
    scripts.mkdir()
    (tmp_path / "requirements").mkdir()
    (scripts / "lock").write_text((project / "scripts/lock").read_text())
    (tmp_path / "python").write_text(PYTHON)
    for program in (scripts / "lock", tmp_path / "python"):
        program.chmod(0o755)
    *old, new = ((tmp_path / name).with_suffix(".txt") for name in SOURCES)
    for name in SOURCES:
        (tmp_path / name).touch()
    for path in old:
        path.write_text("before\n")
    environment = os.environ | {"PYTHON": str(tmp_path / "python"), "FAILING": failing}
    done = subprocess.run([scripts / "lock"], env=environment, stdout=subprocess.PIPE, text=True, check=False)
    assert (done.returncode == 0) is (failing == "none")
    assert {path.read_text() for path in old} == {f"{content}\n"}
    assert new.exists() is (failing == "none")
    assert done.stdout.startswith("locking requirements.txt\n")
