"""template/remove-sample, without git: what it removes, and what template/overlay has in its place.

`make template` runs it in a copy.
"""

import ast
import re
import tomllib
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path

import pytest

from tests.support.imports import imported
from tests.support.makefile import listed_targets, named_targets, targets
from tests.support.markdown import document, missing, read
from tests.support.project import PROJECT

SCRIPT = (PROJECT / "template" / "remove-sample").read_text()
SAMPLE = SCRIPT.split("SAMPLE='")[1].split("'")[0].split()
OVERLAY = [
    path.relative_to(PROJECT / "template" / "overlay")
    for path in PROJECT.glob("template/overlay/**/*")
    if path.is_file()
]
PAGES = [path.relative_to(PROJECT) for path in [*PROJECT.glob("docs/**/*.md"), *PROJECT.glob(".github/*.md")]]
LINES = re.compile(SCRIPT.split("LINES='")[1].split("'")[0])


def goes(path: Path) -> bool:
    """Whether a path of the project is the sample's."""
    names = [str(path), *map(str, path.parents)]
    return any(fnmatch(name, pattern) for name in names for pattern in SAMPLE)


@pytest.mark.parametrize("pattern", [name for name in SAMPLE if not name.startswith(".") and "*" not in name])
def test_what_is_listed_as_sample_is_there(pattern: str) -> None:
    # The dev stage has no requirements*.in, and nothing whose name begins with a dot.
    assert (PROJECT / pattern).exists()


def staying() -> Iterator[Path]:
    """Yield the modules that stay, but for some of their lines."""
    for path in (path for folder in ("app", "deploy", "tests") for path in PROJECT.glob(f"{folder}/**/*.py")):
        relative = path.relative_to(PROJECT)
        if not goes(relative) and relative not in OVERLAY:
            yield path


def test_no_module_that_stays_imports_the_sample() -> None:
    for path in staying():
        assert [name for name in imported(path) if goes(name) or goes(name.with_suffix(".py"))] == [], path


def without_the_sample(path: Path) -> str:
    """Return what a file that stays contains afterwards."""
    return "".join(line for line in path.read_text().splitlines(keepends=True) if not LINES.search(line))


def test_a_file_that_loses_lines_is_still_valid() -> None:
    tomllib.loads(without_the_sample(PROJECT / "pyproject.toml"))
    for path in staying():
        ast.parse(without_the_sample(path), str(path))


def test_no_manifest_loses_a_line() -> None:
    manifests = [*PROJECT.glob("deploy/**/*.yaml"), PROJECT / "compose.yaml"]
    assert [path for path in manifests if without_the_sample(path) != path.read_text()] == []


def test_the_docs_that_stay_name_every_make_target_that_stays() -> None:
    page = without_the_sample(PROJECT / "docs" / "targets.md")
    assert listed_targets(page) == targets(PROJECT / "Makefile")
    readme = (PROJECT / "template" / "overlay" / "README.md").read_text()
    assert named_targets(readme) <= targets(PROJECT / "Makefile")


def test_its_readme_leads_to_pages_that_stay() -> None:
    links = document(PROJECT / "template" / "overlay" / "README.md").links
    assert "docs/index.md" in links
    assert [problem for link in links if (problem := missing(link, PROJECT / "README.md"))] == []
    assert [link for link in links if goes(Path(link.partition("#")[0]))] == []


@pytest.mark.parametrize("page", [path for path in PAGES if not goes(path)], ids=str)
def test_no_page_that_stays_leads_to_what_goes(page: Path) -> None:
    path = PROJECT / page
    links = [link.partition("#")[0] for link in read(without_the_sample(path)).links if "//" not in link]
    inside = [(path.parent / link).resolve().relative_to(PROJECT) for link in links if link]
    assert [str(target) for target in inside if goes(target)] == []


@pytest.mark.parametrize("path", OVERLAY, ids=str)
def test_what_it_writes_anew_is_no_copy_of_what_is_there(path: Path) -> None:
    assert not goes(path)
    there = PROJECT / path
    assert not there.exists() or there.read_bytes() != (PROJECT / "template" / "overlay" / path).read_bytes()
