"""The formats of reviews: text, JSON, SARIF (Static Analysis Results Interchange Format) and GitHub commands.

Each function takes reviews by the path of their file.
"""

import json
import posixpath
import re
from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any
from urllib.parse import quote

from app.review.edit import Edit
from app.review.report import Finding, Review
from app.review.rules import RULES, Rule, Severity

Reviews = Mapping[str, Review]

# The URL of a service on this machine, whose pages describe the rules.
ADDRESS = "http://127.0.0.1:8000"

COLORS = {Severity.ERROR: 31, Severity.WARNING: 33, Severity.INFO: 36}
SARIF_SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
SARIF_LEVELS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "note"}
GITHUB_COMMANDS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "notice"}


def text(reviews: Reviews, *, color: bool = False, hint: bool = False) -> str:
    """Return a line for each finding as compilers print it, with its fix below, and the number of each severity.

    With `hint`, add a line that says how many findings each option fixes.
    """
    lines = []
    for path, review in reviews.items():
        for finding in review.findings:
            word = finding.severity.value
            if color:
                word = f"\x1b[{COLORS[finding.severity]}m{word}\x1b[0m"
            lines.append(f"{printable(path)}:{finding.line}: {word}: {printable(finding.message)} [{finding.rule}]")
            lines.append(f"    {printable(finding.fix)}")
        lines += [f"{printable(path)}: partly checked: {printable(reason)}" for reason in review.unjudged]
        lines.append(f"{printable(path)}: {_sum(review)}")
        if hint and (options := _fixable(review)):
            lines.append(f"{printable(path)}: {options}")
    return "".join(f"{line}\n" for line in lines)


def as_json(reviews: Reviews) -> str:
    """Return a list of the reviews as in the API, each with the path of its file."""
    # A path can contain bytes that are not UTF-8. Python keeps them as lone surrogates, which JSON cannot encode.
    paths = {path: path.encode(errors="surrogateescape").decode(errors="replace") for path in reviews}
    return _json([{"path": paths[path]} | asdict(review) for path, review in reviews.items()])


def sarif(reviews: Reviews, *, address: str = ADDRESS) -> str:
    """Return one run in SARIF 2.1.0, for code scanning on GitHub. `address` is the URL of the service with the rules.

    https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html
    """
    indexes = {rule: index for index, rule in enumerate(RULES)}
    run = {
        "tool": {
            "driver": {"name": "dockerfile-review", "rules": [_sarif_rule(rule, address) for rule in RULES.values()]}
        },
        "columnKind": "unicodeCodePoints",
        "results": [
            _sarif_result(path, finding, indexes[finding.rule])
            for path, review in reviews.items()
            for finding in review.findings
        ],
    }
    return _json({"$schema": SARIF_SCHEMA, "version": "2.1.0", "runs": [run]})


def github(reviews: Reviews) -> str:
    """Return the workflow commands that make GitHub show each finding at its line in a pull request.

    https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands
    """
    return "".join(
        f"::{GITHUB_COMMANDS[finding.severity]} file={_escaped(path, ':,')},line={finding.line},"
        f"endLine={finding.end_line},title={finding.rule}::{_escaped(finding.message)}%0A{_escaped(finding.fix)}\n"
        for path, review in reviews.items()
        for finding in review.findings
    )


def printable(words: str) -> str:
    """Return the text with escapes for what would control a terminal, or begin a workflow command in a GitHub log.

    Such a command is `::name` at the beginning of a line, or `##[name]` anywhere.
    https://github.com/actions/runner/blob/main/src/Runner.Common/ActionCommand.cs
    """
    return re.sub(r"^( *):(?=:)", r"\1\\x3a", _visible(words)).replace("##[", r"\x23#[")


FORMATS: dict[str, Callable[[Reviews], str]] = {"text": text, "json": as_json, "sarif": sarif, "github": github}


def _sum(review: Review) -> str:
    """Return the number of findings of each severity, in words."""
    counts = {severity: count for severity, count in asdict(review.counts).items() if count}
    words = (f"{count} {name}{'s' if count > 1 and name != Severity.INFO else ''}" for name, count in counts.items())
    return (", ".join(words) or "nothing found") + (f", {review.ignored} ignored" if review.ignored else "")


def _fixable(review: Review) -> str:
    """Return the number of findings that each option fixes, in words."""
    safe = sum(bool(finding.edits) and finding.safe for finding in review.findings)
    unsafe = sum(bool(finding.edits) and not finding.safe for finding in review.findings)
    counts = ((safe, "--fix"), (unsafe, "--unsafe-fixes"))
    return ", ".join(f"{count} can be fixed with {option}" for count, option in counts if count)


def _sarif_rule(rule: Rule, address: str) -> dict[str, Any]:
    beside = f"With this `.dockerignore`:\n\n```text\n{rule.dockerignore}```\n\n" if rule.dockerignore else ""
    example = f"{beside}Wrong:\n\n```dockerfile\n{rule.bad}```\n\nRight:\n\n```dockerfile\n{rule.good}```\n"
    return {
        "id": rule.id,
        "shortDescription": {"text": f"{rule.title}."},
        "fullDescription": {"text": rule.why},
        "helpUri": f"{address.rstrip('/')}/rules/{rule.id}",
        "help": {"text": rule.why, "markdown": f"{rule.why}\n\n{example}"},
        "defaultConfiguration": {"level": SARIF_LEVELS[rule.severity]},
    }


def _sarif_result(path: str, finding: Finding, index: int) -> dict[str, Any]:
    artifact = {"uri": quote(posixpath.normpath(path), errors="surrogateescape")}
    location = {
        "artifactLocation": artifact,
        "region": _region(finding),
    }
    result: dict[str, Any] = {
        "ruleId": finding.rule,
        "ruleIndex": index,
        "level": SARIF_LEVELS[finding.severity],
        "message": {"text": f"{finding.message}. Instead: {finding.fix}"},
        "locations": [{"physicalLocation": location}],
    }
    if finding.edits:
        replacements = [
            {"deletedRegion": _region(edit), "insertedContent": {"text": edit.text}} for edit in finding.edits
        ]
        change = {"artifactLocation": artifact, "replacements": replacements}
        result["fixes"] = [{"description": {"text": finding.fix}, "artifactChanges": [change]}]
    return result


def _region(place: Finding | Edit) -> dict[str, int]:
    return {
        "startLine": place.line,
        "startColumn": place.column,
        "endLine": place.end_line,
        "endColumn": place.end_column,
    }


def _json(value: Any) -> str:
    """Return the value as JSON without workflow commands, which `printable` describes."""
    return json.dumps(value, indent=2).replace("##[", r"\u0023#[") + "\n"


def _visible(words: str) -> str:
    """Return the text with escapes for characters that are not printable."""
    if words.isprintable():
        return words
    return "".join(char if char.isprintable() else ascii(char)[1:-1] for char in words)


def _escaped(words: str, signs: str = "") -> str:
    """Return the text with %XX for what would end a value of a workflow command, or begin another command."""
    return "".join(f"%{ord(char):02X}" if char in f"%\r\n{signs}" else char for char in _visible(words))
