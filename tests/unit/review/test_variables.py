"""The expansion of variables."""

import pytest

from app.review.variables import LONGEST, expand

VARIABLES = {"A": "a", "AA": "aab", "EMPTY": "", "UNSET": None}


@pytest.mark.parametrize(
    ("text", "expanded"),
    [
        ("plain", "plain"),
        ("$A", "a"),
        ("${A}b$A", "aba"),
        ("$Ab", None),
        ("${MISSING}", None),
        ("$UNSET", None),
        ("${A:-x}", "a"),
        ("${MISSING:-x}", "x"),
        ("${MISSING-x}", "x"),
        ("${EMPTY:-x}", "x"),
        ("${EMPTY-x}", ""),
        ("${MISSING:-$A}", "a"),
        ("${MISSING:-$UNSET}", None),
        ("${A:+x}", "x"),
        ("${MISSING:+x}", None),
        ("${A:+}", ""),
        ("${A+$A$A}", "aa"),
        ("${A:+$UNSET}", None),
        ("${EMPTY:+x}", ""),
        ("${EMPTY+x}", "x"),
        ("${A:?needed}", "a"),
        ("${A#x}", None),
        ("${A##x}", None),
        ("${A%x}", None),
        ("${A%%x}", None),
        ("${A/x/y}", "a"),
        ("${A/a/b/c}", "b/c"),
        ("${AA/a/x}", "xab"),
        ("${AA//a/x}", "xxb"),
        ("${AA/a/}", "ab"),
        ("${A/*/x}", None),
        ("${A/\\a/x}", None),
        ("${UNSET/a/x}", None),
        ("${A:-${B}}", None),
        ("${MISSING:-${A}}", None),
        ("${MISSING:-${A:-x}}", None),
        ("$", None),
        ("$A" * LONGEST, None),
        ("a" * LONGEST, "a" * LONGEST),
        ("a" * (LONGEST + 1), None),
    ],
)
def test_text_is_known_if_its_variables_are(text: str, expanded: str | None) -> None:
    assert expand(text, VARIABLES) == expanded
