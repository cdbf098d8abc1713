"""A review: what the rules find in a Dockerfile, and its stages."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from app.review.dockerfile import Dockerfile
from app.review.edit import Edit
from app.review.image import Image
from app.review.rules import RULES, Problem, Rule, Severity
from app.review.rules.comments import ignores
from app.review.stage import Stage

# Nobody reads more, and a hostile Dockerfile could cause tens of thousands.
MOST_FOUND = 1000
# In characters. A message can contain long names, and there can be many messages.
LONGEST_MESSAGE = 1000
# In characters, for all findings together. Each edit counts with its text and a fixed number for its position. An
# answer can be several times as large.
MOST_CHARACTERS = 500_000
EDIT_CHARACTERS = 100


@dataclass(frozen=True, slots=True)
class Finding:
    """Something to change, and its place. Lines and columns count from 1, and the end is exclusive.

    `stage` is the name of the stage, or else its number.

    `edits` are the fix as changes to the text, to be applied all or not at all, or empty if the fix is not automatic.
    They are `safe` if they keep the service's behavior or correct a clear mistake.
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
    """A stage and what it is built from. Numbers of other stages are indexes of the list, from 0.

    `base` is what FROM names, or null if it depends on a build argument without a default. `parent` is the stage of
    that name. `copies_from` are the stages and `images` the external images that it copies files from. The published
    stage is the last one. Its build runs only the stages that are `needed`.
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
    """The number of findings of each severity."""

    error: int
    warning: int
    info: int


@dataclass(frozen=True, slots=True)
class Review:
    """The result of a review. The findings are in the order of their lines, at most a thousand, or fewer if long.

    `ignored` is the number of findings that comments disable. `unjudged` are the reasons why some rules could not check
    this Dockerfile, each in one sentence. An example is an unknown base image.
    """

    findings: tuple[Finding, ...]
    stages: tuple[StageSummary, ...]
    counts: Counts
    ignored: int
    unjudged: tuple[str, ...]


def review(text: str, dockerignore: str | None = None) -> Review:
    """Review a Dockerfile by every rule.

    `dockerignore` is the text of its `.dockerignore`, "" if there is none, or None if that is unknown. Raises
    DockerfileError if the text is not a Dockerfile.
    """
    dockerfile = Dockerfile.parse(text, dockerignore)
    stages = {step.instruction.line: stage.label for stage in dockerfile.stages for step in stage.steps}
    disabled = {
        (step.instruction.line, rule_id)
        for stage in dockerfile.stages
        for step in stage.steps
        for rule_id, reason in ignores(step.instruction)
        if reason and rule_id != "review-ignore"
    }
    shift, ending = int(text.startswith("\ufeff")), "\r\n" if "\r\n" in text else "\n"
    findings: list[Finding] = []
    ignored = size = 0
    for rule, problem in islice(_problems(dockerfile), MOST_FOUND):
        instruction = problem.instruction
        if (instruction.line, rule.id) in disabled:
            ignored += 1
            continue
        finding = Finding(
            rule.id,
            problem.severity or rule.severity,
            instruction.line,
            instruction.column,
            instruction.end_line,
            len(instruction.source[-1]) + 1,
            stages[instruction.line],
            _short(problem.message),
            _short(problem.fix),
            tuple(_located(edit, shift, ending) for edit in problem.edits),
            problem.safe and bool(problem.edits),
        )
        size += _size(finding)
        if size > MOST_CHARACTERS:
            break
        findings.append(finding)
    severities = Counter(finding.severity for finding in findings)
    return Review(
        findings=tuple(sorted(findings, key=lambda finding: finding.line)),
        stages=_stages(dockerfile),
        counts=Counts(**{severity.value: severities[severity] for severity in Severity}),
        ignored=ignored,
        unjudged=tuple(_unjudged(dockerfile)),
    )


def _problems(dockerfile: Dockerfile) -> Iterator[tuple[Rule, Problem]]:
    for rule in RULES.values():
        for problem in rule.check(dockerfile):
            yield rule, problem


def _size(finding: Finding) -> int:
    """Return the number of characters that a finding counts as."""
    edits = sum(len(edit.text) + EDIT_CHARACTERS for edit in finding.edits)
    return len(finding.stage) + len(finding.message) + len(finding.fix) + edits


def _short(words: str) -> str:
    return words if len(words) <= LONGEST_MESSAGE else f"{words[: LONGEST_MESSAGE - 1]}…"


def _located(edit: Edit, shift: int, ending: str) -> Edit:
    """Return the edit for the original text, with its line endings and after a byte order mark of this length."""
    return Edit(
        edit.line,
        edit.column + shift * (edit.line == 1),
        edit.end_line,
        edit.end_column + shift * (edit.end_line == 1),
        edit.text.replace("\n", ending),
    )


def _unjudged(dockerfile: Dockerfile) -> Iterator[str]:
    """Yield the reasons why some rules could not check the Dockerfile."""
    image = dockerfile.published.image
    if image is None:
        yield "The base image of the published stage depends on a build argument without a default."
    elif not dockerfile.published.state.is_bare:
        yield f"It is unknown what the base image {image} sets and contains."
    if dockerfile.dockerignore is None and any(
        step.context_sources for stage in dockerfile.stages for step in stage.steps
    ):
        yield "No .dockerignore was given, so it is unknown what the build context contains."


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
