"""The rules, with a module for each family."""

from app.review.rules import base, comments, context, copies, files, form, packages, pythons, stages, start, user
from app.review.rules.rule import RULES, Problem, Rule, RuleDescription, Severity

__all__ = [
    "RULES",
    "Problem",
    "Rule",
    "RuleDescription",
    "Severity",
    "base",
    "comments",
    "context",
    "copies",
    "files",
    "form",
    "packages",
    "pythons",
    "stages",
    "start",
    "user",
]
