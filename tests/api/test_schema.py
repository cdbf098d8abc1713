"""The service beside its own description: every answer is one that /openapi.json announces.

Schemathesis makes up the requests, from a seed that never changes: what fits the schema, what does not, and the
methods that it does not name. https://schemathesis.readthedocs.io
"""

import json
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
import requests
import schemathesis
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.api.described import ask, schema, tried
from tests.service import BODY, FEWEST_CASES, POST

FRAGMENTS = [*';,=*"\\/q', "''", "charset", "utf-8", "gzip", "text/plain", "application/json", "9" * 5000, "\xff", "; "]


@pytest.fixture(scope="module")
def answers() -> Iterator[Counter[tuple[str, int]]]:
    """How often each operation was answered with each status: in the end often enough."""
    answers: Counter[tuple[str, int]] = Counter()
    yield answers
    assert answers.total() >= FEWEST_CASES, answers
    assert {200, 405, 422} <= {status for path, status in answers if path == f"POST {POST}"}


@schema.parametrize()
def test_every_answer_is_as_the_schema_says(
    case: schemathesis.Case[Any], session: requests.Session, answers: Counter[tuple[str, int]]
) -> None:
    ask(case, session, answers)


@settings(tried, max_examples=300)
@given(
    name=st.sampled_from(["Accept", "Content-Encoding", "Content-Type", "Expect", "Origin", "X-Request-ID"]),
    value=st.lists(st.sampled_from(FRAGMENTS)).map("".join),
)
def test_no_header_makes_the_service_fail(
    session: requests.Session, answers: Counter[tuple[str, int]], name: str, value: str
) -> None:
    case = schema[POST]["POST"].Case(body=json.loads(BODY), media_type="application/json", headers={name: value})
    ask(case, session, answers)
