"""`.dockerignore`: which paths never enter the build context.

https://docs.docker.com/build/concepts/context/#dockerignore-files
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice

# More than anybody writes, and little enough to be matched in a few hundredths of a second.
MOST_WORDS = 10_000
WORD_OR_SIGN = re.compile(r"[\w./]++|[^\w./\s]")
LONGEST_PATH = 4096
# One step of a pattern: how far it can move within a path.
STEP = re.compile(
    r"(?P<any>\*\*+/?)|(?P<star>\*)|(?P<one>\?)|\[(?P<not>\^?)(?P<set>[^\]]++)\]|(?P<open>\[[^\]]++\Z)"
    r"|(?P<text>[^*?\[\\]++)|\\?(?P<char>.)",
    re.DOTALL,
)
RANGE = re.compile(r"(.)-(.)", re.DOTALL)


class DockerignoreError(ValueError):
    """The text is too long for a `.dockerignore`; `line`, from 1, is where that shows."""

    def __init__(self, line: int, message: str) -> None:
        super().__init__(message)
        self.line = line


@dataclass(frozen=True, slots=True)
class Dockerignore:
    """The patterns in order; the last one that matches a path decides. `!` in front takes it back in."""

    patterns: tuple[str, ...]

    @classmethod
    def parse(cls, text: str) -> Dockerignore:
        """Parse the patterns of a `.dockerignore`. Raises DockerignoreError if there are too many."""
        if beyond := next(islice(WORD_OR_SIGN.finditer(text), MOST_WORDS, None), None):
            line = text.count("\n", 0, beyond.start()) + 1
            raise DockerignoreError(line, f"more than {MOST_WORDS} words and symbols: no more are read")
        lines = (line.strip() for line in text.removeprefix("\ufeff").split("\n"))
        patterns = [line for line in lines if line and not line.startswith("#") and len(line) <= LONGEST_PATH]
        # A line that is repeated decides where it stands last.
        return cls(tuple(reversed(dict.fromkeys(reversed(patterns)))))

    def excluded(self, paths: Iterable[str]) -> set[str]:
        """Those of the paths, relative to the context's root, that stay out; so does all below a path that does."""
        tape = _tape(frozenset(paths))
        excluded = 0
        for line in self.patterns:
            # A pattern that could not change the answer for a path need not be matched with it.
            undecided = excluded if line.startswith("!") else tape.starts & ~excluded
            if undecided:
                excluded ^= tape.matches(posixpath.normpath(line.lstrip("! ")).lstrip("/"), undecided)
        return {path for path, start, _ in tape.paths if start & excluded}


class _Tape:
    """Paths one after the other, each place between their characters a bit.

    A pattern is followed to every place that it can reach, step by step and in all paths at once, and is no
    regular expression: patterns are somebody's input, and can be made to back off for ever.
    """

    def __init__(self, paths: Iterable[str]) -> None:
        self.paths: list[tuple[str, int, int]] = []  # each with the bit of its start and those of its places
        self.chars: dict[str, int] = {}  # where each character comes next
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
        """Return those of the starts whose paths, or a parent folder, match the pattern completely."""
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
        """Where one of the characters comes next that a `[…]` names."""
        named = set(RANGE.sub("", members))
        for low, high in RANGE.findall(members):
            named |= {char for char in self.chars if low <= char <= high}
        places = sum(self.chars[char] for char in self.chars.keys() & named)
        return self.inner & (~places if negated else places)


@lru_cache(maxsize=1)  # every COPY of everything is asked about the same paths
def _tape(paths: frozenset[str]) -> _Tape:
    return _Tape(paths)


def _flood(reached: int, ground: int) -> int:
    """Return what is reached from there over the ground, runs of ones: the addition carries to the end of each run."""
    return reached | ((reached & ground) + ground ^ ground)
