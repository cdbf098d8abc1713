"""Rules about comments for the reviewer."""

import pytest

from app.review.report import review
from tests.unit.review.rules.table import lines


@pytest.mark.parametrize(
    ("dockerfile", "expected"),
    [
        ("FROM python", [1]),
        ("# review-ignore: unpinned-base we test each build\nFROM python", []),
        ("# review-ignore: unpinned-base: we test each build\nFROM python", []),
        ("#review-ignore unpinned-base we test each build\nFROM python", []),
        ("# a stage\n# review-ignore: unpinned-base we test each build\n\nFROM python", []),
        ("# review-ignore: unpinned-base we test each build\nFROM python\nFROM python", [3]),
        ("# review-ignore: root-user we test each build\nFROM python", [2]),
        ("# review-ignore: unpinned-base\nFROM python", [2]),
    ],
)
def test_comment_disables_one_rule_at_one_instruction(dockerfile: str, expected: list[int]) -> None:
    assert lines("unpinned-base", dockerfile) == expected


def test_comment_between_continued_lines_has_the_same_effect() -> None:
    dockerfile = "FROM python\nRUN true && \\\n# review-ignore: pip-cache-mount it is built once\n  pip install a"
    assert lines("pip-cache-mount", dockerfile) == []


@pytest.mark.parametrize(
    ("dockerfile", "expected"),
    [
        ("# no review-ignore: here\nFROM a", []),
        ("# review-ignore: root-user a reason\nFROM a", []),
        ("# review-ignore: root-user a reason\n# review-ignore: unpinned-base another\nFROM a", []),
        ("FROM a\nRUN <<E\n# review-ignore: nonsense\nE", []),
        ("# review-ignore:\nFROM a", [2]),
        ("# review-ignore: root-user\nFROM a", [2]),
        ("# review-ignore: rootuser a reason\nFROM a", [2]),
        ("# review-ignore: DL3008 a reason\nFROM a", [2]),
        ("# review-ignore: review-ignore I know\n# review-ignore: x\nFROM a", [3]),
    ],
)
def test_review_ignore(dockerfile: str, expected: list[int]) -> None:
    assert lines("review-ignore", dockerfile) == expected


def test_ignored_finding_is_not_counted() -> None:
    text = "FROM python:slim\nUSER 1"
    assert review(text).counts.info == 1
    ignored = review(f"# review-ignore: unpinned-base we test each build\n{text}")
    assert (ignored.counts.info, ignored.ignored) == (0, 1)
