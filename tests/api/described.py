"""Requests generated from the OpenAPI description of the service, with checks of the responses."""

import os
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

import requests
import schemathesis
from hypothesis import settings
from hypothesis.configuration import set_hypothesis_home_dir
from schemathesis.generation.meta import CoveragePhaseData, CoverageScenario, FuzzingPhaseData
from schemathesis.specs.openapi.checks import negative_data_rejection

from app.middleware import DEFAULT_HEADERS
from tests.service import EXAMPLES

# Keep Hypothesis' database out of the project.
set_hypothesis_home_dir(Path(tempfile.gettempdir(), "hypothesis"))

# Generate the same requests in each run, without a time limit, because some machines are slow.
tried = settings(derandomize=True, database=None, deadline=None)
CONFIG = {
    "seed": 1,
    "generation": {"deterministic": True, "max-examples": EXAMPLES},
    "phases": {
        # Otherwise earlier responses would change later requests, so the seed would not reproduce them.
        "fuzzing": {"extra-data-sources": {"responses": False}, "error-feedback": {"enabled": False}},
        "coverage": {"extra-data-sources": {"responses": False}},
    },
    "checks": {
        # A value can match the schema and still be rejected, because it is unknown, exists already, or is forbidden.
        "positive_data_acceptance": {"expected-statuses": ["2xx", "3xx", "400", "401", "403", "404", "409", "422"]},
        # These checks are about logins, stored resources and required headers. Turn on those that fit your service.
        "ignored_auth": {"enabled": False},
        "object_level_authorization": {"enabled": False},
        "use_after_free": {"enabled": False},
        "ensure_resource_availability": {"enabled": False},
        "missing_required_header": {"enabled": False},
    },
}
# Read the schema at collection, because loading it from a fixture fails with pytest 9.
schema = schemathesis.openapi.from_url(
    f"{os.environ['SERVICE_URL']}/openapi.json", config=schemathesis.Config.from_dict(CONFIG)
)


def named_status(_: schemathesis.CheckContext, response: schemathesis.Response, case: schemathesis.Case[Any]) -> None:
    """Fail unless the operation documents the status. `default` does not count."""
    named = {"405"} if response.request.method != case.operation.method.upper() else set()
    named |= set(case.operation.definition.raw["responses"]) - {"default"}
    assert str(response.status_code) in named


def shared_headers(_: schemathesis.CheckContext, response: schemathesis.Response, __: schemathesis.Case[Any]) -> None:
    """Fail unless the response has the shared headers."""
    assert_shared_headers(response)


def assert_shared_headers(response: schemathesis.Response) -> None:
    """Fail unless the response has the headers of all responses, and a problem the id in them."""
    assert {name.decode() for name in DEFAULT_HEADERS} | {"x-request-id"} <= set(response.headers)
    if response.status_code >= 400:
        assert response.headers["content-type"] == ["application/problem+json"]
        assert response.json()["request_id"] == response.headers["x-request-id"][0]


# pydantic converts values of another type or format, such as 0 to False, and "5" to a date. `anyOf` contains the types
# of an optional value.
CONVERTED = {"type", "anyOf", "format"}


def may_be_converted(case: schemathesis.Case[Any]) -> bool:
    """Return True if the request is invalid only in ways that pydantic accepts for some values."""
    data = case.meta.phase.data if case.meta else None
    if isinstance(data, CoveragePhaseData):
        return data.scenario in {CoverageScenario.INCORRECT_TYPE, CoverageScenario.INVALID_FORMAT}
    mutations = data.mutations if isinstance(data, FuzzingPhaseData) else ()
    return bool(mutations) and all(set(mutation.keywords) <= CONVERTED for mutation in mutations)


def ask(case: schemathesis.Case[Any], session: requests.Session, answers: Counter[tuple[str, int]]) -> None:
    """Send the request, check the response against the schema, and count it by operation and status."""
    response = case.call(session=session, timeout=30, allow_redirects=False)
    answers[case.operation.label, response.status_code] += 1
    # A form has no types: a boolean in the wrong place arrives as valid text.
    form = case.media_type in {"multipart/form-data", "application/x-www-form-urlencoded"}
    excluded: list[schemathesis.CheckFunction] = [negative_data_rejection] if form or may_be_converted(case) else []
    case.validate_response(response, additional_checks=[named_status, shared_headers], excluded_checks=excluded)
