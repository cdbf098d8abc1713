"""Greetings."""

import json

import pytest
from fastapi.testclient import TestClient
from hypothesis import given, settings
from hypothesis import strategies as st

from app.main import create_app
from app.settings import Settings


@pytest.mark.parametrize(
    ("body", "text"),
    [({"name": "Ada"}, "Hello, Ada!"), ({"name": "Ada", "language": "fr"}, "Bonjour, Ada!")],
)
def test_greeting_is_english_by_default(client: TestClient, body: dict[str, str], text: str) -> None:
    response = client.post("/api/greetings", json=body)
    assert (response.status_code, response.json()) == (200, {"text": text})


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        pytest.param({}, "/body/name", id="missing"),
        pytest.param({"name": ""}, "/body/name", id="empty"),
        pytest.param({"name": "a" * 101}, "/body/name", id="too long"),
        pytest.param({"name": 1}, "/body/name", id="wrong type"),
        pytest.param({"name": "\ud800"}, "/body/name", id="lone surrogate"),
        pytest.param({"name": "Ada", "language": "tlh"}, "/body/language", id="unknown language"),
        pytest.param({"name": "Ada", "title": "Countess"}, "/body/title", id="unknown field"),
    ],
)
def test_problem_points_to_the_invalid_field(client: TestClient, body: dict[str, object], pointer: str) -> None:
    response = client.post("/api/greetings", content=json.dumps(body), headers={"Content-Type": "application/json"})
    assert response.status_code == 422
    assert [item["pointer"] for item in response.json()["errors"]] == [pointer]


def test_known_language_has_a_greeting_and_unknown_one_is_404(client: TestClient) -> None:
    assert client.get("/api/greetings/sw").json() == {"text": "Jambo!"}
    response = client.get("/api/greetings/tlh")
    assert (response.status_code, response.json()["detail"]) == (404, "unknown language; the languages are en, fr, sw")


# Not the fixture `client`, because Hypothesis rejects fixtures that last for one test.
shared = TestClient(create_app(Settings()))


@settings(max_examples=20, derandomize=True, database=None, deadline=None)
@given(st.text(st.characters(codec="utf-8"), min_size=1, max_size=100))
def test_any_name_up_to_100_characters_is_greeted(name: str) -> None:
    response = shared.post("/api/greetings", json={"name": name})
    assert (response.status_code, response.json()) == (200, {"text": f"Hello, {name}!"})
