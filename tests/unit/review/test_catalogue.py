"""The catalogue of the rules."""

from pathlib import Path

from app.review.catalogue import catalogue


def test_the_catalogue_of_rules_is_current(project: Path) -> None:
    assert (project / "docs" / "sample" / "rules.md").read_text() == catalogue(), "run make docs"
