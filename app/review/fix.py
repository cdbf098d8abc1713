"""Fixes: apply the edits of findings to the Dockerfile."""

from __future__ import annotations

from app.review.edit import Edit, apply, overlap
from app.review.report import Review, review

# Edits that touch each other are applied in separate rounds, with a review in between. In practice, this is enough.
MOST_ROUNDS = 20


def fixed(text: str, dockerignore: str | None = None, *, unsafe: bool = False) -> tuple[str, int]:
    """Return the text with the safe fixes applied, or with all fixes, and the number of fixed findings.

    Raises DockerfileError if the text is not a Dockerfile.
    """
    count = 0
    for _ in range(MOST_ROUNDS):
        chosen = chosen_edits(review(text, dockerignore), unsafe=unsafe)
        if not chosen:
            break
        text = apply(text, [edit for edits in chosen for edit in edits])
        count += len(chosen)
    return text, count


def chosen_edits(found: Review, *, unsafe: bool = False) -> list[tuple[Edit, ...]]:
    """Return the edits of as many findings as can be applied at once, in the order of the findings."""
    chosen: list[tuple[Edit, ...]] = []
    for finding in found.findings:
        if finding.edits and (finding.safe or unsafe) and not any(overlap(finding.edits, other) for other in chosen):
            chosen.append(finding.edits)
    return chosen
