"""template/remove-sample, without git: what it removes, and what template/overlay replaces.

`make template` runs it in a copy.
"""

import ast
import re
import tomllib
from collections.abc import Iterator
from fnmatch import translate
from pathlib import Path

import pytest

from tests.support.imports import imported
from tests.support.makefile import listed_targets, targets
from tests.support.markdown import document, missing, read
from tests.support.project import PROJECT

SCRIPT = (PROJECT / "template" / "remove-sample").read_text()
SAMPLE = SCRIPT.split("SAMPLE='")[1].split("'")[0].split()
GOES = re.compile("|".join(map(translate, SAMPLE)))
OVERLAY = [
    path.relative_to(PROJECT / "template" / "overlay")
    for path in PROJECT.glob("template/overlay/**/*")
    if path.is_file()
]
LINES = re.compile(SCRIPT.split("LINES='")[1].split("'")[0])


def goes(path: Path) -> bool:
    """Return True if the path belongs to the sample."""
    return any(map(GOES.fullmatch, map(str, [path, *path.parents])))


@pytest.mark.parametrize("pattern", [name for name in SAMPLE if not name.startswith(".") and "*" not in name])
def test_listed_sample_files_exist(pattern: str) -> None:
    # The dev stage does not contain files whose names begin with a dot.
    assert (PROJECT / pattern).exists()


def staying() -> Iterator[Path]:
    """Yield the modules that stay."""
    for path in (path for folder in ("app", "deploy", "tests") for path in PROJECT.glob(f"{folder}/**/*.py")):
        relative = path.relative_to(PROJECT)
        if not goes(relative) and relative not in OVERLAY:
            yield path


def test_no_module_that_stays_imports_the_sample() -> None:
    for path in staying():
        assert [name for name in imported(path) if goes(name) or goes(name.with_suffix(".py"))] == [], path


def without_the_sample(path: Path) -> str:
    """Return the text of a remaining file afterwards."""
    return "".join(line for line in path.read_text().splitlines(keepends=True) if not LINES.search(line))


DOCUMENTS = [*PROJECT.glob("docs/**/*.md"), *PROJECT.glob(".github/*.md")]
PAGES = [path for path in (page.relative_to(PROJECT) for page in DOCUMENTS) if not goes(path)]


def test_a_file_that_loses_lines_is_still_valid() -> None:
    tomllib.loads(without_the_sample(PROJECT / "pyproject.toml"))
    for path in staying():
        ast.parse(without_the_sample(path), str(path))


def test_no_manifest_loses_a_line() -> None:
    manifests = [*PROJECT.glob("deploy/**/*.yaml"), PROJECT / "compose.yaml"]
    assert [path for path in manifests if without_the_sample(path) != path.read_text()] == []


def test_its_readme_links_only_to_pages_that_stay() -> None:
    links = document(PROJECT / "template" / "overlay" / "README.md").links
    assert [problem for link in links if (problem := missing(link, PROJECT / "README.md"))] == []
    assert [link for link in links if goes(Path(link.partition("#")[0]))] == []


def test_remaining_docs_describe_every_remaining_make_target() -> None:
    page = without_the_sample(PROJECT / "docs" / "targets.md")
    assert listed_targets(page) == targets(PROJECT / "Makefile")


@pytest.mark.parametrize("path", PAGES, ids=str)
def test_a_page_that_stays_links_only_to_what_stays(path: Path) -> None:
    links = read(without_the_sample(PROJECT / path)).links
    targets = [link.partition("#")[0] for link in links if "//" not in link]
    inside = [(PROJECT / path.parent / target).resolve().relative_to(PROJECT) for target in targets if target]
    assert [str(target) for target in inside if goes(target)] == []


@pytest.mark.parametrize("path", PAGES, ids=str)
def test_remaining_page_keeps_headings_and_whole_tables(path: Path) -> None:
    text = without_the_sample(PROJECT / path)
    assert read(text).anchors == document(PROJECT / path).anchors
    assert re.search(r"^\| ---.*\n(?!\|)", text, re.MULTILINE) is None


@pytest.mark.parametrize("path", OVERLAY, ids=str)
def test_overlay_files_differ_from_those_they_replace(path: Path) -> None:
    assert not goes(path)
    there = PROJECT / path
    assert not there.exists() or there.read_bytes() != (PROJECT / "template" / "overlay" / path).read_bytes()
