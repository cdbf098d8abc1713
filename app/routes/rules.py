"""The rules of the reviewer, with their explanations."""

from fastapi import APIRouter, HTTPException

from app import errors
from app.review.rules import RULES, RuleDescription

router = APIRouter(prefix="/api/rules", tags=["rules"])


@router.get("")
async def rules() -> list[RuleDescription]:
    """Return every rule, in the order in which they are applied."""
    return list(RULES.values())


@router.get("/{rule_id}", responses=errors.documented(404))
async def rule(rule_id: str) -> RuleDescription:
    """Return a rule: why it matters, a bad and a good example."""
    if rule_id not in RULES:
        raise HTTPException(404, f"unknown rule; the rules are {', '.join(RULES)}")
    return RULES[rule_id]
