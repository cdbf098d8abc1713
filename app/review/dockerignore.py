"""`.dockerignore`: which paths never enter the build context.

https://docs.docker.com/build/concepts/context/#dockerignore-files
"""

from __future__ import annotations

import posixpath
import re
from dataclasses import dataclass

SPECIAL = frozenset("*?[\\")
# One step of a pattern: how far it can move within a path.
STEP = re.compile(
    r"(?P<any>\*\*+/?)|(?P<star>\*)|(?P<one>\?)|\[(?P<not>\^?)(?P<set>[^\]]++)\]|\\?(?P<char>.)", re.DOTALL
)


@dataclass(frozen=True, slots=True)
class Dockerignore:
    """The patterns in order; the last one that matches a path decides. `!` in front takes it back in."""

    patterns: tuple[str, ...]

    @classmethod
    def parse(cls, text: str) -> Dockerignore:
        """The patterns in the text of a `.dockerignore`."""
        lines = (line.strip() for line in text.removeprefix("\ufeff").splitlines())
        return cls(tuple(line for line in lines if line and not line.startswith("#")))

    def excludes(self, path: str) -> bool:
        """Whether the path, relative to the context's root, stays out; so does all that is below it."""
        parts = path.split("/")
        candidates = ["/".join(parts[: depth + 1]) for depth in range(len(parts))]
        excluded = False
        for pattern in self.patterns:
            negated = pattern.startswith("!")
            # A pattern that could not change the answer need not be looked at.
            if negated == excluded and any(_matches(pattern.lstrip("! "), at) for at in candidates):
                excluded = not negated
        return excluded


def _matches(pattern: str, path: str) -> bool:
    """Whether the pattern fits the whole path: every place that it can reach, followed step by step.

    Not by a regular expression: patterns are somebody's input, and can be made to back off for ever.
    """
    pattern = posixpath.normpath(pattern).lstrip("/")
    if SPECIAL.isdisjoint(pattern):
        return pattern == path
    reached = {0}
    for step in STEP.finditer(pattern):
        if step["any"]:
            first = min(reached)
            starts = [at + 1 for at in range(first, len(path)) if path[at] == "/"]
            reached |= set(starts) if step["any"].endswith("/") else set(range(first, len(path) + 1))
        elif step["star"]:
            reached |= {end for at in reached for end in range(at, _component_end(path, at) + 1)}
        else:
            reached = {at + 1 for at in reached if at < len(path) and _fits(step, path[at])}
        if not reached:
            return False
    return len(path) in reached


def _component_end(path: str, at: int) -> int:
    end = path.find("/", at)
    return len(path) if end < 0 else end


def _fits(step: re.Match[str], char: str) -> bool:
    if step["one"]:
        return char != "/"
    if step["set"]:
        return any(low <= char <= high for low, high in _ranges(step["set"])) != bool(step["not"])
    return char == step["char"]


def _ranges(text: str) -> list[tuple[str, str]]:
    return [(match[1], match[2] or match[1]) for match in re.finditer(r"(.)(?:-(.))?", text, re.DOTALL)]
