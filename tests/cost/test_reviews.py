"""The cost of a review, even of a hostile Dockerfile: its CPU time and the size of the response."""

import json
import time
import tracemalloc
from contextlib import suppress
from functools import cache
from itertools import product

import pytest

from app.review import pipe
from app.review.report import review
from app.review.rules.files import ADDRESS
from app.review.rules.start import REPLACED
from app.review.syntax import LONGEST_NAME, MOST_INSTRUCTIONS, MOST_WORDS, WORD_OR_SYMBOL, DockerfileError
from app.settings import Settings
from app.worker import MOST_BYTES
from tests.support.patterns import Use

# A decimal digit that takes two bytes, and six in JSON.
THREE = "\N{ARABIC-INDIC DIGIT THREE}"
# The beginning of a Dockerfile that the steps below refer to: names of any length, texts, commands, stages.
LENGTHS = (LONGEST_NAME, 60_000)
BASE = "FROM python:3.12-slim AS a\n"
COMMANDS = {
    "project": "uv sync",
    "tool": "pytest",
    "packages": "pip install uvicorn",
    "requirements": "pip install --user -r requirements.txt",
}
SHELL = "RUN --mount=type=cache,target=/root/.cache/pip <<E\n{}E\n"
STARTS = {
    "nothing": BASE,
    **{f"an image of {length}": f"FROM python:3.12-slim-{'a' * length} AS a\n" for length in LENGTHS},
    **{f"a stage of {length}": f"FROM python:3.12-slim AS {'a' * length}\n" for length in LENGTHS},
    **{f"a user of {length}": f"{BASE}USER {'a' * length}\n" for length in LENGTHS},
    **{f"a folder of {length}": f"{BASE}WORKDIR {'/a' * (length // 2)}\n" for length in LENGTHS},
    **{
        f"{name} of {length}": f"{BASE}ENV {name}={'/root/a' * (length // 7)}\nUSER 1\n"
        for length in LENGTHS
        for name in ("HOME", "PATH", "PIP_CACHE_DIR", "VIRTUAL_ENV")
    },
    "stages": BASE + "".join(f"FROM {'b' * n or 'a'} AS {'b' * (n + 1)}\n" for n in range(90)),
    **{f"{name}, often": BASE + SHELL.format(f"{command}\n" * 900) for name, command in COMMANDS.items()},
    **{
        f"{name}, often, in another stage": BASE + SHELL.format(f"{command}\n" * 900) + "FROM python:3.12-slim\n"
        for name, command in COMMANDS.items()
    },
    "no cache": f"{BASE}ENV PIP_NO_CACHE_DIR=1 UV_NO_CACHE=1\n",
}
STEPS = {
    "installations": "RUN pip install -r requirements.txt\n"
    "RUN --mount=type=cache,target=/root/.cache/pip,uid=1 pip install --user uvicorn",
    "commands": "RUN adduser a; chown -R a b\nENV A=$A$A TOKEN=a",
    "copies": "COPY requirements.txt .\nCOPY --exclude=a . .",
    "folders": "COPY --from=a /root/.local /root/.local\nWORKDIR a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a",
}
# The parts that one instruction can repeat.
INSTRUCTIONS = {
    "files": ("COPY ", "requirements.txt ", "/a" * 10_000),
    "mounts": ("RUN ", "--mount=type=cache,target=/a ", "pip install a"),
    "options of a mount": ("RUN --mount=", "type=cache,", "target=/a pip install a"),
    "variables": ("ENV ", "A=$A$A ", "B=1"),
    "heredocs": ("RUN cat ", "<<E ", "\n" + "E\n" * 3000),
    "brackets": ("HEALTHCHECK CMD ", "[", ""),
    "closed brackets": ("CMD ", "[", "]" * 4000),
    "shells": ("CMD ", "sh -c '", ""),
    "commands without a cache": (
        f"ENV PIP_NO_CACHE_DIR=1\n{SHELL.split('{')[0]}",
        "pip install uvicorn\n",
        "E",
    ),
    "commands beside a mount": (f"RUN --mount=type=cache,target=/uv{'/a' * 29_000} <<E\n", "pip install\n", "E"),
    "files that are installed from": ("COPY requirements.txt .\n" * 50 + "RUN <<E\n", "pip install -r a\n", "E"),
}


def body(start: str, unit: str, end: str, most: int) -> str:
    """Return the longest text that is accepted, made of a start, a repeated unit and an end."""
    room = Settings().max_body_bytes - len(start + end)
    words = MOST_WORDS - 100 - len(WORD_OR_SYMBOL.findall(start + end))
    each = max(1, len(WORD_OR_SYMBOL.findall(unit)))
    return start + unit * min(room // len(unit), words // each, most) + end


def seconds(text: str, media_type: str) -> float:
    """Return the CPU time of the review."""
    start = time.process_time()
    answer = pipe.answer(media_type, text, "")
    taken = time.process_time() - start
    assert "failure" not in answer
    assert len(answer.get("review", "")) < MOST_BYTES // 2
    return taken


@cache
def plain_seconds() -> float:
    """Return the CPU time of the review of the maximum number of plain instructions."""
    plain = body(BASE, "RUN pip install a\n", "", MOST_INSTRUCTIONS - 1)
    return max(seconds(plain, media_type) for media_type in pipe.MEDIA_TYPES)


def slow(text: str, media_type: str) -> bool:
    """Return True if the review takes more than three times as long as one of plain instructions."""
    return all(seconds(text, media_type) > 3 * plain_seconds() for _ in range(3))


@pytest.mark.parametrize(("start", "steps"), list(product(STARTS, STEPS)))
def test_no_step_is_slow_below_any_other(start: str, steps: str) -> None:
    most = (MOST_INSTRUCTIONS - 10 - STARTS[start].count("\nFROM")) // 2
    text = body(STARTS[start], f"{STEPS[steps]}\n", "CMD a\n", most)
    assert not slow(text, list(pipe.MEDIA_TYPES)[len(start) % 3])


@pytest.mark.parametrize("name", INSTRUCTIONS)
def test_no_instruction_is_slow_whatever_it_repeats(name: str) -> None:
    start, unit, end = INSTRUCTIONS[name]
    assert not slow(body(BASE + start, unit, f"{end}\n", 60_000 // len(unit)), "application/json")


@pytest.mark.parametrize(
    ("dockerfile", "dockerignore"),
    [
        ("RUN pip install a\n", "a\n"),
        ("RUN a \\\n", "**\n!**\n"),
        ("RUN <<E\npip install a\nE\n", "?[a-z]*\n"),
        ("RUN <<E\ncat <<F\na\nF\nE\n", ""),
        ("FROM x AS x\nCOPY . .\n", "#"),
        ("FROM python:3 AS x\nCOPY . .\nRUN pip install a\n", "[a]"),
        ("ENV A=$A$A\n", "*"),
        ("COPY . .\n", "**/"),
        ("COPY --exclude=a . .\n", "*?"),
        ("RUN $(", ""),
        ("RUN '\"", ""),
        ('RUN ["a", "b"]\n', ""),
        ("RUN --mount=type=cache,target=x pip install a;", ""),
        ("RUN apt-get update\n", ""),
    ],
)
def test_time_is_linear_in_the_length(dockerfile: str, dockerignore: str) -> None:
    def least_seconds(count: int) -> float:
        """Return the minimum CPU time of three runs."""
        text = "FROM python:3 AS x\nCOPY . .\n" + dockerfile * count
        ignore = dockerignore * count
        times = []
        for _ in range(3):
            start = time.process_time()
            with suppress(DockerfileError):  # a limit is exceeded
                review(text, ignore)
            times.append(time.process_time() - start)
        return min(times)

    # Sixteen times the text takes about sixteen times as long. Quadratic time would be 256 times as long.
    assert least_seconds(640) < 80 * least_seconds(40)


@pytest.mark.parametrize("media_type", pipe.MEDIA_TYPES)
@pytest.mark.parametrize(
    "text",
    [
        f"ENV HOME=/h\nUSER {THREE * 4096}\n" + "RUN pip install;uv sync;pdm sync;poetry sync;pipenv sync\n" * 600,
        f"USER {'é' * 4096}\n" + "RUN useradd b\n" * 990,
        f"ENV A={'é' * 1024}\n" + "USER $A\n" * 990,
        f"RUN pip install {'--no-cache-dir;' * 50}\n" * 90,
        "RUN source a; true\n" * 990,
    ],
    ids=["a number", "a user", "a variable", "edits", "short edits"],
)
def test_answer_to_a_hostile_text_is_bounded(media_type: str, text: str) -> None:
    answer = pipe.answer(media_type, f"FROM python:3.12-slim\n{text}", "")
    assert "review" in answer
    assert len(json.dumps(answer)) < MOST_BYTES // 2


def test_largest_answer_has_a_few_megabytes() -> None:
    text = f"FROM python:3.12-slim-{'a' * 4000} AS {'b' * 4000}\n" + "RUN adduser a\n" * 900
    assert len(pipe.answer("application/json", text, None)["review"]) < 8_000_000


def test_paths_of_different_characters_take_little_memory() -> None:
    letters = "".join(filter(str.isalpha, map(chr, range(0x3400, 0xD7A3))))[:40_000]
    # No name and no line is too long.
    names = " \\\n".join(letters[at : at + 1300] for at in range(0, len(letters), 1300))
    tracemalloc.start()
    try:
        answer = pipe.answer("text/plain", f"{BASE}COPY {names} b/\n", "a\n")
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert "review" in answer
    assert peak < 20_000_000


@pytest.mark.parametrize(
    ("use", "pump"),
    [
        (Use(REPLACED, "search", "start"), "a=(( "),
        (Use(ADDRESS, "finditer", "files"), "a."),
        (Use(ADDRESS, "finditer", "files"), "a://b:"),
    ],
    ids=str,
)
def test_pattern_that_may_begin_within_its_own_match_is_linear(use: Use, pump: str) -> None:
    assert not use.is_slow(("", pump, ""))
