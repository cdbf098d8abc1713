"""The peak memory of the server in a container."""

from collections.abc import Iterator
from contextlib import contextmanager

from tests.support.container import Container

# The memory limit in LOCKED_DOWN.
MEMORY = 256 * 1024 * 1024
# By how much the peak memory of the server may grow.
MARGIN = MEMORY // 8


def peak(container: Container) -> int:
    """Return the peak memory of the server in bytes."""
    # Not the container's, which not all versions of cgroups report.
    code = "print(next(line.split()[1] for line in open('/proc/1/status') if line.startswith('VmHWM')))"
    return int(container.python(code)) * 1024


@contextmanager
def unharmed(container: Container, show: list[str], what: str, margin: int = MARGIN) -> Iterator[None]:
    """Fail unless the container still serves after the context, and its peak memory has grown little."""
    before = peak(container)
    yield
    assert container.serves()
    state, grown = container.state, peak(container) - before
    assert (state["Status"], state["OOMKilled"]) == ("running", False)
    assert grown < margin
    show.append(f"{what}: {grown / 1024**2:.1f} MiB more at the peak")
