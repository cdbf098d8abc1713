"""A review: what the rules find in a Dockerfile, with the stages that it has."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from app.review.dockerfile import Dockerfile
from app.review.edit import Edit
from app.review.image import Image
from app.review.rules import RULES, Severity
from app.review.rules.comments import ignores
from app.review.stage import Stage

# Nobody reads more, and a hostile Dockerfile could have tens of thousands.
MOST_FOUND = 1000
# Characters of what a finding says: names in it can be long, and there are many findings.
LONGEST_MESSAGE = 1000


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing to change, and where: lines and columns count from 1, the end is exclusive.

    `stage` is a name or else a number.

    `edits` are the fix as changes of the text, all or none of them to be made; empty where there is no such fix. They
    are `safe` if the service does the same afterwards, or what was meant without a doubt.
    """

    rule: str
    severity: Severity
    line: int
    column: int
    end_line: int
    end_column: int
    stage: str
    message: str
    fix: str
    edits: tuple[Edit, ...]
    safe: bool


@dataclass(frozen=True, slots=True)
class StageSummary:
    """A stage and what it is made from; other stages are named by their place in the list, from 0.

    `base` is what FROM names, null where that depends on a build argument without a default; `parent` is the
    stage of that name. `copies_from` are the stages and `images` the outside images that it takes files from.
    The published stage is the last one; a build of it runs the stages that are `needed` and no other.
    """

    name: str
    line: int
    end_line: int
    base: str | None
    parent: int | None
    copies_from: tuple[int, ...]
    images: tuple[str, ...]
    needed: bool
    published: bool


@dataclass(frozen=True, slots=True)
class Counts:
    """How many findings there are of each severity."""

    error: int
    warning: int
    info: int


@dataclass(frozen=True, slots=True)
class Review:
    """What the reviewer answers; the findings are in the order of their lines, a thousand at most.

    `ignored` is how many more there would be, had no comment silenced them. `unjudged` are the reasons why some rules
    could not judge this Dockerfile, a sentence each: an unknown base image, say.
    """

    findings: tuple[Finding, ...]
    stages: tuple[StageSummary, ...]
    counts: Counts
    ignored: int
    unjudged: tuple[str, ...]


def review(text: str, dockerignore: str | None = None) -> Review:
    """Review a Dockerfile by every rule.

    `dockerignore` is the text of the `.dockerignore` beside it, "" where there is none, None where that is
    not known. Raises DockerfileError, with its line, where the text is no Dockerfile.
    """
    dockerfile = Dockerfile.parse(text, dockerignore)
    stages = {step.instruction.line: stage.label for stage in dockerfile.stages for step in stage.steps}
    silenced = {
        (step.instruction.line, rule_id)
        for stage in dockerfile.stages
        for step in stage.steps
        for rule_id, reason in ignores(step.instruction)
        if reason and rule_id != "review-ignore"
    }
    found = list(islice(((rule, problem) for rule in RULES.values() for problem in rule.check(dockerfile)), MOST_FOUND))
    findings = [
        Finding(
            rule.id,
            problem.severity or rule.severity,
            problem.instruction.line,
            problem.instruction.column,
            problem.instruction.end_line,
            len(problem.instruction.source[-1]) + 1,
            stages[problem.instruction.line],
            _short(problem.message),
            _short(problem.fix),
            tuple(_located(edit, text) for edit in problem.edits),
            problem.safe and bool(problem.edits),
        )
        for rule, problem in found
        if (problem.instruction.line, rule.id) not in silenced
    ]
    severities = Counter(finding.severity for finding in findings)
    return Review(
        findings=tuple(sorted(findings, key=lambda finding: finding.line)),
        stages=_stages(dockerfile),
        counts=Counts(**{severity.value: severities[severity] for severity in Severity}),
        ignored=len(found) - len(findings),
        unjudged=tuple(_unjudged(dockerfile)),
    )


def _short(words: str) -> str:
    return words if len(words) <= LONGEST_MESSAGE else f"{words[: LONGEST_MESSAGE - 1]}…"


def _located(edit: Edit, text: str) -> Edit:
    """Return the edit for the text as it is: with its line endings, and after its byte order mark."""
    shift = int(text.startswith("\ufeff"))
    return Edit(
        edit.line,
        edit.column + shift * (edit.line == 1),
        edit.end_line,
        edit.end_column + shift * (edit.end_line == 1),
        edit.text.replace("\n", "\r\n") if "\r\n" in text else edit.text,
    )


def _unjudged(dockerfile: Dockerfile) -> Iterator[str]:
    """Yield why rules could not judge: what they need to know and do not."""
    image = dockerfile.published.image
    if image is None:
        yield "Which base image is published depends on a build argument without a default."
    elif not dockerfile.published.state.is_bare:
        yield f"What the base image {image} sets and contains is unknown."
    if dockerfile.dockerignore is None and any(
        step.context_sources for stage in dockerfile.stages for step in stage.steps
    ):
        yield "No .dockerignore was given: what it keeps out of the build context is unknown."


def _stages(dockerfile: Dockerfile) -> tuple[StageSummary, ...]:
    needed = dockerfile.needed
    summaries = []
    for stage in dockerfile.stages:
        origins = dict.fromkeys(stage.origins.values())
        summaries.append(
            StageSummary(
                name=stage.label,
                line=stage.start.line,
                end_line=stage.steps[-1].instruction.end_line,
                base=stage.base,
                parent=stage.parent.index if stage.parent else None,
                copies_from=tuple(origin.index for origin in origins if isinstance(origin, Stage)),
                images=tuple(str(origin) for origin in origins if isinstance(origin, Image)),
                needed=stage.index in needed,
                published=stage is dockerfile.published,
            )
        )
    return tuple(summaries)
