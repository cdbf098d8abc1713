"""Rules about comments for the reviewer."""

import re
from collections.abc import Iterator

from app.review.dockerfile import Dockerfile
from app.review.rules.rule import RULES, Problem, Severity, rule
from app.review.syntax import Instruction

IGNORE = re.compile(r"review-ignore\s*:?\s*(\S*)\s*(.*)", re.IGNORECASE)


def ignores(instruction: Instruction) -> Iterator[tuple[str, str]]:
    """Yield the rules that the comments of an instruction disable, each with its reason, or "" if there is none."""
    for comment in instruction.comments:
        if match := IGNORE.match(comment.text):
            yield match[1].rstrip(":"), match[2]


@rule(
    "review-ignore",
    Severity.WARNING,
    bad="""
# review-ignore: unpined-base
FROM python:3.12-slim
""",
    good="""
# review-ignore: unpinned-base the tag brings security fixes, and each build is tested
FROM python:3.12-slim
""",
)
def review_ignore(dockerfile: Dockerfile) -> Iterator[Problem]:
    """A review-ignore comment names no existing rule, or gives no reason.

    `# review-ignore: rule-id reason` above an instruction disables that rule there. Without an existing rule and a
    reason, the comment has no effect.
    """
    for stage in dockerfile.stages:
        for step in stage.steps:
            for rule_id, reason in ignores(step.instruction):
                if rule_id not in RULES:
                    message, fix = f"there is no rule {rule_id!r} to ignore", "use the id that the finding shows"
                elif not reason:
                    message, fix = f"this comment gives no reason to ignore {rule_id}", "add the reason after the id"
                else:
                    continue
                yield Problem(step.instruction, message, fix)
