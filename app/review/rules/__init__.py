"""The rules, by family and in this order: what is built on, what a layer holds, what runs."""

from app.review.rules import base, layers, runtime
from app.review.rules.rule import RULES, Problem, Rule, RuleDescription, Severity

__all__ = ["RULES", "Problem", "Rule", "RuleDescription", "Severity", "base", "layers", "runtime"]
