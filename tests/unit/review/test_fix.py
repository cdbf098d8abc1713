"""Fixes: findings are corrected in the text."""

from collections import Counter

import pytest

from app.review.edit import Edit, apply, drop_word, overlap, replace
from app.review.fix import fixed
from app.review.report import Finding, review
from app.review.rules import RULES, Rule
from app.review.syntax import parse

# Fixes of the other rules need knowledge that is not in the text.
SAFE = {
    "apt-lists",
    "buffered-output",
    "cache-mount-defeated",
    "exec-form-variable",
    "hardcoded-version",
    "named-user",
    "not-json",
    "overridden",
    "pip-cache-mount",
    "reload-in-production",
    "requirements-bind-mount",
    "shell-form-command",
    "source-in-sh",
    "undefined-variable",
}
UNSAFE = {
    "copy-between-stages",
    "development-packages",
    "development-published",
    "full-base-image",
    "healthcheck-tool",
    "late-chown",
    "lost-between-runs",
    "loopback",
    "missing-adduser",
    "no-such-stage",
    "no-such-user",
    "no-workdir",
    "not-permitted",
    "root-user",
    "source-before-install",
}


def fixes(text: str, dockerignore: str | None = None) -> list[Finding]:
    """Return the findings that have a fix."""
    return [finding for finding in review(text, dockerignore).findings if finding.edits]


def rules(text: str, dockerignore: str | None = None) -> Counter[str]:
    """Return how often each rule finds something."""
    return Counter(finding.rule for finding in review(text, dockerignore).findings)


@pytest.mark.parametrize(
    ("edits", "text"),
    [
        ([], "ab\ncd\n"),
        ([Edit(1, 1, 1, 1, "x")], "xab\ncd\n"),
        ([Edit(2, 2, 2, 3, "x"), Edit(1, 2, 1, 3, "y")], "ay\ncx\n"),
        ([Edit(1, 3, 2, 1, "")], "abcd\n"),
        ([Edit(1, 1, 2, 1, "")], "cd\n"),
        ([Edit(2, 1, 4, 1, "")], "ab\n"),  # beyond the end
    ],
)
def test_edits_are_applied_by_line_and_column(edits: list[Edit], text: str) -> None:
    assert apply("ab\ncd\n", edits) == text


@pytest.mark.parametrize(
    ("other", "expected"),
    [
        (Edit(1, 5, 1, 6, ""), False),
        (Edit(2, 1, 2, 2, ""), False),
        (Edit(1, 4, 1, 4, "x"), True),  # the order would matter
        (Edit(1, 1, 3, 1, ""), True),
    ],
)
def test_touching_edits_overlap(other: Edit, expected: bool) -> None:
    assert overlap([Edit(1, 2, 1, 4, "")], [other]) is expected


def test_fixes_of_each_rule_are_safe_as_expected() -> None:
    found = {(finding.rule, finding.safe) for rule in RULES.values() for finding in fixes(rule.bad, rule.dockerignore)}
    extra = {("copy-between-stages", False)}  # one kind of several, tested below
    assert found | extra == {(rule, True) for rule in SAFE} | {(rule, False) for rule in UNSAFE}


@pytest.mark.parametrize("rule", RULES.values(), ids=list(RULES))
def test_fix_removes_its_finding_and_adds_none(rule: Rule) -> None:
    before = rules(rule.bad, rule.dockerignore)
    for finding in fixes(rule.bad, rule.dockerignore):
        after = rules(apply(rule.bad, finding.edits), rule.dockerignore)
        assert after[finding.rule] < before[finding.rule]
        assert after.keys() <= before.keys()


def test_fix_keeps_comments_and_heredocs() -> None:
    text = (
        "# syntax=docker/dockerfile:1\n# the base\nFROM python:3.12-slim\n"
        "RUN pip install \\\n    # not twice\n    --no-cache-dir \\\n    a\n"
        "RUN <<E\npip install --no-cache-dir b\nE\n# who\nUSER 10001\n"
    )
    new, count = fixed(text)
    assert count == 3
    assert new == (
        "# syntax=docker/dockerfile:1\nARG PYTHON_VERSION=3.12\n# the base\nFROM python:${PYTHON_VERSION}-slim\n"
        "RUN --mount=type=cache,target=/root/.cache/pip \\\n    pip install \\\n    # not twice\n    a\n"
        "RUN --mount=type=cache,target=/root/.cache/pip \\\n    <<E\npip install b\nE\n# who\nUSER 10001\n"
    )


def test_safe_fixes_leave_other_findings() -> None:
    text = "FROM python:3.12-slim@sha256:0\nCMD python -m app --port $PORT\n"
    assert fixed(text) == (
        "FROM python:3.12-slim@sha256:0\nENV PYTHONUNBUFFERED=1\nCMD exec python -m app --port $PORT\n",
        2,
    )
    assert "USER 10001\nCMD exec python" in fixed(text, unsafe=True)[0]


def test_ignored_finding_is_not_fixed() -> None:
    text = "# review-ignore: hardcoded-version there is one\nFROM python:3.12-slim\nUSER 10001\n"
    assert fixed(text) == (text, 0)


def test_all_fixes_of_a_bad_dockerfile() -> None:
    text = (
        "FROM python:3.12\nCOPY requirements.txt .\nRUN apt-get update && apt-get install -y libpq5\n"
        "RUN pip install --no-cache-dir -r requirements.txt\nCOPY app /app\nRUN chown -R 10001 /app\n"
        "CMD uvicorn app.main:app --reload\n"
    )
    assert (
        fixed(text, unsafe=True)[0]
        == """\
ARG PYTHON_VERSION=3.12
FROM python:${PYTHON_VERSION}-slim
ENV PYTHONUNBUFFERED=1
RUN apt-get update && apt-get install -y libpq5 && \\
    rm -rf /var/lib/apt/lists/*
RUN --mount=type=cache,target=/root/.cache/pip \\
    --mount=type=bind,source=requirements.txt,target=requirements.txt \\
    pip install -r requirements.txt
COPY --chown=10001 app /app
RUN useradd --no-create-home --uid 10001 appuser
USER 10001
CMD ["uvicorn", "app.main:app", "--host", "0.0.0.0"]
"""
    )


def test_fix_copies_a_missing_script() -> None:
    site = "/usr/local/lib/python3.12/site-packages"
    text = (
        "FROM python:3.12-slim AS build\nRUN pip install -r requirements.txt\n"
        f"FROM python:3.12-slim\nCOPY --from=build {site} {site}\n"
        'CMD ["uvicorn", "app:app", "--host", "0.0.0.0"]\n'
    )
    assert "COPY --from=build /usr/local/bin/uvicorn /usr/local/bin/uvicorn\n" in fixed(text, unsafe=True)[0]


def test_text_in_a_comment_is_not_replaced() -> None:
    (instruction,) = parse("RUN a \\\n    # old word\n    b\n")
    assert replace(instruction, "old", "new") == ()
    assert replace(instruction, "b", "c") == (Edit(3, 5, 3, 6, "c"),)


def test_word_with_many_occurrences_is_not_removed() -> None:
    (few, many) = parse(f"RUN a{' --old' * 50}\nRUN a{' --old' * 51}\n")
    assert len(drop_word(few, "--old")) == 50
    assert drop_word(many, "--old") == ()


@pytest.mark.parametrize(
    ("rule", "command", "most"), [("missing-adduser", "adduser a{}; ", 10), ("source-in-sh", "source a{}; ", 50)]
)
def test_commands_with_many_occurrences_are_kept(rule: str, command: str, most: int) -> None:
    few, many = ("".join(map(command.format, range(count))) for count in (most, most + 1))
    edits = {finding.rule: finding.edits for finding in fixes(f"FROM python:3.12-slim\nRUN {few}true\n")}
    assert len(edits[rule]) == most
    assert rule not in {finding.rule for finding in fixes(f"FROM python:3.12-slim\nRUN {many}true\n")}


def test_word_in_a_heredoc_is_not_fixed_as_a_command() -> None:
    text = "FROM python:3.12-slim@sha256:0\nRUN source /x && python - <<E\nsource = 1\nE\nUSER 1\n"
    assert rules(text)["source-in-sh"] == 1
    assert fixed(text, unsafe=True) == (text, 0)


def test_fix_uses_the_escape_character_of_the_file() -> None:
    text = "# escape=`\nFROM python:3.12-slim@sha256:0\nRUN pip install `\n    a\nUSER 1\n"
    new = "RUN --mount=type=cache,target=/root/.cache/pip `\n    pip install `\n    a\n"
    assert new in fixed(text)[0]


def test_finding_without_a_fix_is_not_safe() -> None:
    (finding,) = review(
        "FROM python:3.12-slim@sha256:0\nENV PYTHONUNBUFFERED=\nUSER 1\nCMD exec python a.py\n"
    ).findings
    assert (finding.rule, finding.edits, finding.safe) == ("buffered-output", (), False)
