"""Run `make dev` for a test. Another one may be running at the same time."""

import os
import signal
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.client import HTTPConnection
from pathlib import Path

from tests.support.container import PATIENCE, docker, eventually
from tests.support.project import PROJECT

# The name of the Compose project.
NAME = f"tests-dev-{os.getpid()}"
# The first build of the dev stage installs its packages.
SECONDS = 600


def status(url: str, path: str) -> int | None:
    """Return the status of a GET request, or None if there is no response."""
    connection = HTTPConnection(url.removeprefix("http://"), timeout=30)
    try:
        connection.request("GET", path)
        return connection.getresponse().status
    except OSError:
        return None
    finally:
        connection.close()


@contextmanager
def developing(runtime: str, log: Path, folder: Path = PROJECT) -> Iterator[str]:
    """Run `make dev` in this runtime inside the context, and yield the URL of the app. Its output goes to the log."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    # The tests run in .venv, so make must not replace it now.
    command = ["make", "dev", f"RUNTIME={runtime}", f"PORT={port}", "--assume-old=.venv/installed"]
    # Remove the settings of this shell and of the make that runs the tests.
    environment = {name: text for name, text in os.environ.items() if not name.startswith(("APP_", "MAKE", "MFLAGS"))}
    environment["COMPOSE_PROJECT_NAME"] = NAME
    with log.open("w") as output:
        made = subprocess.Popen(
            command, cwd=folder, env=environment, stdout=output, stderr=subprocess.STDOUT, start_new_session=True
        )
    try:
        eventually(lambda: status(url, "/healthz") == 200 or made.poll() is not None, SECONDS)
        assert made.poll() is None, log.read_text()
        yield url
    finally:
        with suppress(ProcessLookupError):
            os.killpg(made.pid, signal.SIGINT)
        made.wait(60 * PATIENCE)
        if runtime == "docker":
            docker("compose", f"--project-name={NAME}", "down", "--rmi=local", "--volumes", folder=PROJECT)
