"""docs/: what is generated is current, and what is named exists."""

import re
from pathlib import Path

from app.review.catalogue import catalogue


def test_the_catalogue_of_rules_is_current(project: Path) -> None:
    assert (project / "docs" / "rules.md").read_text() == catalogue(), "run make docs"


def test_what_the_docs_name_exists(project: Path) -> None:
    targets = set(re.findall(r"^([a-z]+):.*## ", (project / "Makefile").read_text(), re.MULTILINE))
    text = (project / "docs" / "image.md").read_text()
    assert set(re.findall(r"make ([a-z]+)", text)) <= targets
    for path in re.findall(r"(?:app|scripts|tests)/[\w./-]+", text):
        assert (project / path).exists(), path
