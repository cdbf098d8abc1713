"""Find the regular expressions of app/, and texts for which their time grows faster than the text."""

from __future__ import annotations

import ast
import importlib
import inspect
import random
import re
import string
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import product
from pkgutil import walk_packages
from re import _compiler, _parser  # type: ignore[attr-defined]  # the standard library's parser, which has no stubs
from typing import Any, NamedTuple

import app

# The methods of patterns, each run to the end of a text.
METHODS: dict[str, Callable[[re.Pattern[Any], Any], object]] = {
    "findall": lambda pattern, text: pattern.findall(text),
    "finditer": lambda pattern, text: sum(1 for _ in pattern.finditer(text)),
    "fullmatch": lambda pattern, text: pattern.fullmatch(text),
    "match": lambda pattern, text: _matches(pattern, text),
    "search": lambda pattern, text: pattern.search(text),
    "split": lambda pattern, text: pattern.split(text),
    "sub": lambda pattern, text: pattern.sub(lambda _: text[:0], text),
}


def _matches(pattern: re.Pattern[Any], text: Any) -> None:
    """Match the text from its start, then from the end of each match, as a tokenizer does."""
    end = -1
    while (match := pattern.match(text, max(end, 0))) and match.end() > end:
        end = match.end()


# Texts of several parts, chosen at random, that are pumped as well: `\b[a-z.]*!` is slow for "a.a.a.".
COMBINATIONS = 300
MOST_PARTS = 5
# Small sizes first: they find an exponential pattern before it takes minutes.
SMALL_SIZES = (12, 18, 25, 50, 100)
SIZES = (250, 2000)
# On most machines, linear patterns take less for the largest size. Those that take more are measured again.
SUSPICIOUS_SECONDS = 0.0015
# For four times the text, a linear pattern takes four times as long, and a quadratic one sixteen times.
MOST_GROWTH = 8
# Characters to pump, if a set has them: sets that share one may compete for it.
CHARS = list(dict.fromkeys("a1 ._-/=\"'\\$({[<;&|:,#*?+!~@%^`\n\tAé" + string.printable))
MOST_MEMBERS = 4
# What a pattern contains if it may stop in the middle of a repetition, after it has read a part of it.
PARTIAL = {"ASSERT", "ASSERT_NOT", "ATOMIC_GROUP", "MAX_REPEAT", "MIN_REPEAT", "POSSESSIVE_REPEAT"}

Parts = tuple[str, str, str]


@dataclass(frozen=True)
class Use:
    """A pattern, and a method that a module calls on it."""

    pattern: re.Pattern[Any]
    method: str
    module: str

    def __str__(self) -> str:
        """Return the name for a test case."""
        return f"{self.module.removeprefix('app.')}: {self.pattern.pattern!r:.50}.{self.method}"

    def slow(self) -> Parts | None:
        """Return the parts of a text for which the time grows faster than the text, or None."""
        return next(filter(self.is_slow, attacks(self.pattern)), None)

    def is_slow(self, parts: Parts) -> bool:
        """Return True if the time for such a text grows faster than the text."""
        for size in SMALL_SIZES:
            if all(self._seconds(parts, size) > SUSPICIOUS_SECONDS for _ in range(3)):
                return True
        for size in SIZES:
            if self._seconds(parts, size) > SUSPICIOUS_SECONDS:
                # A machine can become slower between two measurements, but not each time.
                return all(self._grows(parts, size) for _ in range(5))
        return False

    def _grows(self, parts: Parts, size: int) -> bool:
        """Return True if the time grows faster than the text."""
        short, long = (min(self._seconds(parts, length) for _ in range(2)) for length in (size, size * 4))
        return long > short * MOST_GROWTH

    def _seconds(self, parts: Parts, size: int) -> float:
        prefix, pump, tail = parts
        text: Any = prefix + pump * (size // len(pump) + 1) + tail
        if isinstance(self.pattern.pattern, bytes):
            text = text.encode("latin-1")
        start = time.thread_time()
        METHODS[self.method](self.pattern, text)
        return time.thread_time() - start


def uses() -> list[Use]:
    """Return every use of a regular expression in app/.

    A pattern is a global, or a value of a global dict, or a literal at its use.
    """
    found: dict[tuple[re.Pattern[Any], str], Use] = {}
    # Scripts outside packages, such as migrations, read no input.
    for module in ["app", *(one.name for one in walk_packages(app.__path__, "app."))]:
        source = inspect.getsource(importlib.import_module(module))
        for pattern, method in _used(ast.parse(source), module):
            found.setdefault((pattern, method), Use(pattern, method, module))
    return list(found.values())


def _used(tree: ast.Module, module: str) -> Iterator[tuple[re.Pattern[Any], str]]:
    """Yield each pattern that the module uses, and the method."""
    names = vars(importlib.import_module(module))
    for node in ast.walk(tree):
        match node:
            case ast.Call(ast.Attribute(ast.Name("re"), method), [written, *_]) if method in METHODS:
                for literal in [written.body, written.orelse] if isinstance(written, ast.IfExp) else [written]:
                    yield re.compile(ast.literal_eval(literal)), method
            case ast.Attribute(ast.Name(name) | ast.Subscript(ast.Name(name)), method) if method in METHODS:
                known = names.get(name)
                for pattern in known.values() if isinstance(known, dict) else [known]:
                    if isinstance(pattern, re.Pattern):
                        yield pattern, method


def attacks(pattern: re.Pattern[Any]) -> Iterator[Parts]:
    """Yield the parts of texts: a beginning that matches, something to repeat, and an end that may not match."""
    text = pattern.pattern if isinstance(pattern.pattern, str) else pattern.pattern.decode("latin-1")
    found = _Points({"": None}, {}, {"\0": None})
    found.collect(_parser.parse(text, pattern.flags), "")
    # Try all combinations, because one part of the pattern may match the text of another.
    pumps, tails = list(filter(None, found.pumps | found.befores)), ("", "".join(found.others))
    yield from product(found.befores, pumps, tails)
    chance = random.Random(text)  # noqa: S311 -- not for secrets
    parts = [*pumps, *found.others, " "]
    for _ in range(COMBINATIONS):
        pump = "".join(chance.choices(parts, k=chance.randint(2, MOST_PARTS)))
        yield chance.choice(list(found.befores)), pump, chance.choice(tails)


class _Points(NamedTuple):
    """Texts that a pattern matches before each of its parts, texts that the parts match, and texts that they do not."""

    befores: dict[str, None]
    pumps: dict[str, None]
    others: dict[str, None]

    def collect(self, tree: Any, before: str) -> str:
        """Add the texts of the tree, after `before`, and return a text that it matches."""
        text = ""
        for node in tree:
            operation, argument = str(node[0]), node[1]
            here = before + text
            match operation:
                case "LITERAL":
                    text += chr(argument)
                    self.pumps[chr(argument)] = None
                case "ANY" | "IN" | "NOT_LITERAL":
                    members, other = _members(_parser.SubPattern(tree.state, [node]))
                    text += members[0]
                    self.befores[here] = self.others[other] = None
                    self.pumps.update(dict.fromkeys(members))
                case "BRANCH":
                    text += max([self.collect(branch, here) for branch in argument[1]], key=bool)
                case "MAX_REPEAT" | "MIN_REPEAT" | "POSSESSIVE_REPEAT" | "SUBPATTERN":
                    text += self.collect(argument[-1], here)
                case "ATOMIC_GROUP":
                    text += self.collect(argument, here)
                case "ASSERT" | "ASSERT_NOT":
                    self.collect(argument[1], here)
        self.befores[before] = self.befores[before + text] = self.pumps[text] = None
        return text


def _members(tree: Any) -> tuple[list[str], str]:
    """Return some characters that the set matches, and one that it does not."""
    matches = _compiler.compile(tree).fullmatch
    members = list(filter(matches, CHARS)) or [next(filter(matches, map(chr, range(0x110000))))]
    return members[:MOST_MEMBERS], next((char for char in CHARS if char not in members), "\n")


def needs_newer_python(pattern: re.Pattern[Any]) -> bool:
    """Return True if Python before 3.11.5 may match the pattern wrongly, because of a possessive repeat of a group.

    https://github.com/python/cpython/issues/106052
    """
    return _is_partial(_parser.parse(pattern.pattern, pattern.flags), False)


def _is_partial(part: Any, is_repeated: bool) -> bool:
    if isinstance(part, tuple) and part and isinstance(part[0], int):
        name = str(part[0])
        if is_repeated and name in PARTIAL:
            return True
        is_repeated = is_repeated or name == "POSSESSIVE_REPEAT"
    children = part if isinstance(part, (list, tuple, _parser.SubPattern)) else ()
    return any(_is_partial(child, is_repeated) for child in children)
