"""Rules: functions that check a Dockerfile, each with an id, a severity and examples."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from app.review.dockerfile import Dockerfile
from app.review.edit import Edit
from app.review.syntax import Instruction


class Severity(StrEnum):
    """The severity of a finding: it breaks or endangers something, it has a cost, or it could be better."""

    ERROR = "error"
    WARNING = "warning"
    INFO = "info"


@dataclass(frozen=True, slots=True)
class Problem:
    """What a rule yields: an instruction, what is wrong with it, and what to write instead.

    `severity` overrides that of the rule. `edits` are the fix as changes to the text, or empty if the text alone does
    not determine them. They are `safe` if they keep the service's behavior or correct a clear mistake.
    """

    instruction: Instruction
    message: str
    fix: str
    severity: Severity | None = None
    edits: tuple[Edit, ...] = ()
    safe: bool = False


Check = Callable[[Dockerfile], Iterator[Problem]]


@dataclass(frozen=True, slots=True)
class RuleDescription:
    """The description of a rule. `bad` and `good` are Dockerfiles with and without the problem.

    `dockerignore` is the `.dockerignore` next to both, or empty.
    """

    id: str
    severity: Severity
    title: str
    why: str
    bad: str
    good: str
    dockerignore: str


@dataclass(frozen=True, slots=True)
class Rule(RuleDescription):
    """A rule with the function that checks it."""

    check: Check


RULES: dict[str, Rule] = {}


def rule(id: str, severity: Severity, *, bad: str, good: str, dockerignore: str = "") -> Callable[[Check], Check]:
    """Return a decorator that registers a function as a rule.

    The first line of the function's docstring is the title of the rule, and the rest is its explanation. The rule must
    find something in `bad` and nothing in `good`, each with this `.dockerignore`.
    """

    def register(check: Check) -> Check:
        title, _, why = inspect.cleandoc(check.__doc__ or "").partition("\n\n")
        title, why = title.rstrip("."), why.replace("\n", " ")
        RULES[id] = Rule(id, severity, title, why, bad.lstrip(), good.lstrip(), dockerignore, check)
        return check

    return register
