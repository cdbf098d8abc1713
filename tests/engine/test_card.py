"""The card's Dockerfile, unchanged, with the real engine: each failure that docs/dockerfile.md claims.

If a claim is no longer true, its test fails, and this project's Dockerfile can return to the card's line. A failure
hides later ones, so the tests repair one line at a time.
"""

import json
import os
import re
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest

from tests.support.card import CARD
from tests.support.container import LABEL, Container, docker, eventually
from tests.support.start import Start, starting

BASE = "python:3.12-slim"

# The repairs, as old and new text, in the order in which the failures appear.
CREATE_THE_USER = ("adduser --disabled-password --no-create-home appuser", "useradd appuser")
OPEN_ROOTS_HOME = ("useradd appuser", "useradd appuser && chmod o+x /root")
FIND_THE_PACKAGES = ("PATH=/root/.local/bin:$PATH", "PATH=/root/.local/bin:$PATH PYTHONUSERBASE=/root/.local")
ALL = (CREATE_THE_USER, OPEN_ROOTS_HOME, FIND_THE_PACKAGES)

APP = """
from fastapi import FastAPI, Request

app = FastAPI()


@app.get("/healthz")
async def healthz() -> str:
    return "ok"


@app.post("/")
async def length(request: Request) -> int:
    return len(await request.body())
"""
# In the folder that PYTHONPATH names, this pauses Python before uvicorn is imported.
HOLD = r"""
import sys
import time

sys.stderr.write("held\n")
time.sleep(60)
"""
SERVICE = {
    # The card does not mention these.
    ".dockerignore": ".git\n__pycache__\n.venv\nnode_modules\n",
    ".git/config": "",
    "Makefile": "",
    "app/main.py": APP,
    "dump.sql": "",
    "hold/sitecustomize.py": HOLD,
    "requirements.txt": "fastapi\nuvicorn\n",
    "tests/test_main.py": "",
}
# Neither the linter nor the type checker would accept this.
TESTED = {
    "requirements.txt": "pytest\n",
    "tests/test_main.py": "import os\n\ncount: int = 'none'\n\ndef test_passes():\n    pass\n",
}
IDLE = b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n"
HALF_A_BODY = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n1"

Build = Callable[..., str]


def repaired(*repairs: tuple[str, str]) -> str:
    """Return the card's Dockerfile with these repairs."""
    text = CARD
    for broken, repair in repairs:
        assert broken in text
        text = text.replace(broken, repair)
    return text


def write(folder: Path, files: dict[str, str]) -> Path:
    """Write the files, and return their folder."""
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder


def run(image: str, *command: str) -> str:
    """Return what a container of the image prints, whether it succeeds or fails."""
    return docker("run", "--rm", f"--label={LABEL}", image, *command, check=False)


def layers(image: str) -> list[str]:
    """Return the digests of the image's layers, from the bottom up."""
    found: list[str] = json.loads(docker("image", "inspect", "--format={{json .RootFS.Layers}}", image))
    return found


@pytest.fixture(scope="module")
def build() -> Iterator[Build]:
    """Return a function that builds a Dockerfile in a folder. All images are removed at the end."""
    names: list[str] = []

    def build(dockerfile: str, folder: Path, *options: str) -> str:
        names.append(f"tests-card-{os.getpid()}:{len(names)}")
        command = ("build", f"--tag={names[-1]}", f"--label={LABEL}", "--file=-", *options, str(folder))
        docker(*command, text=dockerfile, seconds=300)
        return names[-1]

    try:
        yield build
    finally:
        for name in names:
            docker("image", "rm", "--force", name, check=False)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with a small service and the usual other files."""
    return write(tmp_path_factory.mktemp("service"), SERVICE)


@pytest.fixture(scope="module")
def image(build: Build, folder: Path) -> str:
    """Build the card's image with all repairs, the first that starts."""
    return build(repaired(*ALL), folder)


@pytest.fixture(scope="module")
def service(image: str, request: pytest.FixtureRequest) -> Iterator[Container]:
    """Return a running container of that image."""
    with starting(image, request.node) as start:
        yield start(locked_down=False)


@pytest.fixture
def start(image: str, request: pytest.FixtureRequest) -> Iterator[Start]:
    """Return a function that starts containers of that image. They are removed after the test."""
    with starting(image, request.node) as start:
        yield start


def test_card_ignores_the_python_version_argument(build: Build, folder: Path) -> None:
    assert CARD.count(f"FROM {BASE}") == 2
    assert "Python 3.12" in run(build(CARD, folder, "--target=base", "--build-arg=PYTHON_VERSION=3.13"), "python", "-V")


# Failures to start


def test_adduser_is_not_found(build: Build, folder: Path) -> None:
    with pytest.raises(AssertionError, match="adduser: not found"):
        build(CARD, folder)


def test_user_cannot_read_the_home_of_root(build: Build, folder: Path) -> None:
    printed = run(build(repaired(CREATE_THE_USER), folder))
    assert "can't open file '/root/.local/bin/uvicorn': [Errno 13] Permission denied" in printed


def test_user_does_not_find_packages_of_root(build: Build, folder: Path) -> None:
    printed = run(build(repaired(CREATE_THE_USER, OPEN_ROOTS_HOME), folder))
    assert "No module named 'uvicorn'" in printed


def test_with_three_repairs_it_serves(service: Container) -> None:
    assert service.ask("POST", "/", b"12").json == 2


# dev


def test_pytest_is_not_found_in_dev(build: Build, folder: Path) -> None:
    with pytest.raises(AssertionError, match="pytest: not found"):
        build(CARD, folder, "--target=dev")


def test_pytest_in_the_requirements_is_published(build: Build, tmp_path: Path) -> None:
    published = build(repaired(*ALL), write(tmp_path, TESTED))
    assert "pytest" in run(published, "pytest", "--version")


def test_dev_runs_no_other_check_than_pytest(build: Build, tmp_path: Path) -> None:
    build(CARD, write(tmp_path, TESTED), "--target=dev")


def test_failing_test_leaves_no_image_of_work_in_progress(build: Build, tmp_path: Path) -> None:
    failing = TESTED | {"tests/test_main.py": "def test_fails():\n    assert False\n"}
    with pytest.raises(AssertionError, match="1 failed"):
        build(CARD, write(tmp_path, failing), "--target=dev", "--build-arg=CHECK=false")


# Bytecode and packages


def test_base_image_comes_without_bytecode() -> None:
    assert run(BASE, "find", "/", "-xdev", "-name", "*.pyc") == ""


def test_each_start_compiles_the_standard_library(service: Container) -> None:
    for _ in range(2):
        printed = docker("exec", "--env=PYTHONVERBOSE=1", service.identity, "python", "-c", "import json")
        assert re.search(r"^# code object from '?/usr/local/lib/python3.12/json/__init__\.py'?$", printed, re.MULTILINE)


def test_packages_without_hashes_are_installed(build: Build, folder: Path) -> None:
    build(CARD, folder, "--target=builder")
    checked = repaired(("pip install --user", "pip install --user --require-hashes"))
    with pytest.raises(AssertionError, match="In --require-hashes mode"):
        build(checked, folder, "--target=builder")


def test_layer_below_the_packages_is_new_with_each_build(build: Build, folder: Path) -> None:
    one, two = (layers(build(repaired(*ALL), folder, "--no-cache-filter=production")) for _ in range(2))
    user = len(layers(BASE))
    assert one[:user] == two[:user]
    assert one[user] != two[user]


# Users and programs


def test_useradd_writes_the_day_into_etc_shadow() -> None:
    before, printed, after = time.time(), run(BASE, "sh", "-c", "useradd a && tail -1 /etc/shadow"), time.time()
    assert int(printed.split(":")[2]) in {int(before // 86400), int(after // 86400)}


def test_setuid_programs_remain(service: Container) -> None:
    found = docker("exec", service.identity, "find", "/usr", "-type", "f", "-perm", "/6000").split()
    assert {"/usr/bin/su", "/usr/bin/mount"} <= set(found)


def test_user_is_a_name_and_not_a_number(image: str) -> None:
    """Kubernetes' runAsNonRoot checks this number. The rejection itself needs a cluster and is not tested."""
    assert docker("image", "inspect", "--format={{.Config.User}}", image).strip() == "appuser"


# Environment that production does not inherit from base


def wrote(container: Container, text: str) -> bool:
    """Return True if the text is in the container's log."""
    return text in container.log


def test_printed_output_is_lost_when_the_service_is_killed(start: Start) -> None:
    code = "import sys, time; print('printed'); sys.stderr.write('running\\n'); time.sleep(60)"
    buffered, unbuffered = (
        start("python", "-c", code, options=options, locked_down=False, wait=False)
        for options in ((), ("--env=PYTHONUNBUFFERED=1",))
    )
    for container in (buffered, unbuffered):
        eventually(partial(wrote, container, "running"))
        docker("kill", container.identity)
    assert "printed" not in buffered.log
    assert "printed" in unbuffered.log


def test_project_lands_in_the_root_of_the_file_system(service: Container) -> None:
    assert docker("exec", service.identity, "pwd").strip() == "/"
    assert {"app", "requirements.txt", "etc", "usr"} <= set(docker("exec", service.identity, "ls", "/").split())


# COPY . .


def test_tests_and_makefile_are_published(service: Container) -> None:
    assert docker("exec", service.identity, "ls", "/Makefile", "/tests").split()[-1] == "test_main.py"


def test_changed_test_makes_a_new_image(build: Build, folder: Path, tmp_path: Path) -> None:
    changed = write(tmp_path, SERVICE | {"tests/test_main.py": "# changed\n"})
    # Use a step of its own: the steps of other tests were built more than once, and a build may reuse any result.
    dockerfile = repaired(*ALL, ("useradd appuser", "useradd --comment service appuser"))
    one, two = (layers(build(dockerfile, context)) for context in (folder, changed))
    assert one[:-1] == two[:-1]
    assert one[-1] != two[-1]


def test_file_that_only_its_owner_can_read_keeps_its_mode(build: Build, tmp_path: Path) -> None:
    (write(tmp_path, SERVICE) / "app" / "main.py").chmod(0o600)
    assert "Permission denied: '/app/main.py'" in run(build(repaired(*ALL), tmp_path))


def test_file_that_dockerignore_does_not_name_is_published(service: Container) -> None:
    found = docker("exec", service.identity, "ls", "-A", "/").split()
    assert "dump.sql" in found
    assert ".git" not in found


# Limits, signals and health


@pytest.mark.parametrize(
    ("options", "seconds", "code"),
    [
        pytest.param((), "3", 137, id="without a limit"),
        pytest.param(("--env=UVICORN_TIMEOUT_GRACEFUL_SHUTDOWN=1",), "60", 0, id="with a limit"),
    ],
)
def test_half_sent_request_holds_a_stop_until_the_kill(
    start: Start, options: tuple[str, ...], seconds: str, code: int
) -> None:
    container = start(options=options, locked_down=False)
    with container.connect(HALF_A_BODY):
        assert container.serves()
        docker("stop", "-t", seconds, container.identity, seconds=120)
    assert container.exit_code() == code


def test_idle_connection_closes_before_60_seconds(service: Container) -> None:
    with service.connect(IDLE) as connection:
        begin = time.monotonic()
        while connection.recv(65536):
            pass
    assert time.monotonic() - begin < 60


@pytest.mark.parametrize(
    ("signal", "killed"), [pytest.param("TERM", True, id="SIGTERM"), pytest.param("INT", False, id="SIGINT")]
)
def test_stop_while_python_starts_waits_for_the_kill(start: Start, signal: str, killed: bool) -> None:
    container = start(options=("--env=PYTHONPATH=/hold",), locked_down=False, wait=False)
    assert "STOPSIGNAL" not in CARD
    eventually(lambda: "held" in container.log)
    docker("stop", "--signal", signal, "-t", "2", container.identity)
    assert (container.exit_code() == 137) is killed


def test_service_that_hangs_is_only_running_to_docker(start: Start) -> None:
    container = start(locked_down=False)
    docker("kill", "--signal=STOP", container.identity)
    with container.connect(IDLE) as connection:
        connection.settimeout(2)
        with pytest.raises(TimeoutError):
            connection.recv(1)
    assert container.state["Status"] == "running"
    assert "Health" not in container.state


def test_base_image_has_no_curl() -> None:
    assert '"curl": executable file not found' in run(BASE, "curl")
