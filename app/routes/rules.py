"""The rules of the reviewer, to read."""

from fastapi import APIRouter, HTTPException

from app import errors
from app.review.rules import RULES, RuleDescription

router = APIRouter(prefix="/api/rules", tags=["rules"])


@router.get("")
async def rules() -> list[RuleDescription]:
    """Every rule, in the order in which they are applied."""
    return list(RULES.values())


@router.get("/{rule_id}", responses=errors.documented(404))
async def rule(rule_id: str) -> RuleDescription:
    """One rule: why it matters, a wrong and a right example."""
    if rule_id not in RULES:
        raise HTTPException(404, f"no such rule; the rules are {', '.join(RULES)}")
    return RULES[rule_id]
