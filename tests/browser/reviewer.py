"""A stand-in for the reviewer, with findings and edits that the tests choose."""

import json
from collections.abc import Callable
from typing import Any

from playwright.sync_api import Page, Route

Finding = dict[str, Any]

# The words that it finds, each with the rule, the severity, whether the fix is safe, and the fix. Fixing `first` takes
# two rounds, and `lost` has no fix.
WORDS = {
    "slow": ("apt-lists", "warning", True, "fast"),
    "risky": ("root-user", "error", False, "sound"),
    "first": ("apt-lists", "warning", True, "slow"),
    "lost": ("no-workdir", "info", False, None),
    "secret": ("secret-in-image", "error", False, None),
}


def edit(line: int, column: int, end_line: int, end_column: int, text: str) -> dict[str, Any]:
    """Return an edit in the format of the service."""
    return {"line": line, "column": column, "end_line": end_line, "end_column": end_column, "text": text}


def finding(rule: str, severity: str, line: int, edits: list[dict[str, Any]], *, safe: bool = False) -> Finding:
    """Return a finding in the format of the service, with a message that names its rule."""
    words = {"message": f"a matter of `{rule}`", "fix": f"fix {rule}", "stage": "0"}
    return {"rule": rule, "severity": severity, "line": line, "end_line": line, "edits": edits, "safe": safe, **words}


def find(text: str) -> list[Finding]:
    """Return a finding for each of WORDS in each line, unless the comment above ignores it."""
    found = []
    lines = text.split("\n")
    for index, line in enumerate(lines):
        for word, (rule, severity, safe, fix) in WORDS.items():
            if line.startswith("#") or word not in line or (index and f"review-ignore: {rule} " in lines[index - 1]):
                continue
            column = line.index(word) + 1  # in code points, like Python's strings
            edits = [] if fix is None else [edit(index + 1, column, index + 1, column + len(word), fix)]
            found.append(finding(rule, severity, index + 1, edits, safe=safe))
    return found


def answer(page: Page, find: Callable[[str], list[Finding]] = find, unjudged: list[str] | None = None) -> list[str]:
    """Answer the requests of the page with these findings, and return a list that collects the sent texts."""
    texts: list[str] = []

    def fulfil(route: Route) -> None:
        text = json.loads(route.request.post_data or "")["dockerfile"]
        texts.append(text)
        findings = find(text)
        counts = {name: sum(item["severity"] == name for item in findings) for name in ("error", "warning", "info")}
        stage = {"name": "0", "line": 1, "end_line": text.count("\n"), "base": "scratch", "parent": None}
        stage |= {"copies_from": [], "images": [], "needed": True, "published": True}
        review = {"findings": findings, "stages": [stage], "counts": counts, "ignored": 0, "unjudged": unjudged or []}
        route.fulfill(json=review)

    page.route("**/api/reviews", fulfil)
    return texts
