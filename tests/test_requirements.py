"""The locked requirements."""

import re
from pathlib import Path


def pins(text: str) -> dict[str, str]:
    """The version of each package in a locked file."""
    return dict(re.findall(r"^([a-z0-9.-]+)==([^ ;]+)", text, re.MULTILINE))


def test_both_locked_files_agree_and_have_hashes(project: Path) -> None:
    runtime, development = ((project / name).read_text() for name in ("requirements.txt", "requirements-dev.txt"))
    shared = pins(runtime).keys() & pins(development).keys()
    assert shared
    assert {name: pins(runtime)[name] for name in shared} == {name: pins(development)[name] for name in shared}
    for text in (runtime, development):
        assert text.count("==") <= text.count("--hash=sha256:")
