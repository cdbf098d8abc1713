"""`.dockerignore`: which paths never enter the build context.

https://docs.docker.com/build/concepts/context/#dockerignore-files
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import accumulate

LONGEST_PATH = 4096
SPECIAL = frozenset("*?[\\")
# One step of a pattern: how far it can move within a path.
STEP = re.compile(
    r"(?P<any>\*\*+/?)|(?P<star>\*)|(?P<one>\?)|\[(?P<not>\^?)(?P<set>[^\]]++)\]|(?P<text>[^*?\[\\]++)|\\?(?P<char>.)",
    re.DOTALL,
)


@dataclass(frozen=True, slots=True)
class Dockerignore:
    """The patterns in order; the last one that matches a path decides. `!` in front takes it back in."""

    patterns: tuple[str, ...]

    @classmethod
    def parse(cls, text: str) -> Dockerignore:
        """The patterns in the text of a `.dockerignore`."""
        lines = (line.strip() for line in text.removeprefix("\ufeff").split("\n"))
        patterns = [line for line in lines if line and not line.startswith("#") and len(line) <= LONGEST_PATH]
        # A line that is repeated decides where it stands last.
        return cls(tuple(reversed(dict.fromkeys(reversed(patterns)))))

    def excluded(self, paths: Iterable[str]) -> set[str]:
        """Those of the paths, relative to the context's root, that stay out; so does all below a path that does."""
        parents = {path: list(accumulate(path.split("/"), "{}/{}".format)) for path in paths}
        excluded: set[str] = set()
        for line in self.patterns:
            pattern = _Pattern(line.lstrip("! "))
            # A pattern that could not change the answer for a path need not be matched with it.
            undecided = excluded if line.startswith("!") else parents.keys() - excluded
            matched = set(filter(pattern.matches, {parent for path in undecided for parent in parents[path]}))
            excluded ^= {path for path in undecided if not matched.isdisjoint(parents[path])}
        return excluded


class _Pattern:
    """One pattern, taken apart.

    Matched by following every place that it can reach, step by step, and not by a regular expression:
    patterns are somebody's input, and can be made to back off for ever.
    """

    def __init__(self, text: str) -> None:
        self.text = posixpath.normpath(text).lstrip("/")
        self.steps = None if SPECIAL.isdisjoint(self.text) else [_Step(match) for match in STEP.finditer(self.text)]

    def matches(self, path: str) -> bool:
        """Whether it fits the whole path."""
        if self.steps is None:
            return self.text == path
        reached = {0}
        for step in self.steps:
            reached = step.follow(path, reached)
            if not reached:
                return False
        return len(path) in reached


class _Step:
    """One step of a pattern: text, a set of characters, or one of the wildcards."""

    def __init__(self, match: re.Match[str]) -> None:
        self.kind = match.lastgroup
        self.text = match[self.kind or 0]
        self.negated = bool(match["not"])
        ranges = re.findall(r"(.)(?:-(.))?", self.text, re.DOTALL) if self.kind == "set" else []
        self.chars = frozenset(low for low, high in ranges if not high)
        self.ranges = [(low, high) for low, high in ranges if high]

    def follow(self, path: str, reached: set[int]) -> set[int]:
        """The places in the path that are reached by this step from those reached before."""
        match self.kind:
            case "any" if self.text.endswith("/"):
                return reached | {at + 1 for at in range(min(reached), len(path)) if path[at] == "/"}
            case "any":
                return set(range(min(reached), len(path) + 1))
            case "star":
                ends = ((at, path.find("/", at)) for at in reached)
                return {stop for at, end in ends for stop in range(at, (len(path) if end < 0 else end) + 1)}
            case "one":
                return {at + 1 for at in reached if path[at : at + 1] not in {"", "/"}}
            case "set":
                return {at + 1 for at in reached if at < len(path) and self._holds(path[at])}
            case _:
                return {at + len(self.text) for at in reached if path.startswith(self.text, at)}

    def _holds(self, char: str) -> bool:
        return (char in self.chars or any(low <= char <= high for low, high in self.ranges)) != self.negated
