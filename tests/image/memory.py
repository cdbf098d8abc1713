"""The memory that the server of a container has needed, and that it serves as before."""

from collections.abc import Iterator
from contextlib import contextmanager

from tests.support.container import Container

# What LOCKED_DOWN gives a container.
MEMORY = 256 * 1024 * 1024
# What the server may need at its peak beyond what it had needed before.
MARGIN = MEMORY // 8


def peak(container: Container) -> int:
    """The most memory that the server has had, in bytes."""
    # Not the container's: where control groups have that, and whether, differs from version to version.
    code = "print(next(line.split()[1] for line in open('/proc/1/status') if line.startswith('VmHWM')))"
    return int(container.python(code)) * 1024


@contextmanager
def unharmed(container: Container, show: list[str], what: str, margin: int = MARGIN) -> Iterator[None]:
    """Fails unless the container serves as before after what is done within, and has needed little more memory."""
    before = peak(container)
    yield
    assert container.serves()
    state, grown = container.state, peak(container) - before
    assert (state["Status"], state["OOMKilled"]) == ("running", False)
    assert grown < margin
    show.append(f"{what}: {grown / 1024**2:.1f} MiB more at the peak")
