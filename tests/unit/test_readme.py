"""README.md and docs/service.md: they agree with what they describe."""

import re
from pathlib import Path

import pytest

from app.main import create_app
from app.settings import Settings
from tests.support.makefile import MAKEFILES, named_targets, targets


@pytest.fixture
def readme(project: Path) -> str:
    """README.md."""
    return (project / "README.md").read_text()


def test_the_readme_names_every_make_target_and_no_other(readme: str) -> None:
    assert named_targets(readme) == targets(*MAKEFILES)


def test_the_readme_names_only_files_that_there_are(project: Path, readme: str) -> None:
    for path in re.findall(r"`((?:app|scripts|template|tests)/[\w./-]*)`", readme):
        assert (project / path).exists(), path


def test_the_readme_leads_to_every_document(project: Path, readme: str) -> None:
    documents = {str(path.relative_to(project)) for path in project.glob("docs/**/*.md")}
    assert documents <= set(re.findall(r"\]\((docs/[\w/-]+\.md)\)", readme))


def test_the_docs_name_every_setting_with_its_default(project: Path) -> None:
    text = (project / "docs" / "service.md").read_text()
    rows = dict(re.findall(rf"^\| `{Settings.PREFIX}(\w+)` \| .* \| `([^`]+)`", text, re.MULTILINE))
    assert rows == {name.upper(): str(value) for name, value in Settings().model_dump().items()}


def test_the_docs_name_every_route(project: Path, readme: str) -> None:
    text = "\n".join([readme, *(path.read_text() for path in project.glob("docs/**/*.md"))])
    for path, methods in create_app(Settings()).openapi()["paths"].items():
        for method in methods:
            assert f"`{method.upper()} {path}`" in text
