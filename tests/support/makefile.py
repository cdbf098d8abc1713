"""The targets that the makefiles list."""

import re
from pathlib import Path

from tests.support.project import PROJECT

MAKEFILES = [
    PROJECT / "Makefile",
    *PROJECT.glob("template/*.mk"),
]


def targets(*makefiles: Path) -> set[str]:
    """The targets that `make` lists."""
    return {name for path in makefiles for name in re.findall(r"^([a-z-]+):.*## ", path.read_text(), re.MULTILINE)}


def listed_targets(page: str) -> set[str]:
    """Return the targets that a table of the docs has a row for."""
    return set(re.findall(r"^\| `make ([a-z-]+)` \|", page, re.MULTILINE))
