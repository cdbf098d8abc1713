"""Reviews of generated Dockerfiles: the responses match the OpenAPI description."""

from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
import requests
from hypothesis import given, settings
from hypothesis import strategies as st

from app.review.pipe import MEDIA_TYPES as FORMATS
from app.routes.reviews import MEDIA_TYPES
from tests.api.described import ask, schema, tried
from tests.support.dockerfiles import dockerfiles, hostile, patterns, texts

REVIEWS = schema["/api/reviews"]["POST"]


@pytest.fixture(scope="module")
def answers() -> Iterator[Counter[tuple[str, int]]]:
    """Count the responses by status, and check at the end that all kinds occurred."""
    answers: Counter[tuple[str, int]] = Counter()
    yield answers
    assert answers["POST /api/reviews", 200] >= 200, answers
    assert {status for _, status in answers} == {200, 406, 422}


def is_utf8(text: str) -> bool:
    """Return True if the text can be sent."""
    return "\ud800" not in text


@settings(tried, max_examples=1000)
@given(
    accept=st.sampled_from([*FORMATS, "*/*", "text/*, application/*;q=0.1", "text/html"]),
    media_type=st.sampled_from(MEDIA_TYPES),
    dockerfile=dockerfiles.map("FROM a\n{}".format) | hostile | texts.filter(is_utf8),
    dockerignore=st.just({}) | st.builds(lambda text: {"dockerignore": text}, st.none() | patterns),
)
def test_every_review_matches_the_schema(
    session: requests.Session,
    answers: Counter[tuple[str, int]],
    accept: str,
    media_type: str,
    dockerfile: str,
    dockerignore: dict[str, str | None],
) -> None:
    as_json = media_type == "application/json"
    body: Any = {"dockerfile": dockerfile, **dockerignore} if as_json else dockerfile.encode()
    ask(REVIEWS.Case(body=body, media_type=media_type, headers={"Accept": accept}), session, answers)
