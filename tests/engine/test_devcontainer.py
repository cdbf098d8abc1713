"""The dev container, opened with the command line tool that editors use. This needs npm."""

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from deploy.container import DOCKER
from tests.support.container import LABEL, PATIENCE, docker, eventually

ROUTE = """

@app.get("/edited")
async def edited() -> str:
    return "{}"

# In front, because a route of the service may match every path.
app.router.routes.insert(0, app.router.routes.pop())
"""
# Prints a response of the app.
ASK = "import urllib.request as u; print(u.urlopen('http://127.0.0.1:8000/edited', timeout=20).read().decode())"


@dataclass(frozen=True)
class Inside:
    """An open dev container: its folder outside, and the owner of that."""

    folder: Path
    owner: int
    tool: Path
    container: str

    def run(self, *command: str) -> str:
        """Run a command in a terminal of the editor and return what it prints."""
        return devcontainer(self.tool, "exec", self.folder, *command)

    def ask(self) -> str:
        """Request the edited route and return the response."""
        return docker("exec", self.container, "python", "-c", ASK, check=False).strip()

    def edit(self, answer: str) -> None:
        """Append a route with this response to app/main.py."""
        path = self.folder / "app" / "main.py"
        path.write_text(path.read_text().partition(ROUTE[:20])[0] + ROUTE.format(answer))


def devcontainer(tool: Path, command: str, folder: Path, *arguments: str) -> str:
    """Run the tool and return what it prints. Raises AssertionError if it fails."""
    # scripts/verify removes it by its label, even if the tests are killed.
    options = [f"--workspace-folder={folder}", f"--id-label={LABEL}", f"--docker-path={DOCKER}"]
    done = subprocess.run(
        [str(tool), command, *options, *arguments],
        env=os.environ | {"TMPDIR": str(folder.parent)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=500 * PATIENCE,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


@pytest.fixture(scope="module")
def tool(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Install the locked version of the command line tool."""
    npm = shutil.which("npm")
    if npm is None:
        pytest.fail("npm is missing: install Node.js 20 or newer, or name other tests with TESTS=", pytrace=False)
    folder = tmp_path_factory.mktemp("tool")
    for name in ("package.json", "package-lock.json"):
        shutil.copy(Path(__file__).with_name(name), folder)
    subprocess.run([npm, "ci", "--silent"], cwd=folder, timeout=300 * PATIENCE, check=True)
    return folder / "node_modules" / ".bin" / "devcontainer"


@pytest.fixture(scope="module")
def inside(project: Path, tool: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Inside]:
    """Open the dev container of a clone, and remove everything afterwards."""
    folder = tmp_path_factory.mktemp("clone") / f"devcontainer-{os.getpid()}"
    # The user who opens the folder. If that is root, the container's user gets the first free number.
    owner = os.getuid() or 1000
    clone = ["git", "clone", "--quiet", "--no-hardlinks", str(project), str(folder)]
    subprocess.run(clone, check=True)
    if os.getuid() == 0:
        for path in (folder, *folder.rglob("*")):
            os.lchown(path, owner, owner)
    try:
        answer = json.loads(devcontainer(tool, "up", folder).splitlines()[-1])
        yield Inside(folder, owner, tool, answer["containerId"])
    finally:
        project_name = f"--project-name={folder.name}_devcontainer"
        docker("compose", project_name, "down", "--rmi=local", "--volumes", "--timeout=1", check=False)
        for image in docker("images", "--quiet", f"vsc-{folder.name}-*").split():
            docker("image", "rm", "--force", image)


def test_dev_container_opens_with_the_app_running(inside: Inside) -> None:
    eventually(lambda: docker("exec", inside.container, "python", "-m", "app.probe", check=False) == "", 60)


def test_needed_files_are_committed_and_git_works_inside(inside: Inside) -> None:
    assert inside.run("git", "status", "--porcelain") == ""


def test_tests_run_inside_and_leave_no_files(inside: Inside) -> None:
    assert " passed" in inside.run("pytest", "tests/unit/test_settings.py")
    assert "All checks passed" in inside.run("ruff", "check", "app")
    assert inside.run("git", "status", "--porcelain", "--ignored") == ""


def test_files_written_inside_belong_to_the_owner(inside: Inside) -> None:
    inside.run("touch", "written")
    written = inside.folder / "written"
    assert written.stat().st_uid == inside.owner
    written.unlink()


def test_dev_container_publishes_no_fixed_port(inside: Inside) -> None:
    state: Any = json.loads(docker("inspect", inside.container))[0]
    assert not state["HostConfig"]["PortBindings"]


def test_app_runs_under_the_debugger(project: Path, inside: Inside) -> None:
    (command,) = re.findall(r"^FROM base AS dev\n.*?^CMD (\[.*?\])$", (project / "Dockerfile").read_text(), re.S | re.M)
    state: Any = json.loads(docker("inspect", inside.container))[0]
    assert state["Config"]["Cmd"][-len(json.loads(command)) :] == json.loads(command)


def test_a_save_is_served(inside: Inside) -> None:
    inside.edit("saved")
    eventually(lambda: inside.ask() == '"saved"', 60)


def test_breakpoint_stops_before_and_after_a_save(inside: Inside, tmp_path: Path) -> None:
    inside.edit("first")
    line = len((inside.folder / "app" / "main.py").read_text().splitlines())
    debugger = ["exec", "--interactive", inside.container, "python", "-", "/app/app/main.py", str(line)]
    stops = tmp_path / "stops"
    with stops.open("w") as output, Path(__file__).with_name("debugger.py").open() as script:
        attached = subprocess.Popen([DOCKER, *debugger], stdin=script, stdout=output, stderr=subprocess.STDOUT)
    try:
        eventually(lambda: inside.ask() == '"first"' and stops.read_text(), 60)
        before = set(stops.read_text().split())
        inside.edit("second")
        eventually(lambda: inside.ask() == '"second"' and set(stops.read_text().split()) - before, 60)
    finally:
        attached.kill()
        attached.wait()
    assert all(line.isdecimal() for line in stops.read_text().splitlines()), stops.read_text()
