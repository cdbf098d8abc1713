"""Media types in a request's headers: what its body is, and which of the types on offer it likes best.

https://www.rfc-editor.org/rfc/rfc9110#name-media-type

Not by `email.message`, which reads RFC 2231's `q*=` and `charset*1=` as well, and fails at some of them.
"""

import re
from collections.abc import Sequence
from itertools import islice

# No client sends as many. What comes after them counts as not there.
MAX_RANGES, MAX_PARAMETERS = 50, 10
# Nothing before the value crosses a semicolon, so that a header of any length is read in one go.
PARAMETER = re.compile(r';\s*([^\s;=]+)\s*=\s*("(?:[^"\\]|\\.)*"|[^;]*)')
# `q=.2` is no weight by the book, but Java's.
WEIGHT = re.compile(r"[0-9]{1,9}(?:\.[0-9]{0,9})?|\.[0-9]{1,9}")


def media_type(text: str) -> tuple[str, dict[str, str]]:
    """The media type and its parameters, of which the first of a name counts; all in small letters."""
    name = text.partition(";")[0].strip().lower()
    parameters: dict[str, str] = {}
    for found in islice(PARAMETER.finditer(text), MAX_PARAMETERS):
        parameters.setdefault(found[1].lower(), found[2].strip().strip('"').lower())
    return name, parameters


def best(accept: str, offers: Sequence[str]) -> str | None:
    """The offer that an Accept header likes best, the first of equals; None where it will have none of them.

    Without a header anything will do. What cannot be read in it counts as not there.
    """
    texts = accept.split(",", MAX_RANGES)[:MAX_RANGES]
    ranges = list(filter(None, map(_range, texts))) if accept.strip() else [("*/*", 1.0)]
    liking = {offer: _liking(offer, ranges) for offer in offers}
    liked = max(offers, key=lambda offer: liking[offer])
    return liked if liking[liked] > 0 else None


def _range(text: str) -> tuple[str, float] | None:
    """A media range and its weight, from 0 to 1."""
    name, parameters = media_type(text)
    weight = parameters.get("q", "1")
    return (name, min(float(weight), 1.0)) if WEIGHT.fullmatch(weight) else None


def _liking(offer: str, ranges: Sequence[tuple[str, float]]) -> float:
    """The weight of the most specific range that the offer is in."""
    for name in (offer, f"{offer.partition('/')[0]}/*", "*/*"):
        weights = [weight for range_, weight in ranges if range_ == name]
        if weights:
            return max(weights)
    return 0.0
