"""docs/dockerfile.md explains the current Dockerfile, line by line."""

import re
from difflib import SequenceMatcher
from pathlib import Path

import pytest

from tests.support.project import any_version

BLOCK = re.compile(r"^```dockerfile\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@pytest.fixture
def page(project: Path) -> str:
    """Return docs/dockerfile.md."""
    return (project / "docs" / "dockerfile.md").read_text()


def test_page_explains_exactly_the_lines_of_the_dockerfile(project: Path, page: str) -> None:
    text, blocks = map(any_version, ((project / "Dockerfile").read_text(), "".join(BLOCK.findall(page))))
    numbered = [(number, line) for number, line in enumerate(text.splitlines(), 1) if line and line[0] != "#"]
    explained = blocks.splitlines()
    wrong = []
    comparison = SequenceMatcher(None, [line for _, line in numbered], explained, autojunk=False)
    for kind, start, end, first, last in comparison.get_opcodes():
        if kind != "equal":
            wrong += [f"Dockerfile:{number}: not explained here: {line}" for number, line in numbered[start:end]]
            wrong += [f"explained, but not in the Dockerfile here: {line}" for line in explained[first:last]]
    assert not wrong, "\n".join(["docs/dockerfile.md and the Dockerfile differ:", *wrong])


def test_each_block_is_followed_by_its_explanation(page: str) -> None:
    _, *parts = BLOCK.split(page)
    for lines, behind in zip(parts[::2], parts[1::2], strict=True):
        # The next line is text: not a block, a heading or a table.
        assert re.match(r"\n*(?!```|#|\|)[^\n]*\w", behind), f"nothing explains\n{lines}"
