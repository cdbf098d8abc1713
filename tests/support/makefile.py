"""The targets in the makefiles and in the docs."""

import re
from pathlib import Path

from tests.support.project import PROJECT

MAKEFILES = [
    PROJECT / "Makefile",
    *PROJECT.glob("template/*.mk"),
]


def targets(*makefiles: Path) -> set[str]:
    """Return the targets that `make` lists."""
    return {name for path in makefiles for name in re.findall(r"^([a-z-]+):.*## ", path.read_text(), re.MULTILINE)}


def listed_targets(page: str) -> set[str]:
    """Return the targets that a list of the docs describes."""
    return set(re.findall(r"^- `make ([a-z-]+)`:", page, re.MULTILINE))
