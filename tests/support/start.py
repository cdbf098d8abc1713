"""Start containers of an image for tests, and always remove them afterwards."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

import pytest

from deploy.container import LOCKED_DOWN, RUN_OPTIONS
from tests.support.container import LABEL, Container, docker, eventually

containers = pytest.StashKey[list[Container]]()


class Start(Protocol):
    """Starts a container."""

    def __call__(
        self, *command: str, options: tuple[str, ...] = (), locked_down: bool = True, wait: bool = True
    ) -> Container:
        """Start a container and return it, once it serves unless `wait` is False.

        `command` replaces the command of the image. `options` are options of docker run, which override those of
        `make run`.
        """


@contextmanager
def starting(image: str, node: pytest.Item | pytest.Collector) -> Iterator[Start]:
    """Yield a function that starts containers for a test or a file, and remove them at the end."""
    started = node.stash.setdefault(containers, [])

    def start(*command: str, options: tuple[str, ...] = (), locked_down: bool = True, wait: bool = True) -> Container:
        own = (*(LOCKED_DOWN if locked_down else ()), *RUN_OPTIONS)
        options = (f"--label={LABEL}", "--publish=127.0.0.1::8000", *own, *options)
        container = Container(docker("create", *options, image, *command).strip())
        started.append(container)
        docker("start", container.identity)
        if wait:
            eventually(lambda: container.serves() or container.state["Status"] == "exited")
            assert container.state["Status"] == "running"
        return container

    try:
        yield start
    finally:
        for container in started:
            docker("rm", "--force", "--volumes", container.identity)
