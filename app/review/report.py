"""A review: what the rules find in a Dockerfile, with the stages that it has."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from itertools import islice

from app.review.dockerfile import Dockerfile
from app.review.rules import RULES, Severity

# Nobody reads more, and a hostile Dockerfile could have tens of thousands.
MOST_FINDINGS = 1000


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing to change, and where: lines count from 1, `stage` is a name or else a number."""

    rule: str
    severity: Severity
    line: int
    end_line: int
    stage: str
    message: str
    fix: str


@dataclass(frozen=True, slots=True)
class StageSummary:
    """A stage as FROM tells it. `base` is null where it depends on a build argument without a default."""

    name: str
    line: int
    base: str | None
    published: bool


@dataclass(frozen=True, slots=True)
class Counts:
    """How many findings there are of each severity."""

    error: int
    warning: int
    info: int


@dataclass(frozen=True, slots=True)
class Review:
    """What the reviewer answers; the findings are in the order of their lines, a thousand at most."""

    findings: tuple[Finding, ...]
    stages: tuple[StageSummary, ...]
    counts: Counts


def review(text: str, dockerignore: str | None = None) -> Review:
    """Review a Dockerfile by every rule.

    `dockerignore` is the text of the `.dockerignore` beside it, "" where there is none, None where that is
    not known. Raises DockerfileError, with its line, where the text is no Dockerfile.
    """
    dockerfile = Dockerfile.parse(text, dockerignore)
    stages = {instruction.line: stage.label for stage in dockerfile.stages for instruction in stage.instructions}
    found = ((rule, problem) for rule in RULES.values() for problem in rule.check(dockerfile))
    findings = [
        Finding(
            rule.id,
            rule.severity,
            problem.instruction.line,
            problem.instruction.end_line,
            stages[problem.instruction.line],
            problem.message,
            problem.fix,
        )
        for rule, problem in islice(found, MOST_FINDINGS)
    ]
    severities = Counter(finding.severity for finding in findings)
    return Review(
        findings=tuple(sorted(findings, key=lambda finding: finding.line)),
        stages=tuple(
            StageSummary(stage.label, stage.start.line, stage.base, stage is dockerfile.published)
            for stage in dockerfile.stages
        ),
        counts=Counts(**{severity.value: severities[severity] for severity in Severity}),
    )
