"""Content negotiation."""

import pytest

from app.negotiation import best

OFFERS = ["application/json", "text/plain", "application/sarif+json"]


@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        ("", "application/json"),
        ("*/*", "application/json"),
        ("application/*", "application/json"),
        ("text/plain", "text/plain"),
        ("text/*", "text/plain"),
        ("TEXT/Plain; charset=utf-8", "text/plain"),
        ("application/sarif+json", "application/sarif+json"),
        ("text/html, application/xhtml+xml, */*;q=0.8", "application/json"),
        ("text/plain;q=0.5, application/json;q=0.4", "text/plain"),
        ("application/json;q=0, */*", "text/plain"),
        ("*/*;q=0.1, text/plain;q=0.1", "application/json"),  # of equals the first
        ("text/plain;q=nonsense, application/sarif+json", "application/sarif+json"),
        ("text/plain;q=7", "text/plain"),
        ("text/html", None),
        ("application/json;q=0", None),
        ("*/*;q=0", None),
        ("nonsense", None),
        (",", None),
    ],
)
def test_the_offer_is_the_one_that_is_liked_best(accept: str, expected: str | None) -> None:
    assert best(accept, OFFERS) == expected
