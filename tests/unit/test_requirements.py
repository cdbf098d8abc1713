"""The locked requirements."""

import re
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.support.project import PROJECT
from tests.support.requirements import pins

LOCKED = [
    *sorted(PROJECT.glob("requirements*.txt")),
    *sorted(PROJECT.glob("requirements/*.txt")),
    *sorted(PROJECT.glob("template/*.txt")),
]


@pytest.mark.parametrize(
    ("below", "above"),
    [("requirements.txt", "requirements-dev.txt"), ("requirements-dev.txt", "requirements/verify.txt")],
)
def test_the_locked_files_agree(project: Path, below: str, above: str) -> None:
    first, second = (pins((project / name).read_text()) for name in (below, above))
    shared = first.keys() & second.keys()
    assert shared
    assert {name: first[name] for name in shared} == {name: second[name] for name in shared}


@pytest.mark.parametrize("path", LOCKED, ids=lambda path: str(path.relative_to(PROJECT)))
def test_a_locked_file_has_hashes_and_tells_how_to_lock_it_again(path: Path) -> None:
    text = path.read_text()
    assert pins(text)
    assert text.count("==") <= text.count("--hash=sha256:")
    # Dependabot looks for these options.
    assert "--universal --python-version 3.11 --generate-hashes\n" in text.splitlines(keepends=True)[1]


@pytest.mark.parametrize("path", LOCKED, ids=lambda path: str(path.relative_to(PROJECT)))
def test_a_locked_file_has_what_its_source_requires(path: Path) -> None:
    locked = pins(path.read_text())
    lines = re.sub(r"#.*", "", path.with_suffix(".in").read_text()).splitlines()
    required = [Requirement(line) for line in lines if line.strip() and not line.startswith("-")]
    assert required
    wrong = [one for one in required if not one.specifier.contains(locked.get(canonicalize_name(one.name), "0a0"))]
    assert list(map(str, wrong)) == [], "run make lock"
