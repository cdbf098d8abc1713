"""What a rule is: a function that reads a Dockerfile, with its id, severity and examples beside it."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from app.review.dockerfile import Dockerfile
from app.review.edit import Edit
from app.review.syntax import Instruction


class Severity(StrEnum):
    """How bad a finding is: it breaks or endangers, it costs, it could be better."""

    ERROR = "error"
    WARNING = "warning"
    INFO = "info"


@dataclass(frozen=True, slots=True)
class Problem:
    """What a rule yields: an instruction, what is wrong with it, and what to write instead.

    `severity` is given where this one is less or more than the rule's. `edits` are the fix as changes of the text, none
    where it needs knowledge that the text lacks. They are `safe` if the service does the same as before, or what was
    meant without a doubt.
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
    """A rule as people read it; `bad` and `good` are Dockerfiles that show it broken and kept.

    `dockerignore` is the `.dockerignore` beside both, empty where there is none.
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
    """A rule with the function that looks for it."""

    check: Check


RULES: dict[str, Rule] = {}


def rule(id: str, severity: Severity, *, bad: str, good: str, dockerignore: str = "") -> Callable[[Check], Check]:
    """Register the function below as a rule: the first line of its docstring is the title, the rest the why.

    `bad` is a Dockerfile in which the rule finds something, `good` one in which it finds nothing, both beside that
    `.dockerignore`.
    """

    def register(check: Check) -> Check:
        title, _, why = inspect.cleandoc(check.__doc__ or "").partition("\n\n")
        title, why = title.rstrip("."), why.replace("\n", " ")
        RULES[id] = Rule(id, severity, title, why, bad.lstrip(), good.lstrip(), dockerignore, check)
        return check

    return register
