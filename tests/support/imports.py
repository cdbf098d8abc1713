"""Find the modules that a module of the project imports."""

import ast
from collections.abc import Iterator
from pathlib import Path


def imported(path: Path) -> Iterator[Path]:
    """Yield the modules that a module imports, as paths from the project's folder and without a suffix."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = [str(node.module), *(f"{node.module}.{alias.name}" for alias in node.names)]
        else:
            continue
        yield from (Path(*name.split(".")) for name in names)
