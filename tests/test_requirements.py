"""The locked requirements."""

import re
from pathlib import Path

import pytest


def pins(text: str) -> dict[str, str]:
    """The version of each package in a locked file."""
    return dict(re.findall(r"^([a-z0-9.-]+)==([^ ;]+)", text, re.MULTILINE))


@pytest.mark.parametrize(("below", "above"), [("", "-dev"), ("-dev", "-verify")])
def test_the_locked_files_agree_and_have_hashes(project: Path, below: str, above: str) -> None:
    texts = [(project / f"requirements{name}.txt").read_text() for name in (below, above)]
    first, second = map(pins, texts)
    shared = first.keys() & second.keys()
    assert shared
    assert {name: first[name] for name in shared} == {name: second[name] for name in shared}
    for text in texts:
        assert text.count("==") <= text.count("--hash=sha256:")
