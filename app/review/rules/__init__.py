"""The rules, by family: what is built on, what is copied, what is installed, what runs."""

from app.review.rules import base, context, packages, runtime
from app.review.rules.rule import RULES, Problem, Rule, RuleDescription, Severity

__all__ = ["RULES", "Problem", "Rule", "RuleDescription", "Severity", "base", "context", "packages", "runtime"]
