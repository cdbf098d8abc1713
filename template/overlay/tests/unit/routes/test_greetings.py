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
def test_somebody_is_greeted_in_a_language_english_unless_told(
    client: TestClient, body: dict[str, str], text: str
) -> None:
    response = client.post("/api/greetings", json=body)
    assert (response.status_code, response.json()) == (200, {"text": text})


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        pytest.param({}, "/body/name", id="none"),
        pytest.param({"name": ""}, "/body/name", id="empty"),
        pytest.param({"name": "a" * 101}, "/body/name", id="too long"),
        pytest.param({"name": 1}, "/body/name", id="another type"),
        pytest.param({"name": "\ud800"}, "/body/name", id="half a character"),
        pytest.param({"name": "Ada", "language": "tlh"}, "/body/language", id="an unknown language"),
        pytest.param({"name": "Ada", "title": "Countess"}, "/body/title", id="more than is asked for"),
    ],
)
def test_what_will_not_do_is_pointed_at(client: TestClient, body: dict[str, object], pointer: str) -> None:
    response = client.post("/api/greetings", content=json.dumps(body), headers={"Content-Type": "application/json"})
    assert response.status_code == 422
    assert [item["pointer"] for item in response.json()["errors"]] == [pointer]


def test_a_language_has_a_word_and_an_unknown_one_is_told_which_there_are(client: TestClient) -> None:
    assert client.get("/api/greetings/sw").json() == {"text": "Jambo!"}
    response = client.get("/api/greetings/tlh")
    assert (response.status_code, response.json()["detail"]) == (404, "no such language; there are en, fr, sw")


# Not the fixture: there is one for each test, and this is one test with many names.
shared = TestClient(create_app(Settings()))


@settings(derandomize=True, database=None, deadline=None)
@given(st.text(st.characters(codec="utf-8"), min_size=1, max_size=100))
def test_any_name_of_that_length_is_greeted(name: str) -> None:
    response = shared.post("/api/greetings", json={"name": name})
    assert (response.status_code, response.json()) == (200, {"text": f"Hello, {name}!"})
