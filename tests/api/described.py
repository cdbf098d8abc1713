"""The service's own description, /openapi.json, and requests that are held against it."""

import os
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

import requests
import schemathesis
from hypothesis import settings
from hypothesis.configuration import set_hypothesis_home_dir
from schemathesis.specs.openapi.checks import negative_data_rejection

from app.middleware import DEFAULT_HEADERS
from tests.service import EXAMPLES

# What it keeps from run to run has no place in the tree.
set_hypothesis_home_dir(Path(tempfile.gettempdir(), "hypothesis"))

# The requests are the same in each run, and some machines need long for one.
tried = settings(derandomize=True, database=None, deadline=None)
CONFIG = {
    "seed": 1,
    "generation": {"deterministic": True, "max-examples": EXAMPLES},
    "phases": {
        # An earlier answer would change what is asked later, and with it the seed's promise.
        "fuzzing": {"extra-data-sources": {"responses": False}, "error-feedback": {"enabled": False}},
        "coverage": {"extra-data-sources": {"responses": False}},
    },
    "checks": {
        # A schema does not say all: a value may not be valid, name nothing, exist already, or not be the caller's.
        "positive_data_acceptance": {"expected-statuses": ["2xx", "3xx", "401", "403", "404", "409", "422"]},
        # Nothing asks for a login, makes resources, or needs a header.
        "ignored_auth": {"enabled": False},
        "object_level_authorization": {"enabled": False},
        "use_after_free": {"enabled": False},
        "ensure_resource_availability": {"enabled": False},
        "missing_required_header": {"enabled": False},
    },
}
# Read while the tests are collected: Schemathesis' way to take it from a fixture fails with pytest 9.
schema = schemathesis.openapi.from_url(
    f"{os.environ['SERVICE_URL']}/openapi.json", config=schemathesis.Config.from_dict(CONFIG)
)


def named_status(_: schemathesis.CheckContext, response: schemathesis.Response, case: schemathesis.Case[Any]) -> None:
    """The status is among those that the operation names: `default` is there for what no operation can foresee."""
    named = {"405"} if response.request.method != case.operation.method.upper() else set()
    named |= set(case.operation.definition.raw["responses"]) - {"default"}
    assert str(response.status_code) in named


def shared_headers(_: schemathesis.CheckContext, response: schemathesis.Response, __: schemathesis.Case[Any]) -> None:
    """The answer has the headers that every answer has, and a problem tells the id that is in them."""
    assert_shared_headers(response)


def assert_shared_headers(response: schemathesis.Response) -> None:
    """Fail unless that is so."""
    assert {name.decode() for name in DEFAULT_HEADERS} | {"x-request-id"} <= set(response.headers)
    if response.status_code >= 400:
        assert response.headers["content-type"] == ["application/problem+json"]
        assert response.json()["request_id"] == response.headers["x-request-id"][0]


def ask(case: schemathesis.Case[Any], session: requests.Session, answers: Counter[tuple[str, int]]) -> None:
    """Send the request, see that its answer is as documented, and count it by its operation and its status."""
    response = case.call(session=session, timeout=30, allow_redirects=False)
    answers[case.operation.label, response.status_code] += 1
    # A form has no types: what was made up as a boolean arrives as a text.
    form = case.media_type in {"multipart/form-data", "application/x-www-form-urlencoded"}
    excluded: list[schemathesis.CheckFunction] = [negative_data_rejection] if form else []
    case.validate_response(response, additional_checks=[named_status, shared_headers], excluded_checks=excluded)
