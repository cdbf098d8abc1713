"""README.md and docs/: every link has a target, and everything that they name exists."""

import re
from pathlib import Path

import pytest

from app.settings import Settings
from tests.support.makefile import MAKEFILES, targets
from tests.support.markdown import document, missing
from tests.support.project import PROJECT

PAGES = sorted((PROJECT / "docs").glob("**/*.md"))
DOCUMENTS = [path.relative_to(PROJECT) for path in [PROJECT / "README.md", *PAGES, *PROJECT.glob(".github/*.md")]]


@pytest.mark.parametrize("path", DOCUMENTS, ids=str)
def test_every_link_has_a_target(path: Path) -> None:
    found = [missing(link, PROJECT / path) for link in document(PROJECT / path).links]
    assert [problem for problem in found if problem] == []


@pytest.mark.parametrize("path", DOCUMENTS, ids=str)
def test_every_make_target_in_the_docs_exists(path: Path) -> None:
    added = re.findall(r"^([a-z-]+):", "\n".join(document(PROJECT / path).added), re.MULTILINE)
    existing = targets(*MAKEFILES) | set(added)
    text = "\n".join(document(PROJECT / path).code + document(PROJECT / path).commands)
    # Settings may also come before the target: make RUNTIME=host test.
    assert set(re.findall(r"(?<![\w-])make (?:[A-Z_]+=\S* )*([a-z][\w-]*)", text)) - existing == set()


@pytest.mark.parametrize("path", DOCUMENTS, ids=str)
def test_every_path_in_the_docs_exists(path: Path) -> None:
    text = "\n".join(document(PROJECT / path).code + document(PROJECT / path).commands)
    folders = "|".join(path.name for path in PROJECT.iterdir() if path.is_dir() and path.name[0] != ".")
    named = re.findall(rf"(?<![\w./-])(?:{folders})/[\w./-]*", text)
    created = document(PROJECT / path).files
    parents = {f"{folder}/" for file in created for folder in Path(file).parents}
    below = tuple(folder for folder in parents if not (PROJECT / folder).exists())
    unknown = [name for name in named if not (PROJECT / name).exists() and name not in created]
    assert [name for name in unknown if not name.startswith(below)] == []


@pytest.mark.parametrize("path", DOCUMENTS, ids=str)
def test_every_setting_in_the_docs_exists(path: Path) -> None:
    text = "\n".join(document(PROJECT / path).code + document(PROJECT / path).commands)
    lines = "\n".join([*document(PROJECT / path).examples, *document(PROJECT / path).added])
    added = re.findall(r"^    (\w+): ", lines, re.MULTILINE)
    settings = {Settings.PREFIX + name.upper() for name in [*Settings.model_fields, *added]}
    assert set(re.findall(rf"(?<!\w){Settings.PREFIX}[A-Z_]+", text)) - settings == set()
