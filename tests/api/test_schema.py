"""The OpenAPI description: every response matches it.

Schemathesis generates the requests from a fixed seed: valid ones, invalid ones, and methods that are not documented.
https://schemathesis.readthedocs.io
"""

from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
import requests
import schemathesis
from hypothesis import given, settings
from hypothesis import strategies as st

from deploy.load import REQUESTS, Request, read
from tests.api.described import ask, assert_shared_headers, schema, tried

FRAGMENTS = [*';,=*"\\/q', "''", "charset", "utf-8", "gzip", "text/plain", "application/json", "9" * 5000, "\xff", "; "]


@pytest.fixture(scope="module")
def answers() -> Iterator[Counter[tuple[str, int]]]:
    """Count the responses by operation and status. At the end, each operation must have succeeded and failed.

    An operation need not have succeeded if that depends on more than the schema: a path parameter names something that
    may not exist, and some operations need a login, or something else to exist before.
    """
    answers: Counter[tuple[str, int]] = Counter()
    yield answers
    found = {(operation, status // 100) for operation, status in answers}
    operations = [f"{method.upper()} {path}" for path, item in schema.raw_schema["paths"].items() for method in item]
    assert operations
    assert [one for one in operations if (one, 4) not in found] == [], answers
    depending = {operation for operation, status in answers if status in {401, 403, 404, 409}}
    required = [one for one in operations if "{" not in one and one not in depending]
    assert [one for one in required if (one, 2) not in found] == [], answers


@schema.parametrize()
def test_every_response_matches_the_schema(
    case: schemathesis.Case[Any], session: requests.Session, answers: Counter[tuple[str, int]]
) -> None:
    ask(case, session, answers)


@settings(tried, max_examples=300)
@given(
    request=st.sampled_from(read(REQUESTS)),
    name=st.sampled_from(["Accept", "Content-Encoding", "Content-Type", "Expect", "Origin", "X-Request-ID"]),
    value=st.lists(st.sampled_from(FRAGMENTS)).map("".join),
)
def test_no_header_causes_a_500(session: requests.Session, url: str, request: Request, name: str, value: str) -> None:
    response = session.request(
        request.method,
        url + request.path,
        data=request.body.encode() or None,
        headers=request.headers | {name: value.encode("latin-1")},
        timeout=30,
    )
    assert response.status_code < 500
    assert_shared_headers(schemathesis.Response.from_requests(response, verify=False))
