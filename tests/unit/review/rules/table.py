"""Tables of Dockerfiles: what one rule finds in each, by line."""

from app.review.report import review


def lines(rule: str, dockerfile: str, dockerignore: str | None = None) -> list[int]:
    """Return the lines on which the rule finds something."""
    return [finding.line for finding in review(dockerfile, dockerignore).findings if finding.rule == rule]


def fixes(rule: str, dockerfile: str) -> list[str]:
    """Return the fixes of the rule's findings."""
    return [finding.fix for finding in review(dockerfile).findings if finding.rule == rule]
