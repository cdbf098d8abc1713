"""Content negotiation: the media type of a body, and the preferred one of a response."""

import pytest

from app.negotiation import best, media_type

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
        ("*/*;q=0.1, text/plain;q=0.1", "application/json"),  # the first of equals
        ("text/plain;q=nonsense, application/sarif+json", "application/sarif+json"),
        ("text/plain;q=7", "text/plain"),
        ("text/plain;q=7, application/json", "application/json"),  # weights above 1 count as 1
        ("*/*;q=-1, text/plain", "text/plain"),
        ("text/html, *; q=.2, */*; q=.2", "application/json"),  # from Java
        ('text/plain;format="flowed";q="1"', "text/plain"),
        ("application/json;q*=utf-8''0.5", "application/json"),  # email.message would read it as q
        (",".join(["a/b"] * 49 + ["text/plain"]), "text/plain"),
        (",".join(["a/b"] * 50 + ["text/plain"]), None),  # more than the maximum
        ("text/plain" + ";a=b" * 10 + ";q=0", "text/plain"),
        ("*/*;q=nan", None),
        (";,=,*,\xff;q", None),
        ("text/html", None),
        ("application/json;q=0", None),
        ("*/*;q=0", None),
        ("nonsense", None),
        (",", None),
    ],
)
def test_best_is_the_offer_with_the_highest_weight(accept: str, expected: str | None) -> None:
    assert best(accept, OFFERS) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("text/plain", ("text/plain", {})),
        (' Text/Plain ; Charset = "UTF-8" ', ("text/plain", {"charset": "utf-8"})),
        ('text/plain;a="b;c=d";charset=utf-8', ("text/plain", {"a": "b;c=d", "charset": "utf-8"})),
        ("text/plain;charset=utf-16;charset=utf-8", ("text/plain", {"charset": "utf-16"})),
        ('text/plain;charset="', ("text/plain", {"charset": ""})),
        ("", ("", {})),
        (";charset=utf-8", ("", {"charset": "utf-8"})),
    ],
)
def test_a_media_type_is_a_name_with_parameters(text: str, expected: tuple[str, dict[str, str]]) -> None:
    assert media_type(text) == expected
