"""The locked requirements."""

from pathlib import Path

import pytest


@pytest.mark.parametrize(("below", "above"), [("", "-dev"), ("-dev", "-verify")])
def test_the_locked_files_agree(project: Path, below: str, above: str) -> None:
    texts = [(project / f"requirements{name}.txt").read_text() for name in (below, above)]
    first, second = map(pins, texts)
    shared = first.keys() & second.keys()
    assert shared
    assert {name: first[name] for name in shared} == {name: second[name] for name in shared}


@pytest.mark.parametrize(
    "path", sorted(Path(__file__).parent.parent.glob("requirements*.txt")), ids=lambda path: path.name
)
def test_a_locked_file_has_hashes_and_tells_how_to_lock_it_again(path: Path) -> None:
    text = path.read_text()
    assert pins(text)
    assert text.count("==") <= text.count("--hash=sha256:")
    # Dependabot looks for these options.
    assert "--universal --python-version 3.11 --generate-hashes\n" in text.splitlines(keepends=True)[1]
