"""Regular expressions: each takes at most linear time for any text, and every supported Python matches it alike."""

import re

import pytest

from tests.support.patterns import Use, needs_newer_python, uses


@pytest.mark.parametrize("use", uses(), ids=str)
def test_time_of_a_pattern_grows_linearly(use: Use) -> None:
    assert use.slow() is None


@pytest.mark.parametrize(
    ("pattern", "is_slow"),
    [
        (r"[ab]+", False),
        (r"\Aa*b", False),
        (r"a*a*b", True),
        (r"(a|a)*b", True),
        (r"(ab?c?d?)*e", True),
        (r"\b[a-z.]*!", True),
    ],
)
def test_slow_patterns_are_found(pattern: str, is_slow: bool) -> None:
    assert bool(Use(re.compile(pattern), "search", "").slow()) is is_slow


def test_every_supported_python_matches_the_patterns_alike() -> None:
    assert [str(use) for use in uses() if needs_newer_python(use.pattern)] == []


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [(r"(?:[ab]|\\.)*+", False), (r"(?>(?:a++b)*)", False), (r"(?:a++b)*+", True), (r"x(?:a|\$(?!b))++", True)],
)
def test_patterns_that_need_a_newer_python_are_found(pattern: str, expected: bool) -> None:
    assert needs_newer_python(re.compile(pattern)) is expected
