"""All rules: they are documented, and their examples are correct."""

import re

import pytest

from app.review.report import review
from app.review.rules import RULES, Rule

each_rule = pytest.mark.parametrize("rule", RULES.values(), ids=list(RULES))


def found(rule: Rule, dockerfile: str) -> bool:
    """Return whether the rule finds something."""
    return rule.id in {finding.rule for finding in review(dockerfile, rule.dockerignore).findings}


@each_rule
def test_good_example_has_no_finding(rule: Rule) -> None:
    assert not found(rule, rule.good)


@each_rule
def test_bad_example_has_a_finding(rule: Rule) -> None:
    assert found(rule, rule.bad)


@each_rule
def test_rule_has_an_id_a_title_and_an_explanation(rule: Rule) -> None:
    assert re.fullmatch(r"[a-z]+(-[a-z]+)*", rule.id)
    assert 10 < len(rule.title) < 80
    assert not rule.title.endswith(".")
    assert rule.why.endswith(".")


def test_each_expected_rule_exists() -> None:
    assert set(RULES) == {
        "full-base-image",
        "hardcoded-version",
        "unpinned-base",
        "review-ignore",
        "dockerignore",
        "copy-between-stages",
        "no-such-stage",
        "not-in-context",
        "undefined-variable",
        "requirements-bind-mount",
        "source-before-install",
        "source-with-everything",
        "late-chown",
        "no-workdir",
        "secret-in-image",
        "apt-lists",
        "cache-mount-defeated",
        "pip-cache-mount",
        "unreadable-packages",
        "externally-managed",
        "second-python",
        "development-packages",
        "exec-form-variable",
        "lost-between-runs",
        "not-json",
        "overridden",
        "source-in-sh",
        "loopback",
        "no-such-user",
        "not-permitted",
        "development-published",
        "missing-tools",
        "production-from-development",
        "single-stage",
        "buffered-output",
        "healthcheck-tool",
        "reload-in-production",
        "shell-form-command",
        "missing-adduser",
        "named-user",
        "root-user",
    }
