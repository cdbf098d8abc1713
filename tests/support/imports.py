"""Find the modules that a module of the project imports."""

import ast
from functools import cache
from pathlib import Path


@cache
def imported(path: Path) -> tuple[Path, ...]:
    """Return the modules that a module imports, as paths from the project's folder and without a suffix."""
    found: list[str] = []
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            found += [str(node.module), *(f"{node.module}.{alias.name}" for alias in node.names)]
    return tuple(Path(*name.split(".")) for name in found)
