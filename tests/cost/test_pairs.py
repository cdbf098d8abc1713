"""The cost of a review grows with the sum of a Dockerfile's parts, not with their product.

Whatever a Dockerfile can repeat is repeated, above everything else that it can repeat.
"""

import time
from collections.abc import Callable
from functools import cache
from itertools import permutations
from typing import NamedTuple

import pytest

from app.review.dockerfile import MOST_STAGES, MOST_VARIABLES
from app.review.report import review
from app.review.syntax import MOST_INSTRUCTIONS, MOST_WORDS, WORD_OR_SYMBOL
from app.settings import Settings

# Two parts together have the most of these that is accepted.
WORDS, CHARACTERS = MOST_WORDS // 2 - 100, Settings().max_body_bytes // 2 - 1000
INSTRUCTIONS, STAGES, VARIABLES = MOST_INSTRUCTIONS // 2 - 20, MOST_STAGES // 2 - 5, MOST_VARIABLES // 2 - 10
# A part may take a tenth of what one that a review may take. Less is not measured.
LEAST_SECONDS = 0.03
MOST_GROWTH = 8
# Combine parts of this share of their length, to save time. In a quadratic review, they take 3 to 10 times as long
# together as alone.
SHARE, MOST_TOGETHER = 0.5, 2.5
# Words of one length with the same letters in another order take long to compare.
LETTERS = "aaaaaaaaaabbbbbbbbbbccccccccccdddddddddd"


class Part(NamedTuple):
    """A text that repeats a unit, in which {0} is a number, {1} the next one and {s} differs from stage to stage."""

    start: str
    unit: str
    end: str
    is_fresh: bool = False

    def text(self, name: str, share: float = 1) -> str:
        """Return the text: the longest that is accepted beside another part, or a share of it."""
        if not self.unit:
            return ""
        most = [WORDS // len(WORD_OR_SYMBOL.findall(self.unit)), CHARACTERS // (len(self.unit) + 4)]
        if not self.start and self.unit[:1].isalpha():
            most.append(INSTRUCTIONS // self.unit.count("\n"))
        if "FROM" in self.unit:
            most.append(STAGES)
        if self.start.startswith("ENV"):
            most.append(VARIABLES)
        units = []
        for number in range(int(min(most) * share)):
            word = f"{LETTERS[number % 40 :]}{LETTERS[: number % 40]}{number}"
            end = "\\\n" if number % 500 == 499 and not self.unit.endswith("\n") else ""
            units.append(self.unit.format(number, number + 1, s=name, word=word) + end)
        return self.start + "".join(units) + self.end


def commands(unit: str) -> Part:
    """Return a RUN with many commands."""
    return Part("RUN <<E\n", unit, "E\n")


def copies(unit: str) -> Part:
    """Return many COPY from the first stage into a stage on a fresh image."""
    return Part("", unit, "", is_fresh=True)


PARTS = {
    "nothing": Part("", "", ""),
    "comments": Part("", "#\n", ""),
    "stages": Part("", "FROM {s}{0} AS {s}{1}\nCOPY --from={s}{0} /x /y\n", ""),
    "stages on an image": Part("", "FROM python:3.12 AS {word}{s}\n", ""),
    "users": Part("", "USER b{0}\n", ""),
    "variables": Part("ENV ", "A{0}=1 ", "UV_NO_DEV=1 PIP_NO_CACHE_DIR=1\n"),
    "files": Part("", "COPY a{0} b\n", ""),
    "requirements": Part("", "COPY requirements.txt .\n", "RUN pip install -r requirements.txt\n"),
    "source": Part("", "COPY app .\nRUN pip install -r a\n", ""),
    "arrays": Part("", 'CMD ["a b"]\n', ""),
    "environments": Part("RUN python -m venv /v\nCMD ", "a;", "\n"),
    "anything": commands("cd\n"),
    "folders": commands("pip install --prefix=/p{0}\n"),
    "projects": commands("uv sync\n"),
    "packages": Part("FROM debian:bookworm AS debian\nRUN <<E\n", "apt-get install a\n", "E\n"),
    "mounts": Part("RUN ", "--mount=type=cache,target=/uv/a{0} ", "pip install a\n"),
    "misspelt stages": Part("RUN ", "--mount=from={word} ", "a\n"),
    "copies": copies("COPY --from=s0 /x /y\n"),
    "libraries": copies("COPY --from=s0 /x/lib /y\n"),
    "moved environments": copies("COPY --from=s0 /v /w{0}\n"),
}
# These parts are not combined with others.
ALONE = {
    "indented": Part(" " * 50_000 + "ENV ", "TOKEN{0}=a ", "A=1\n"),
    "owners": Part("", "COPY --chown=b{0} a b\n", ""),
    "installations": commands("pip install -r a\n"),
    "accounts": commands("adduser a{0}\n"),
    "sourced": Part("RUN source a && cat <<E\n", "source \n", "E\n"),
    "activated": Part("RUN ", "source a;", "a\n"),
    "development": Part("RUN pip install -r a ", "-r dev{0}.txt ", "\nCMD a\n"),
    "services": Part("CMD ", "uvicorn{0};", "\n"),
    "misspelt stages, often": Part("", "COPY --from={word} /a /b\n", ""),
    "sources": Part("COPY --from=s0 ", "/x{0} ", "/y/\n", is_fresh=True),
}
IGNORED = {"names": "{0}\n", "patterns": "*{0}*\n", "exceptions": "{0}?\n!{0}?\n"}


def dockerfile(first: Part, second: Part, share: float = 1) -> str:
    """Return the second part below the first one: in a stage of its own, on the first or on an image of its own."""
    if first.unit.startswith("#"):
        return f"{first.text('s', share)}FROM python:3.12-slim AS s0\nFROM s0 AS t0\n{second.text('t', share)}"
    above = "debian" if "AS debian" in first.start else "s0"
    base = "python:3.12-alpine" if second.is_fresh else above
    return f"FROM python:3.12-slim AS s0\n{first.text('s', share)}FROM {base} AS t0\n{second.text('t', share)}"


def dockerignore(kind: str) -> str:
    """Return a .dockerignore with the most words and signs that are accepted."""
    unit = IGNORED[kind]
    count = (MOST_WORDS - 10) // len(WORD_OR_SYMBOL.findall(unit))
    return "".join(unit.format(number) for number in range(min(count, CHARACTERS // (len(unit) + 4))))


def seconds(text: str, ignored: str) -> float:
    """Return the CPU time of the review, which must not be refused."""
    start = time.process_time()
    review(text, ignored)
    return time.process_time() - start


def is_slow(most: Callable[[], float], text: str, ignored: str = "") -> bool:
    """Return whether the review takes more than that CPU time, even if both are measured again."""
    for repeats in range(4):
        if seconds(text, ignored) <= max(LEAST_SECONDS, most()):
            return False
        if repeats:
            # The machine may have been faster when the parts were measured.
            seconds_of.cache_clear()
    return True


@cache
def seconds_of(name: str, place: int) -> float:
    """Return the CPU time of the review of a share of a part, alone at that place."""
    nothing = PARTS["nothing"]
    text = dockerfile(nothing, PARTS[name], SHARE) if place else dockerfile(PARTS[name], nothing, SHARE)
    return min(seconds(text, "") for _ in range(2))


@pytest.mark.parametrize("place", [0, 1])
@pytest.mark.parametrize("name", PARTS | ALONE)
def test_time_grows_with_the_length_of_a_part(name: str, place: int) -> None:
    nothing, part = PARTS["nothing"], (PARTS | ALONE)[name]
    first, second = (nothing, part) if place else (part, nothing)
    quarter = dockerfile(first, second, 0.25)
    assert not is_slow(lambda: MOST_GROWTH * min(seconds(quarter, "") for _ in range(2)), dockerfile(first, second))


# Two parts of one kind are as slow as a longer one, which the test above finds.
@pytest.mark.parametrize(("first", "second"), list(permutations(list(PARTS)[1:], 2)))
def test_time_grows_with_the_sum_of_two_parts(first: str, second: str) -> None:
    text = dockerfile(PARTS[first], PARTS[second], SHARE)
    assert not is_slow(lambda: MOST_TOGETHER * (seconds_of(first, 0) + seconds_of(second, 1)), text)


@cache
def seconds_with(kind: str) -> float:
    """Return the CPU time of the review of the .dockerignore, with paths to compare it with."""
    text = dockerfile(PARTS["nothing"], ALONE["sources"]) + "COPY . .\n"
    return min(seconds(text, dockerignore(kind)) for _ in range(2))


@pytest.mark.parametrize("kind", IGNORED)
@pytest.mark.parametrize("name", PARTS)
def test_time_grows_with_the_sum_of_a_part_and_the_dockerignore(name: str, kind: str) -> None:
    text = dockerfile(PARTS[name], PARTS["nothing"], SHARE)
    assert not is_slow(lambda: MOST_TOGETHER * (seconds_with(kind) + seconds_of(name, 0)), text, dockerignore(kind))
