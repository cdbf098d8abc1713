"""Complete reviews, of the card's Dockerfile and others."""

import pytest

from app.review.report import LONGEST_MESSAGE, Counts, StageSummary, review
from tests.support.card import CARD

# Worked out by hand. Both FROM with an external image: a hardcoded version, no digest. Stage dev: pytest, which only
# requirements.txt could install. Stage production, on a fresh base: output is buffered, adduser is missing, only root
# can read the packages, the copy of everything lands in /, and the user has a name.
ALWAYS = [
    ("hardcoded-version", 1, "base"),
    ("unpinned-base", 1, "base"),
    ("missing-tools", 15, "dev"),
    ("hardcoded-version", 17, "production"),
    ("unpinned-base", 17, "production"),
    ("buffered-output", 17, "production"),
    ("missing-adduser", 18, "production"),
    ("unreadable-packages", 19, "production"),
    ("source-with-everything", 21, "production"),
    ("no-workdir", 21, "production"),
    ("named-user", 22, "production"),
]
COPIES = [("dockerignore", 14, "dev"), ("dockerignore", 21, "production")]
GOOD_DOCKERIGNORE = ".env\n.git\n.venv\n__pycache__\nnode_modules\n"


@pytest.mark.parametrize(
    ("dockerignore", "expected"),
    [
        pytest.param(None, ALWAYS, id="unknown .dockerignore"),
        pytest.param("", ALWAYS + COPIES, id="empty .dockerignore"),
        pytest.param(GOOD_DOCKERIGNORE, ALWAYS, id="good .dockerignore"),
    ],
)
def test_card_has_the_expected_findings(dockerignore: str | None, expected: list[tuple[str, int, str]]) -> None:
    findings = review(CARD, dockerignore).findings
    assert sorted((item.rule, item.line, item.stage) for item in findings) == sorted(expected)


def test_card_has_the_expected_stages() -> None:
    assert review(CARD).stages == (
        StageSummary("base", 1, 4, "python:3.12-slim", None, (), (), needed=True, published=False),
        StageSummary("builder", 6, 9, "base", 0, (), (), needed=True, published=False),
        StageSummary("dev", 11, 15, "base", 0, (1,), (), needed=False, published=False),
        StageSummary("production", 17, 24, "python:3.12-slim", None, (1,), (), needed=True, published=True),
    )


def test_each_origin_of_files_is_named_once() -> None:
    *_, last = review(
        "FROM a AS One\nFROM b AS two\nFROM c\n"
        "COPY --from=ONE a b\nCOPY --from=0 a b\nRUN --mount=from=two,target=/x true\n"
        "COPY --from=x.io/uv:1@sha256:0 a b\nCOPY --from=7 a b\nCOPY --from=$X a b\nCOPY --from=x.io/uv:1@sha256:0 c d"
    ).stages
    assert (last.copies_from, last.images) == ((0, 1), ("x.io/uv:1@sha256:0", "7"))


def test_findings_are_counted_and_ordered_by_line() -> None:
    result = review("FROM python:3\nRUN apt-get update\nRUN pip install a")
    assert [item.line for item in result.findings] == [1, 1, 1, 1, 2, 3]
    assert result.counts == Counts(error=1, warning=3, info=2)


def test_review_contains_at_most_a_thousand_findings() -> None:
    assert len(review("FROM python\n" + "COPY .env .\n" * 900).findings) == 1000


def test_long_name_is_truncated_in_a_finding() -> None:
    found = review(f"FROM python:3.12-slim\nUSER {'a' * 2000}\n").findings
    (finding,) = [finding for finding in found if finding.rule == "named-user"]
    assert (len(finding.message), len(finding.fix)) == (LONGEST_MESSAGE, LONGEST_MESSAGE)


def test_finding_covers_all_lines_of_its_instruction() -> None:
    (finding,) = review("FROM a@b\n\nRUN pip \\\n# comment\n install a\n").findings
    assert (finding.line, finding.end_line) == (3, 5)
