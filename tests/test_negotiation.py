"""Media types in a request's headers."""

import pytest

from app.negotiation import best, media_type

OFFERS = ["application/json", "text/plain", "application/sarif+json"]


@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        pytest.param("", "application/json", id="no header: the first"),
        pytest.param("*/*", "application/json", id="anything: the first"),
        pytest.param("text/plain", "text/plain", id="one"),
        pytest.param("Application/SARIF+JSON", "application/sarif+json", id="capitals"),
        pytest.param("text/*", "text/plain", id="a family"),
        pytest.param("application/*;q=0.5, text/plain;q=0.4", "application/json", id="weights"),
        pytest.param("application/json;q=0, */*", "text/plain", id="the more specific range counts"),
        pytest.param("text/plain, application/json", "application/json", id="equals: the first on offer"),
        pytest.param("text/html, *; q=.2, */*; q=.2", "application/json", id="what Java sends"),
        pytest.param('text/plain;format="flowed";q="1"', "text/plain", id="parameters and quotes"),
        pytest.param("application/json;q=9, text/plain", "application/json", id="more than 1 is 1"),
        pytest.param("text/html", None, id="another type"),
        pytest.param("*/*;q=0", None, id="nothing"),
        pytest.param("*/*;q=nan", None, id="a weight that is no number"),
        pytest.param("*/*;q=-1, text/plain", "text/plain", id="an unreadable range counts as not there"),
        pytest.param("application/json;q*=utf-8''0.5", "application/json", id="a parameter of RFC 2231 is another one"),
        pytest.param(";,=,*,\xff;q", None, id="nonsense"),
    ],
)
def test_the_offer_that_is_liked_best_is_chosen(accept: str, expected: str | None) -> None:
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
