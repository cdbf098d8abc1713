"""docs/template/benchmarks.md and docs/template/peers.md contain the current rows and styles."""

import re
from pathlib import Path

from template.bench.styles import STYLES_BY_NAME
from template.bench.variants import VARIANTS


def test_page_contains_exactly_the_measured_rows(project: Path) -> None:
    page = (project / "docs" / "template" / "benchmarks.md").read_text()
    shown = re.findall(r"^### (\S+)\n\n(With: .*)$", page, re.MULTILINE)
    rows = [(row.name, f"With: {row.title}. Without: {row.undone}.") for row in VARIANTS]
    assert shown == rows, "run make bench"


def test_page_of_styles_contains_exactly_the_styles(project: Path) -> None:
    page = (project / "docs" / "template" / "peers.md").read_text()
    head = next(line for line in page.splitlines() if line.startswith("|"))
    assert [cell.strip() for cell in head.split("|")[2:-1]] == list(STYLES_BY_NAME), "run make bench-peers"
