"""Content negotiation: the media type of a request's body, and the one that it prefers for the response.

https://www.rfc-editor.org/rfc/rfc9110#name-media-type

This does not use `email.message`, which also reads `q*=` and `charset*1=` (RFC 2231), and fails on some of them.
"""

import re
from collections.abc import Sequence
from itertools import islice

# No client sends more than these. Any others are ignored.
MAX_RANGES, MAX_PARAMETERS = 50, 10
# Nothing before the value matches a semicolon, so the time grows linearly with the length of the header.
PARAMETER = re.compile(r';\s*([^\s;=]+)\s*=\s*("(?:[^"\\]|\\.)*"|[^;]*)')
# RFC 9110 does not allow `q=.2`, but Java sends it.
WEIGHT = re.compile(r"[0-9]{1,9}(?:\.[0-9]{0,9})?|\.[0-9]{1,9}")


def media_type(text: str) -> tuple[str, dict[str, str]]:
    """Return the media type and its parameters in lower case. Of repeated parameters, the first counts."""
    name = text.partition(";")[0].strip().lower()
    parameters: dict[str, str] = {}
    for found in islice(PARAMETER.finditer(text), MAX_PARAMETERS):
        parameters.setdefault(found[1].lower(), found[2].strip().strip('"').lower())
    return name, parameters


def best(accept: str, offers: Sequence[str]) -> str | None:
    """Return the offer that the Accept header prefers, the first of equals, or None if it accepts none of them.

    A missing header accepts everything. Invalid parts of it are ignored.
    """
    texts = accept.split(",", MAX_RANGES)[:MAX_RANGES]
    ranges = list(filter(None, map(_range, texts))) if accept.strip() else [("*/*", 1.0)]
    weights = {offer: _weight(offer, ranges) for offer in offers}
    preferred = max(offers, key=lambda offer: weights[offer])
    return preferred if weights[preferred] > 0 else None


def _range(text: str) -> tuple[str, float] | None:
    """Return the media range and its weight, from 0 to 1, or None if the weight is invalid."""
    name, parameters = media_type(text)
    weight = parameters.get("q", "1")
    return (name, min(float(weight), 1.0)) if WEIGHT.fullmatch(weight) else None


def _weight(offer: str, ranges: Sequence[tuple[str, float]]) -> float:
    """Return the weight of the most specific range that contains the offer."""
    for name in (offer, f"{offer.partition('/')[0]}/*", "*/*"):
        weights = [weight for range_, weight in ranges if range_ == name]
        if weights:
            return max(weights)
    return 0.0
