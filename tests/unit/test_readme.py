"""README.md, docs/index.md, docs/targets.md and docs/service.md agree with what they describe."""

import re
from pathlib import Path

import pytest

from app.main import create_app
from app.settings import Settings
from tests.support.makefile import MAKEFILES, listed_targets, named_targets, targets


@pytest.fixture
def readme(project: Path) -> str:
    """README.md."""
    return (project / "README.md").read_text()


def test_the_reference_names_every_make_target_and_no_other(project: Path) -> None:
    pages = [path.read_text() for path in project.glob("docs/**/targets.md")]
    assert set().union(*map(listed_targets, pages)) == targets(*MAKEFILES)


def test_the_readme_names_only_make_targets_that_there_are(readme: str) -> None:
    assert named_targets(readme) <= targets(*MAKEFILES)


def test_the_readme_names_only_files_that_there_are(project: Path, readme: str) -> None:
    for path in re.findall(r"`((?:app|scripts|tests)/[\w./-]*)`", readme):
        assert (project / path).exists(), path


def test_the_index_leads_to_every_page(project: Path, readme: str) -> None:
    index = project / "docs" / "index.md"
    pages = {str(path.relative_to(index.parent)) for path in index.parent.glob("**/*.md") if path != index}
    # The targets of the template, for one, have a page of their own.
    assert pages == set(re.findall(r"\]\(([\w/-]+\.md)\)", index.read_text()))
    assert "](docs/index.md)" in readme


def test_the_docs_name_every_setting_with_its_default(project: Path) -> None:
    text = (project / "docs" / "service.md").read_text()
    rows = dict(re.findall(rf"^\| `{Settings.PREFIX}(\w+)` \| .* \| `([^`]+)`", text, re.MULTILINE))
    assert rows == {name.upper(): str(value) for name, value in Settings().model_dump().items()}


def test_the_docs_name_every_route(project: Path, readme: str) -> None:
    text = "\n".join([readme, *(path.read_text() for path in project.glob("docs/**/*.md"))])
    for path, methods in create_app(Settings()).openapi()["paths"].items():
        for method in methods:
            assert f"`{method.upper()} {path}`" in text
