"""Containers with few file descriptors, and none left."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from socket import socket

from tests.support.container import Container, eventually

FEW_FILES = "--ulimit=nofile=64:64"


@contextmanager
def out_of_file_descriptors(container: Container) -> Iterator[socket]:
    """Takes all that a container with FEW_FILES has; what it gives is a connection that it had accepted before."""
    with ExitStack() as held:
        before = held.enter_context(container.connect(b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n"))
        answer = b""
        # Answered, it is one of those that were accepted; the others may arrive in any order.
        while not answer.endswith(b"}"):
            part = before.recv(65536)
            assert part, answer
            answer += part
        for _ in range(70):
            held.enter_context(container.connect())
        eventually(lambda: "Too many open files" in container.log)
        yield before
