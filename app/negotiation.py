"""Content negotiation: which of the media types on offer a request's Accept header likes best.

https://www.rfc-editor.org/rfc/rfc9110#name-accept
"""

from collections.abc import Sequence
from email.message import Message


def best(accept: str, offers: Sequence[str]) -> str | None:
    """The offer that the header likes best, the first of equals; None where it will have none of them.

    Without a header anything will do. What cannot be read in it counts as not there.
    """
    ranges = list(filter(None, map(_range, accept.split(",")))) if accept.strip() else [("*/*", 1.0)]
    liking = {offer: _liking(offer, ranges) for offer in offers}
    liked = max(offers, key=lambda offer: liking[offer])
    return liked if liking[liked] > 0 else None


def _range(text: str) -> tuple[str, float] | None:
    """A media range and its weight, from 0 to 1."""
    header = Message()
    header["Accept"] = text.strip()
    name = text.partition(";")[0].strip().lower()
    try:
        return name, min(max(float(header.get_param("q", "1", "Accept")), 0.0), 1.0)  # type: ignore[arg-type]
    except ValueError:
        return None


def _liking(offer: str, ranges: Sequence[tuple[str, float]]) -> float:
    """The weight of the most specific range that the offer is in."""
    for name in (offer, f"{offer.partition('/')[0]}/*", "*/*"):
        weights = [weight for range_, weight in ranges if range_ == name]
        if weights:
            return max(weights)
    return 0.0
