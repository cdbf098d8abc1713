"""Regular expressions: each takes at most linear time for any text."""

import re

import pytest

from tests.support.patterns import Use, uses


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
