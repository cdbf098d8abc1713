"""Every command in the docs is run by `make verify-docs` or `make template`, or says in one word why not."""

import re
from pathlib import Path

import pytest
from markdown_it import MarkdownIt

from template.follow import steps
from tests.support.project import PROJECT

PAGES = [PROJECT / "README.md", *sorted((PROJECT / "docs").glob("**/*.md")), *sorted(PROJECT.glob(".github/*.md"))]

# What a block that is not run needs, or is.
REASONS = {
    "cluster",
    "collector",
    "example",  # of names or options
    "GitHub",
    "minutes",
    "registry",
    "terminal",  # somebody types in it
}


def test_pages_that_one_target_leaves_out_are_followed_by_the_other() -> None:
    trial = (PROJECT / "template" / "trial").read_text()
    left_out = re.findall(r"':!(docs/\S+\.md)'", trial)
    assert left_out
    assert [page for page in left_out if f'template.follow "$folder" {page}' not in trial] == []


def test_blocks_that_are_not_run_have_one_of_these_reasons() -> None:
    assert {step.reason for page in PAGES for step in steps(page)} - {""} == REASONS


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(PROJECT)))
def test_every_command_is_in_a_console_block(page: Path) -> None:
    fences = [token for token in MarkdownIt("commonmark").parse(page.read_text()) if token.type == "fence"]
    shells = {"", "bash", "sh", "shell", "shell-session"}
    assert [token.content for token in fences if token.info in shells and "$ " in token.content] == []
    assert {token.info for token in fences} & (shells - {""}) == set()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(PROJECT)))
def test_every_reason_is_above_a_block(page: Path) -> None:
    reasons = re.findall(r"<!-- not run: (.+) -->", page.read_text())
    found = [step.reason for step in steps(page) if step.reason]
    # One below the title is for all blocks.
    assert found in (reasons, reasons * len(found))
