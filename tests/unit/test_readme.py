"""README.md and the reference in docs/ agree with the project."""

import re
from pathlib import Path

import pytest
from pydantic import SecretStr

from app.settings import Settings
from tests.support.makefile import MAKEFILES, listed_targets, targets


@pytest.fixture
def readme(project: Path) -> str:
    """Return README.md."""
    return (project / "README.md").read_text()


def test_the_readme_has_at_most_600_words(readme: str) -> None:
    assert len(readme.split()) <= 600


def test_docs_describe_only_existing_make_targets(project: Path) -> None:
    assert listed_targets((project / "docs/targets.md").read_text()) <= targets(*MAKEFILES)


def test_readme_names_only_existing_files(project: Path, readme: str) -> None:
    for path in re.findall(r"`((?:app|scripts|tests)/[\w./-]*)`", readme):
        assert (project / path).exists(), path


def test_the_index_links_to_every_other_page(project: Path) -> None:
    docs = project / "docs"
    pages = {str(path.relative_to(docs)) for path in docs.glob("**/*.md")}
    assert set(re.findall(r"\]\(([\w/-]+\.md)\)", (docs / "index.md").read_text())) == pages - {"index.md"}


def written(value: object) -> str:
    """Return a value as it is written in the environment."""
    if isinstance(value, SecretStr):
        return value.get_secret_value()
    return str(value).lower() if isinstance(value, bool) else str(value)


def test_the_docs_name_every_setting_with_its_default(project: Path) -> None:
    text = (project / "docs" / "service.md").read_text()
    rows = dict(re.findall(rf"^\| `{Settings.PREFIX}(\w+)` \| .* \| `([^`]+)`", text, re.MULTILINE))
    assert rows == {name.upper(): written(value) for name, value in Settings()}, "list it in docs/service.md"
