"""No name is run by make or a shell: settings, arguments of scripts, and names of folders, tags and branches.

A hostile name calls a program that records the call.
"""

import os
import re
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from deploy.container import DOCKER
from tests.support.container import docker
from tests.support.git import git
from tests.support.makefile import MAKEFILES

# These variables belong to make.
MAKES_OWN = {"CURDIR", "MAKECMDGOALS", "MAKEFILE_LIST"}
# Code that make runs, before any shell.
MAKE_CODE = ["$(shell hostile)", "${shell hostile}", "$$(hostile)"]
SHELL_CODE = [
    "`hostile`",
    "$(hostile)",
    "a;hostile",
    "a|hostile",
    "a&hostile",
    "a>hostile",
    "a\nhostile",
    "';hostile;'",
    '";hostile;"',
    "\\`hostile`",
]
# Git accepts these names of tags and branches.
REFS = ["v1`hostile`$(hostile)", "v1;hostile|hostile&hostile", "v1'\"`hostile`\"'%#", "é"]
FOLDERS = [
    "`hostile`$(hostile)$(shell hostile)",
    "a;hostile&hostile|hostile>hostile",
    "'`hostile`'",
    '"`hostile`"',
    "a\nhostile\n",
    "--help",
    "a:b,c=d#%~{a,b}*?[c]$HOME\\`hostile`\\",
    "\udcff",
]
DIGEST = f"sha256:{'0' * 64}"


@dataclass(frozen=True)
class Programs:
    """Stand-ins for programs, which record their calls, in a folder that comes first in PATH."""

    folder: Path

    def add(self, *names: str) -> None:
        """Add programs that only record their calls."""
        for name in names:
            (self.folder / name).write_text(f'#!/bin/sh\necho "{name} $*" >>"{self.folder}/calls"\n')
            (self.folder / name).chmod(0o755)

    def run(self, folder: Path, *command: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run a command there, without the settings of this shell."""
        own = {"PATH": f"{self.folder}:{os.environ['PATH']}", "HOME": os.environ.get("HOME", "/")}
        return subprocess.run(
            command, cwd=folder, env=own | environment, capture_output=True, text=True, timeout=60, check=False
        )

    @property
    def calls(self) -> list[str]:
        """The calls in order."""
        calls = self.folder / "calls"
        return calls.read_text().splitlines() if calls.exists() else []

    def assert_ran(self, done: subprocess.CompletedProcess[str]) -> None:
        """Assert that a command succeeded and ran no name."""
        assert (done.returncode, done.stderr) == (0, "")
        assert [call for call in self.calls if call.startswith("hostile")] == []

    def assert_refused(self, done: subprocess.CompletedProcess[str], names: str = "") -> None:
        """Assert that a command failed before it called anything, with one line that contains `names`."""
        assert done.returncode != 0
        (line,) = done.stderr.splitlines()
        assert names in line
        assert line.isprintable()
        assert self.calls == []


@pytest.fixture
def programs(tmp_path: Path) -> Programs:
    """Return the program that a hostile name calls, and those that the scripts need."""
    programs = Programs(tmp_path / "programs")
    programs.folder.mkdir()
    programs.add("hostile", "docker", "kubectl", "kind")
    return programs


@pytest.fixture
def clone(project: Path, tmp_path: Path) -> Callable[[str], Path]:
    """Return a function that clones the project, without its tags, into a folder of this name."""

    def clone(name: str = "app") -> Path:
        folder = tmp_path / "clones" / name
        git(tmp_path, "clone", "--quiet", "--no-tags", str(project), str(folder))
        return folder

    return clone


def settings() -> set[str]:
    """Return the variables that the makefiles read and that a user can set."""
    text = "".join(path.read_text() for path in MAKEFILES)
    read = set(re.findall(r"(?<!\$)\$[({]([A-Z_]+)[)}]", text))
    assigned = set(re.findall(r"^(?:override )?([A-Z_]+) *[:+]?=", text, re.MULTILINE))
    optional = set(re.findall(r"^([A-Z_]+) *\?=|^ *ifn?def ([A-Z_]+)|\$\(origin ([A-Z_]+)\)", text, re.MULTILINE))
    return (read - assigned | {name for names in optional for name in names if name}) - MAKES_OWN


def test_the_settings_are_found() -> None:
    expected = {"DOCKER", "IMAGE", "NAMESPACE", "PORT", "PYTHON_IMAGE", "PYTHON_VERSION", "RUNTIME", "TESTS", "VERSION"}
    assert settings() >= expected


@pytest.mark.parametrize(
    ("target", "name", "value"),
    [
        ("build", "IMAGE", "Registry.example:5000/Some_Owner/name.1"),
        ("build", "VERSION", "v1.2.3-rc.1_A"),
        ("build", "PYTHON_IMAGE", f"mirror.example:5000/library/python:3.12-slim@{DIGEST}"),
        ("build", "DOCKER", "sudo docker"),
        ("build", "DOCKER", "/opt/some.where/podman --url=ssh://me@host"),
        ("run", "PORT", "65535"),
        ("rollout", "SECONDS", "10"),
        ("deploy", "NAMESPACE", "shop-1"),
        ("deploy", "INSTANCE", "shop-eu"),
        ("verify", "TESTS", "tests/image/test_*.py tests/api/test_b.py::test_c[d-1] -k never"),
    ],
)
@pytest.mark.parametrize("where", ["command line", "environment"])
def test_valid_setting_reaches_the_command(
    programs: Programs, project: Path, target: str, name: str, value: str, where: str
) -> None:
    others = [] if name == "IMAGE" else ["IMAGE=registry.example/name"]
    if where == "environment":
        done = programs.run(project, "make", "-n", target, *others, **{name: value})
    else:
        done = programs.run(project, "make", "-n", target, *others, f"{name}={value}")
    programs.assert_ran(done)
    assert value in done.stdout


@pytest.mark.parametrize("where", ["command line", "environment"])
@pytest.mark.parametrize("name", sorted(settings()))
def test_make_rejects_a_hostile_setting(programs: Programs, project: Path, name: str, where: str) -> None:
    for value in (*MAKE_CODE, *SHELL_CODE):
        if where == "environment":
            done = programs.run(project, "make", "build", **{name: value})
        else:
            done = programs.run(project, "make", "build", f"{name}={value}")
        programs.assert_refused(done, f"{name} is invalid: ")


@pytest.mark.parametrize("name", ["NAME", "PYTHON", "PRINT", "CONTEXT", "TIMEOUT", "POLL", "LABELS", "ANYTHING"])
def test_make_code_in_any_variable_is_rejected(programs: Programs, project: Path, name: str) -> None:
    for value in MAKE_CODE:
        programs.assert_refused(programs.run(project, "make", "build", f"{name}={value}"), f"{name} is invalid: ")


def test_project_name_is_checked_like_a_setting(programs: Programs, project: Path) -> None:
    for value in SHELL_CODE:
        programs.assert_refused(programs.run(project, "make", "build", f"NAME={value}"), "NAME is invalid: ")


@pytest.mark.parametrize("name", ["IMAGE", "VERSION", "NAMESPACE", "PORT", "PYTHON_IMAGE"])
@pytest.mark.parametrize("value", ["-a", "--privileged", "a b", "a ", "a'b", "é", "a\tb", "a*", "a#b", "a%b", "~"])
def test_make_rejects_an_invalid_name(programs: Programs, project: Path, name: str, value: str) -> None:
    programs.assert_refused(programs.run(project, "make", "build", f"{name}={value}"), f"{name} is invalid: ")


@pytest.mark.parametrize(
    ("command", "setting"),
    [
        (["push", "{}"], ""),
        (["deploy", "{}", "shop"], ""),
        (["deploy", "registry.example/name:v1", "{}"], ""),
        (["deploy", "registry.example/name:v1", "shop"], "OVERLAY"),
        (["deploy", "registry.example/name:v1", "shop", "{}"], ""),
        (["release", "build", "{}", "v1", "linux/amd64"], ""),
        (["release", "build", "registry.example/name", "{}", "linux/amd64"], ""),
        (["release", "build", "registry.example/name", "v1", "{}"], ""),
        (["release", "merge", "{}", "v1", "release", DIGEST], ""),
        (["release", "merge", "registry.example/name", "{}", "release", DIGEST], ""),
        (["release", "merge", "registry.example/name", "v1", "release", "{}"], ""),
        (["push", "registry.example/name:v1"], "PUSH_PLATFORM"),
        (["release", "latest", "{}", "v1"], ""),
        (["release", "latest", f"registry.example/name@{DIGEST}", "{}"], ""),
        (["release", "outdated", "{}"], ""),
        (["labels", "{}", "v1"], ""),
        (["labels", "name", "{}"], ""),
        (["reproduce", "{}"], ""),
        (["cluster", "{}"], ""),
        (["verify", "{}"], ""),
        (["pin", "--show"], "PYTHON_VERSION"),
        (["pin", "--print"], "PYTHON_IMAGE"),
        (["pin"], "PYTHON_IMAGE"),
    ],
    ids=str,
)
def test_scripts_reject_a_hostile_name(programs: Programs, project: Path, command: list[str], setting: str) -> None:
    for value in (*SHELL_CODE, "-a", "a b", "a', newTag: 'b", "3.12/e;hostile;", "3|e hostile;#", "a\x1b[31m", "é"):
        script, *arguments = [part.format(value) for part in command]
        environment = {setting: value} if setting else {}
        programs.assert_refused(programs.run(project, f"scripts/{script}", *arguments, **environment))


def test_hostile_base_image_in_the_dockerfile_is_rejected(programs: Programs, clone: Callable[[], Path]) -> None:
    folder = clone()
    dockerfile = folder / "Dockerfile"
    hostile = re.sub(r"^ARG PYTHON_IMAGE=.*", "ARG PYTHON_IMAGE=a`hostile`", dockerfile.read_text(), flags=re.MULTILINE)
    dockerfile.write_text(hostile)
    programs.assert_refused(programs.run(folder, "scripts/pin", "--show"), "the base image is invalid")
    done = programs.run(folder, "make", "dev-docker", "PYTHON_VERSION=3.13")
    assert done.returncode != 0
    assert [call for call in programs.calls if "compose" in call or "hostile" in call] == []


@pytest.mark.parametrize(
    ("folder", "name"),
    [("app", "app"), ("My.Service_2", "my-service-2"), ("A Folder", "a-folder"), ("--", "app"), ("é", "app")],
)
def test_the_image_is_named_after_the_folder(
    programs: Programs, clone: Callable[[str], Path], folder: str, name: str
) -> None:
    programs.assert_ran(programs.run(clone(folder), "make", "build"))
    *_, build = programs.calls
    assert f" -t {name}:" in build


@pytest.mark.parametrize("name", FOLDERS)
def test_folder_name_is_never_run(programs: Programs, clone: Callable[[str], Path], name: str) -> None:
    folder = clone(name)
    # A stand-in for pip and for what it installs.
    programs.add("python")
    with (programs.folder / "python").open("a") as python:
        python.write('while [ "$1" != --target ]; do shift; done; mkdir "$2/bin" && ln -s /bin/true "$2/bin/uv"\n')
    for command in (
        ["make"],
        ["make", "-n", "build"],
        ["make", "build"],
        ["make", "clean"],
        ["make", "format", "RUNTIME=docker"],
        ["scripts/pin", "--show"],
        ["scripts/lock"],
        ["scripts/release", "outdated", "registry.example/name"],
        ["scripts/push", "registry.example/name:v1"],
    ):
        done = programs.run(folder, *command, PYTHON="python")
        assert done.returncode == 0, done.stderr
    assert [call for call in programs.calls if call.startswith("hostile")] == []
    for tag in re.findall(r"docker build .*-t (\S+)", "\n".join(programs.calls)):
        assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*:[\w.-]+", tag)


@pytest.mark.parametrize("name", ["`hostile`", "$(hostile)", 'a"b', "a;b", "a:b", "a\nb", "a\\b"])
def test_venv_is_refused_in_a_folder_its_scripts_would_run(
    programs: Programs, clone: Callable[[str], Path], name: str
) -> None:
    folder = clone(name)
    done = programs.run(folder, "scripts/venv", ".venv", "requirements.txt", PYTHON="docker")
    programs.assert_refused(done, "rename the folder")


@pytest.fixture
def nasty(clone: Callable[[str], Path], request: pytest.FixtureRequest) -> Iterator[Path]:
    """Return a clone in a folder with a hostile name, and remove its images afterwards."""
    yield clone(f"-n{os.getpid()} \"`hostile`\" '$(hostile)' ;hostile #:,=\\{request.param}")
    docker("compose", f"--project-name=n{os.getpid()}", "down", "--rmi=local")
    for image in docker("images", "--quiet", f"--filter=reference=n{os.getpid()}-*").split():
        docker("image", "rm", "--force", image)


@pytest.mark.parametrize(
    ("nasty", "commands"),
    [
        ("%\nhostile", [["make", "build"], ["make", "format", "RUNTIME=docker"]]),
        # Compose itself rejects a path with a newline or a percent sign.
        ("", [[DOCKER, "compose", f"--project-name=n{os.getpid()}", "create", "--build"]]),
    ],
    indirect=["nasty"],
    ids=["engine", "Compose"],
)
def test_engine_builds_and_mounts_a_hostile_folder(programs: Programs, nasty: Path, commands: list[list[str]]) -> None:
    (programs.folder / "docker").unlink()
    engine = {name: value for name, value in os.environ.items() if name.startswith("DOCKER")}
    for command in commands:
        done = programs.run(nasty, *command, **engine)
        assert done.returncode == 0, done.stderr
    assert programs.calls == []


@pytest.mark.parametrize("kind", ["tag", "branch"])
@pytest.mark.parametrize("ref", REFS)
def test_names_from_git_are_never_run(programs: Programs, clone: Callable[[], Path], kind: str, ref: str) -> None:
    folder = clone()
    git(folder, *(["tag", ref] if kind == "tag" else ["checkout", "--quiet", "-b", ref]))
    programs.assert_ran(programs.run(folder, "make", "build"))
    *_, build = programs.calls
    assert re.search(r" -t app:\w[\w.-]* \.$", build, re.ASCII)
    done = programs.run(folder, "make", "push", "IMAGE=registry.example/app")
    assert done.returncode == 0, done.stderr
    assert [call for call in programs.calls if call.startswith("hostile")] == []


@pytest.mark.parametrize("tag", REFS)
def test_invalid_tag_is_not_released(programs: Programs, clone: Callable[[], Path], tag: str) -> None:
    folder = clone()
    git(folder, "tag", tag)
    name = "registry.example/name"
    programs.assert_refused(programs.run(folder, "scripts/release", "build", name, tag, "linux/amd64"))
    programs.assert_refused(programs.run(folder, "scripts/release", "merge", name, tag, "release", DIGEST))
    programs.assert_refused(programs.run(folder, "scripts/release", "latest", f"{name}@{DIGEST}", tag))
    done = programs.run(folder, "scripts/release", "outdated", name)
    assert done.stdout == "there is no release\n"
