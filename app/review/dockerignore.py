"""`.dockerignore`: the paths that the build context excludes.

https://docs.docker.com/build/concepts/context/#dockerignore-files
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice

# No real file reaches this limit, and matching takes less than 0.1 s.
MOST_WORDS = 10_000
WORD_OR_SYMBOL = re.compile(r"[\w./]++|[^\w./\s]")
LONGEST_PATH = 4096
# A part of a pattern.
STEP = re.compile(
    r"(?P<any>\*\*+/?)|(?P<star>\*)|(?P<one>\?)|\[(?P<not>\^?)(?P<set>[^\]]++)\]|(?P<open>\[[^\]]++\Z)"
    r"|(?P<text>[^*?\[\\]++)|\\?(?P<char>.)",
    re.DOTALL,
)
RANGE = re.compile(r"(.)-(.)", re.DOTALL)


class DockerignoreError(ValueError):
    """The text is too long. `line` is the first line beyond the limit, from 1."""

    def __init__(self, line: int, message: str) -> None:
        super().__init__(message)
        self.line = line


@dataclass(frozen=True, slots=True)
class Dockerignore:
    """The patterns in order. The last one that matches a path decides. A `!` in front of it includes the path again."""

    patterns: tuple[str, ...]

    @classmethod
    def parse(cls, text: str) -> Dockerignore:
        """Parse the patterns of a `.dockerignore`. Raises DockerignoreError if there are too many."""
        if beyond := next(islice(WORD_OR_SYMBOL.finditer(text), MOST_WORDS, None), None):
            line = text.count("\n", 0, beyond.start()) + 1
            raise DockerignoreError(line, f"more than {MOST_WORDS} words and symbols")
        lines = (line.strip() for line in text.removeprefix("\ufeff").split("\n"))
        patterns = [line for line in lines if line and not line.startswith("#") and len(line) <= LONGEST_PATH]
        # Of a repeated line, the last one decides.
        return cls(tuple(reversed(dict.fromkeys(reversed(patterns)))))

    def excluded(self, paths: Iterable[str]) -> set[str]:
        """Return the excluded paths, relative to the build context. A path below an excluded one is excluded too."""
        tape = _tape(frozenset(paths))
        excluded = 0
        for line in self.patterns:
            # A pattern that could not change the answer for a path need not be matched with it.
            undecided = excluded if line.startswith("!") else tape.starts & ~excluded
            if undecided:
                excluded ^= tape.matches(posixpath.normpath(line.lstrip("! ")).lstrip("/"), undecided)
        return {path for path, start, _ in tape.paths if start & excluded}


class _Tape:
    """Several paths in a row, with a bit for each place between their characters.

    Matching follows a pattern part by part to every place that it can reach, in all paths at once. A regular expression
    would not be safe: a hostile pattern can make it backtrack almost indefinitely.
    """

    def __init__(self, paths: Iterable[str]) -> None:
        self.paths: list[tuple[str, int, int]] = []  # each with the bit of its start and the bits of its places
        self.chars: dict[str, int] = {}  # the places before each character
        place = 0
        for path in paths:
            self.paths.append((path, 1 << place, (2 << len(path)) - 1 << place))
            for char in f"{path}\0":
                self.chars[char] = self.chars.get(char, 0) | 1 << place
                place += 1
        self.starts = sum(start for _, start, _ in self.paths)
        self.slashes = self.chars.get("/", 0)
        self.ends = self.slashes | self.chars.get("\0", 0)
        self.inner = (1 << place) - 1 & ~self.chars.get("\0", 0)
        self.names = self.inner & ~self.slashes

    def matches(self, pattern: str, starts: int) -> int:
        """Return the starts of the paths that match the pattern, or have a parent folder that matches it."""
        reached = starts
        for step in STEP.finditer(pattern):
            if not reached:
                return 0
            match step.lastgroup:
                case "any" if step["any"].endswith("/"):
                    reached |= (_flood(reached, self.inner) & self.slashes) << 1
                case "any":
                    reached = _flood(reached, self.inner)
                case "star":
                    reached = _flood(reached, self.names)
                case "one":
                    reached = (reached & self.names) << 1
                case "set":
                    reached = (reached & self._set(step["set"], bool(step["not"]))) << 1
                case group:
                    for char in step[group or 0]:
                        reached = (reached & self.inner & self.chars.get(char, 0)) << 1
        found = reached & self.ends
        return sum(start for _, start, places in self.paths if found & places) if found else 0

    def _set(self, members: str, negated: bool) -> int:
        """Return the places before a character that matches `[…]`."""
        named = set(RANGE.sub("", members))
        for low, high in RANGE.findall(members):
            named |= {char for char in self.chars if low <= char <= high}
        places = sum(self.chars[char] for char in self.chars.keys() & named)
        return self.inner & (~places if negated else places)


@lru_cache(maxsize=1)  # every COPY of the whole context checks the same paths
def _tape(paths: frozenset[str]) -> _Tape:
    return _Tape(paths)


def _flood(reached: int, ground: int) -> int:
    """Return the places that are reached over runs of ones in `ground`: the addition carries to the end of each run."""
    return reached | ((reached & ground) + ground ^ ground)
