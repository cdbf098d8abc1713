"""The start of the image: without writing files, as any user, and only with valid settings."""

import re

import pytest

from deploy.container import RUN_OPTIONS, serving
from tests.image.bytecode import assert_only_the_app_is_compiled
from tests.support.container import ANOTHER_USER, SOON, docker
from tests.support.start import Start


@pytest.mark.parametrize(
    "options",
    [
        pytest.param((), id="its own user"),
        pytest.param((ANOTHER_USER,), id="another user"),
        pytest.param(("--tmpfs=/tmp:noexec",), id="noexec tmpfs"),
        pytest.param((ANOTHER_USER, "--tmpfs=/tmp:noexec"), id="another user, noexec tmpfs"),
    ],
)
def test_locked_down_container_serves(start: Start, options: tuple[str, ...]) -> None:
    container = start(options=options)
    assert container.ask("GET", "/healthz").status == 200
    container.use()
    assert container.inspect()["Config"]["User"] in {"10001", "123456:0"}


def test_without_host_option_it_serves_ipv4_and_ipv6(start: Start) -> None:
    command = ("uvicorn", "app.main:app", "--host", "", "--port", "8000")
    container = start(*command, options=("--sysctl=net.ipv6.conf.all.disable_ipv6=0",))
    container.use()
    container.python("import app.probe; app.probe.main(); app.probe.HOST = '::1'; app.probe.main()")


@pytest.mark.parametrize("options", [(), (ANOTHER_USER,)], ids=["its own user", "another user"])
def test_writable_container_writes_nothing(start: Start, options: tuple[str, ...]) -> None:
    container = start(options=options, locked_down=False)
    container.use()
    container.python("import app.probe; app.probe.main()")
    assert docker("diff", container.identity) == ""


@pytest.mark.parametrize("options", [(), (ANOTHER_USER,)], ids=["its own user", "another user"])
def test_start_compiles_only_the_app(start: Start, options: tuple[str, ...]) -> None:
    container = start(options=(*options, "--env=PYTHONVERBOSE=1"))
    # The worker processes of the service inherit the variable.
    container.use()
    assert_only_the_app_is_compiled(container.log)
    assert_only_the_app_is_compiled(docker("exec", container.identity, "python", "-m", "app.probe"))


# uvicorn, printing its network calls. That it binds its port shows that they are printed.
WATCHED = """
import runpy, sys
def report(event, arguments):
    if event in {"socket.bind", "socket.connect", "socket.getaddrinfo", "socket.gethostbyname"}:
        print("asked:", event, flush=True)
sys.addaudithook(report)
sys.argv = ["uvicorn", "app.main:app", "--port", "8000"]
runpy.run_module("uvicorn", run_name="__main__")
"""


def test_without_network_it_is_healthy(start: Start) -> None:
    if any(option.startswith("--network") for option in RUN_OPTIONS):
        pytest.skip("this service needs a network")
    container = start("python", "-c", WATCHED, options=("--network=none", *SOON), wait=False)
    container.becomes("healthy")
    assert re.findall("^asked: (.*)$", container.log, re.MULTILINE) == ["socket.bind"]


@pytest.mark.parametrize(
    ("setting", "named"),
    [
        ("APP_MAX_BODY_BYTES=1e9", "APP_MAX_BODY_BYTES"),
        ("WEB_CONCURRENCY=two", "WEB_CONCURRENCY"),
        ("UVICORN_HTTP=nonsense", "UVICORN_HTTP"),
        ("UVICORN_TIMEOUT_KEEP_ALIVE=-1", "UVICORN_TIMEOUT_KEEP_ALIVE"),
        # uvicorn names the option of what it rejects itself.
        ("UVICORN_TIMEOUT_KEEP_ALIVE=75s", "--timeout-keep-alive"),
        ("UVICORN_LOG_CONFIG=none.json", "--log-config"),
    ],
)
def test_invalid_setting_exits_with_a_line_that_names_it(start: Start, setting: str, named: str) -> None:
    container = start(options=(f"--env={setting}",), wait=False)
    assert container.exit_code() in {1, 2}
    lines = container.log.splitlines()
    assert named in lines[-1]
    # uvicorn prints its usage first.
    assert len(lines) == 1 or lines[0].startswith("Usage: uvicorn")
    assert len(lines) <= 4


@pytest.mark.parametrize("port", ["70000", "-1"])
def test_invalid_port_exits_with_an_error(start: Start, port: str) -> None:
    container = start("uvicorn", "app.main:app", "--port", port, wait=False)
    assert container.exit_code() == 1
    # This need not be the last line: Python may complain about unfinished tasks.
    assert re.search('"message": "[^"]*port must be 0-65535', container.log)


# Occupies the port and runs the following command.
TAKEN = """
import os, socket, sys
taken = socket.create_server(("", 8000))
taken.set_inheritable(True)
os.execvp(sys.argv[1], sys.argv[1:])
"""


def test_used_port_exits_with_an_error(start: Start) -> None:
    container = start("python", "-c", TAKEN, *serving(), wait=False)
    assert container.exit_code() == 3
    assert "address already in use" in container.log
