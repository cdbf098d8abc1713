"""Exhaust the file descriptors of a container."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from socket import socket

from tests.support.container import Container, eventually

FEW_FILES = "--ulimit=nofile=64:64"


@contextmanager
def out_of_file_descriptors(container: Container) -> Iterator[socket]:
    """Exhaust the descriptors of a container with FEW_FILES, and yield a connection that it accepted before."""
    with ExitStack() as held:
        before = held.enter_context(container.connect(b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n"))
        answer = b""
        # The response proves that it was accepted. The others may be accepted in any order.
        while not answer.endswith(b"}"):
            part = before.recv(65536)
            assert part, answer
            answer += part
        for _ in range(70):
            held.enter_context(container.connect())
        eventually(lambda: "Too many open files" in container.log)
        yield before
