"""The service beside its own description: every answer is one that /openapi.json announces.

Schemathesis makes up the requests, from a seed that never changes: what fits the schema, what does not, and the
methods that it does not name. https://schemathesis.readthedocs.io
"""

import os
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
import schemathesis
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.configuration import set_hypothesis_home_dir

from app.middleware import DEFAULT_HEADERS
from app.routes.reviews import FORMATS, MEDIA_TYPES
from tests.review.test_properties import dockerfiles, patterns, texts, tried

# What it keeps from run to run has no place in the tree.
set_hypothesis_home_dir(Path(tempfile.gettempdir(), "hypothesis"))

# So that neither an update nor a new setting makes fewer of them unseen.
FEWEST_CASES, FEWEST_REVIEWS = 2000, 300
CONFIG = {
    "seed": 1,
    "generation": {"deterministic": True, "max-examples": 500},
    "phases": {
        # An earlier answer would change what is asked later, and with it the seed's promise.
        "fuzzing": {"extra-data-sources": {"responses": False}, "error-feedback": {"enabled": False}},
        "coverage": {"extra-data-sources": {"responses": False}},
    },
    "checks": {
        # The schema says that a Dockerfile is text; that it is none, though text, is told with 422.
        "positive_data_acceptance": {"expected-statuses": ["2xx", "404", "422"]},
        # Nothing asks for a login, makes resources, or needs a header.
        "ignored_auth": {"enabled": False},
        "object_level_authorization": {"enabled": False},
        "use_after_free": {"enabled": False},
        "ensure_resource_availability": {"enabled": False},
        "missing_required_header": {"enabled": False},
    },
    "operations": [
        {"include-operation-id": "create_api_reviews_post", "generation": {"max-examples": 2000}},
    ],
}


# Read while the tests are collected: Schemathesis' way to take it from a fixture fails with pytest 9.
schema = schemathesis.openapi.from_url(
    f"{os.environ['PAGE_URL']}/openapi.json", config=schemathesis.Config.from_dict(CONFIG)
)


@pytest.fixture(scope="module")
def session() -> Iterator[requests.Session]:
    """A connection for all requests."""
    with requests.Session() as session:
        session.headers.clear()  # they would go before a case's own
        yield session


@pytest.fixture(scope="module")
def answers() -> Iterator[Counter[tuple[str, int]]]:
    """How often each operation was answered with each status: in the end often enough."""
    answers: Counter[tuple[str, int]] = Counter()
    yield answers
    assert answers.total() >= FEWEST_CASES, answers
    assert answers["POST /api/reviews", 200] >= FEWEST_REVIEWS, answers
    assert {status for path, status in answers if path == "POST /api/reviews"} == {200, 400, 405, 406, 415, 422}


REVIEWS = schema["/api/reviews"]["POST"]
FRAGMENTS = [*';,=*"\\/q', "''", "charset", "utf-8", "gzip", "text/plain", "application/json", "9" * 5000, "\xff", "; "]


def is_utf8(text: str) -> bool:
    """Whether the text can be sent at all."""
    return "\ud800" not in text


def named_status(_: schemathesis.CheckContext, response: schemathesis.Response, case: schemathesis.Case[Any]) -> None:
    """The status is among those that the operation names: `default` is there for what no operation can foresee."""
    named = {"405"} if response.request.method != case.operation.method.upper() else set()
    named |= set(case.operation.definition.raw["responses"]) - {"default"}
    assert str(response.status_code) in named


def shared_headers(_: schemathesis.CheckContext, response: schemathesis.Response, __: schemathesis.Case[Any]) -> None:
    """The answer has the headers that every answer has, and a problem tells the id that is in them."""
    assert {name.decode() for name in DEFAULT_HEADERS} | {"x-request-id", "content-length"} <= set(response.headers)
    if response.status_code >= 400:
        assert response.headers["content-type"] == ["application/problem+json"]
        assert response.json()["request_id"] == response.headers["x-request-id"][0]


def ask(case: schemathesis.Case[Any], session: requests.Session, answers: Counter[tuple[str, int]]) -> None:
    """Send the request, see that its answer is as documented, and count it."""
    response = case.call(session=session, timeout=30, allow_redirects=False)
    answers[case.operation.label, response.status_code] += 1
    case.validate_response(response, additional_checks=[named_status, shared_headers])


@schema.parametrize()
def test_every_answer_is_as_the_schema_says(
    case: schemathesis.Case[Any], session: requests.Session, answers: Counter[tuple[str, int]]
) -> None:
    ask(case, session, answers)


# The schema calls a Dockerfile a text, and no text that it leads to is one.
@settings(tried, max_examples=1000)
@given(
    accept=st.sampled_from([*FORMATS, "*/*", "text/*, application/*;q=0.1", "text/html"]),
    media_type=st.sampled_from(MEDIA_TYPES),
    dockerfile=dockerfiles.map("FROM a\n{}".format) | texts.filter(is_utf8),
    dockerignore=st.just({}) | st.builds(lambda text: {"dockerignore": text}, st.none() | patterns),
)
def test_every_review_is_as_the_schema_says(
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


@settings(tried, max_examples=300)
@given(
    name=st.sampled_from(["Accept", "Content-Encoding", "Content-Type", "Expect", "Origin", "X-Request-ID"]),
    value=st.lists(st.sampled_from(FRAGMENTS)).map("".join),
)
def test_no_header_makes_the_service_fail(
    session: requests.Session, answers: Counter[tuple[str, int]], name: str, value: str
) -> None:
    ask(REVIEWS.Case(body=b"FROM a", media_type="text/plain", headers={name: value}), session, answers)
