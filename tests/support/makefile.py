"""Find the targets that the makefiles list, and those that a text names."""

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


def named_targets(readme: str) -> set[str]:
    """Return the targets that a text tells its reader to run."""
    return set(re.findall(r"(?:\$ |`(?:\w+=\w+ )?)make ([a-z][a-z-]*)", readme))


def listed_targets(page: str) -> set[str]:
    """Return the targets that a table of the docs has a row for."""
    return set(re.findall(r"^\| `make ([a-z][a-z-]*)", page, re.MULTILINE))
