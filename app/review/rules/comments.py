"""Rules about the comments by which a Dockerfile speaks to the reviewer."""

import re
from collections.abc import Iterator

from app.review.dockerfile import Dockerfile
from app.review.rules.rule import RULES, Problem, Severity, rule
from app.review.syntax import Instruction

IGNORE = re.compile(r"review-ignore\s*:?\s*(\S*)\s*(.*)", re.IGNORECASE)


def ignores(instruction: Instruction) -> Iterator[tuple[str, str]]:
    """The rules that the comments above an instruction silence, each with the reason; "" where none is given."""
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
    """A comment is to silence a rule that does not exist, or gives no reason.

    `# review-ignore: rule-id reason` above an instruction silences that rule there. What it names has to exist, or it
    does nothing; and whoever reads it wants to know why.
    """
    for stage in dockerfile.stages:
        for step in stage.steps:
            for rule_id, reason in ignores(step.instruction):
                if rule_id not in RULES:
                    message, fix = f"there is no rule {rule_id!r} to ignore", "the id as it stands in the finding"
                elif not reason:
                    message, fix = f"{rule_id} is ignored for no reason", "the reason, after the id"
                else:
                    continue
                yield Problem(step.instruction, message, fix)
