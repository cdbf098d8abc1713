"""The list of the rules."""

import re
from pathlib import Path

from app.review.catalogue import catalogue
from app.review.rules import RULES


def test_list_of_rules_is_current(project: Path) -> None:
    assert (project / "docs" / "sample" / "rules.md").read_text() == catalogue(), "run make docs"


def test_docs_link_to_existing_rules(project: Path) -> None:
    page = (project / "docs" / "dockerfile.md").read_text()
    linked = set(re.findall(r"rules\.md#([^)]*)\)", page))
    assert linked
    assert linked <= set(RULES)
