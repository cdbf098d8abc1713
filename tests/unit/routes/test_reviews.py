"""Reviews over HTTP: accepted requests, formats of the response, and errors."""

import json

import pytest
from fastapi.testclient import TestClient

from app.main import create_app
from app.routes import reviews
from app.settings import Settings
from tests.support.problems import assert_problem

DOCKERFILE = "FROM python:3.12\nWORKDIR /app\nCOPY . .\nUSER 10001\n"
FOUND = ["full-base-image", "hardcoded-version", "unpinned-base", "source-with-everything"]
JSON = {"Content-Type": "application/json"}


def rules(review: dict[str, list[dict[str, object]]]) -> list[object]:
    """Return the ids of the rules in a review's findings."""
    return [finding["rule"] for finding in review["findings"]]


def test_review_has_findings_stages_and_counts(client: TestClient) -> None:
    response = client.post("/api/reviews", json={"dockerfile": DOCKERFILE, "dockerignore": None})
    assert response.status_code == 200
    review = response.json()
    assert rules(review) == [*FOUND[:3], "dockerignore", *FOUND[3:]]
    assert review["findings"][3] == {
        "rule": "dockerignore",
        "severity": "warning",
        "line": 3,
        "column": 1,
        "end_line": 3,
        "end_column": 9,
        "stage": "0",
        "message": "no .dockerignore excludes .git, .venv, __pycache__",
        "fix": "add to .dockerignore, one per line: **/.git **/.venv **/__pycache__ **/.env",
        "edits": [],
        "safe": False,
    }
    assert review["stages"] == [
        {
            "name": "0",
            "line": 1,
            "end_line": 4,
            "base": "python:3.12",
            "parent": None,
            "copies_from": [],
            "images": [],
            "needed": True,
            "published": True,
        }
    ]
    assert review["counts"] == {"error": 0, "warning": 2, "info": 3}
    assert (review["ignored"], review["unjudged"]) == (0, [])
    assert any(finding["edits"] for finding in review["findings"])


def test_missing_dockerignore_field_gives_no_findings_about_it(client: TestClient) -> None:
    assert "dockerignore" not in rules(client.post("/api/reviews", json={"dockerfile": DOCKERFILE}).json())


@pytest.mark.parametrize("dockerignore", [None, ""])
def test_null_or_empty_dockerignore_counts_as_missing(client: TestClient, dockerignore: str | None) -> None:
    body = {"dockerfile": DOCKERFILE, "dockerignore": dockerignore}
    assert "dockerignore" in rules(client.post("/api/reviews", json=body).json())


def test_good_dockerignore_is_used(client: TestClient) -> None:
    body = {"dockerfile": DOCKERFILE, "dockerignore": ".git\n.venv\n__pycache__\n"}
    assert "dockerignore" not in rules(client.post("/api/reviews", json=body).json())


@pytest.mark.parametrize(
    "content_type",
    [
        "text/plain",
        "text/plain; charset=utf-8",
        'Text/Plain;charset="UTF-8"',
        "text/plain; charset=utf8; format=flowed",
        f"text/plain; charset*{'1' * 5000}=utf-16",  # too many digits for Python's int()
        "application/octet-stream",
        "application/x-www-form-urlencoded",  # the default of `curl --data-binary`
        None,
    ],
)
def test_plain_text_is_accepted(client: TestClient, content_type: str | None) -> None:
    headers = {"Content-Type": content_type} if content_type else {}
    response = client.post("/api/reviews", content=DOCKERFILE, headers=headers)
    assert rules(response.json()) == FOUND


@pytest.mark.parametrize(
    "content_type",
    [
        "application/xml",
        "image/png",
        "text/plain; charset=utf-16",
        "text/plain; charset=\xff",
        "application/json; charset=utf-16",
        "text/plain, text/plain",
        "nonsense",
        "",
    ],
)
def test_other_content_type_is_415(client: TestClient, content_type: str) -> None:
    headers = [(b"content-type", content_type.encode("latin-1"))]
    response = client.post("/api/reviews", content=DOCKERFILE, headers=headers)
    assert_problem(response, 415, "send")


def test_compressed_body_is_415(client: TestClient) -> None:
    response = client.post("/api/reviews", content=DOCKERFILE, headers={"Content-Encoding": "gzip"})
    assert_problem(response, 415, "Content-Encoding")
    assert response.headers["accept-encoding"] == "identity"


@pytest.mark.parametrize(
    ("body", "detail"),
    [
        (b"", "not valid JSON"),
        (b"{", "not valid JSON"),
        (b"\xff", "not valid JSON"),
        (b'{"dockerfile": "\\ud800"}', "not valid JSON"),
        (b'{"dockerfile": ' + b"[" * 100_000, "not valid JSON"),
    ],
)
def test_invalid_json_is_400(client: TestClient, body: bytes, detail: str) -> None:
    assert_problem(client.post("/api/reviews", content=body, headers=JSON), 400, detail)


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({}, "/body/dockerfile"),
        ([], "/body"),
        ({"dockerfile": None}, "/body/dockerfile"),
        ({"dockerfile": float("nan")}, "/body/dockerfile"),
        ({"dockerfile": ["FROM a"]}, "/body/dockerfile"),
        ({"dockerfile": "FROM a", "dockerignore": 1}, "/body/dockerignore"),
        ({"dockerfile": "FROM a", "dockerIgnore": ""}, "/body/dockerIgnore"),
        ({"dockerfile": "FROM a", "a/b~": ""}, "/body/a~1b~0"),
        ({"dockerfile": "FROM a", "x" * 1000: ""}, "/body/" + "x" * 94),
    ],
)
def test_invalid_value_is_422_with_a_pointer(client: TestClient, body: object, pointer: str) -> None:
    response = client.post("/api/reviews", content=json.dumps(body), headers=JSON)
    assert_problem(response, 422, pointer)
    assert [error["pointer"] for error in response.json()["errors"]] == [pointer]


def test_thousand_invalid_values_give_a_short_response(client: TestClient) -> None:
    response = client.post("/api/reviews", json={f"key{number}": 1 for number in range(1000)})
    assert response.status_code == 422
    assert len(response.content) < 5000


def test_text_that_is_not_utf8_is_400(client: TestClient) -> None:
    assert_problem(client.post("/api/reviews", content=b"FROM a\n\xff"), 400, "byte 8")


@pytest.mark.parametrize(
    ("text", "line", "detail"),
    [
        ("", 1, "no FROM"),
        ("# nothing\n", 1, "no FROM"),
        ("FROM a\nRUNN x\n", 2, "unknown instruction: 'RUNN' (did you mean RUN?)"),
        ("FROM a\n\n\0", 3, "a NUL"),
        ("FROM a\n<script>alert(1)</script>", 2, "unknown instruction: '<script>alert(1)</script>'"),
    ],
)
def test_invalid_dockerfile_is_422_and_names_the_line(client: TestClient, text: str, line: int, detail: str) -> None:
    for response in (
        client.post("/api/reviews", content=text),
        client.post("/api/reviews", json={"dockerfile": text}),
    ):
        assert_problem(response, 422, f"line {line}: {detail}")
        assert response.json()["line"] == line


def test_request_media_types_are_documented(client: TestClient) -> None:
    body = client.get("/openapi.json").json()["paths"]["/api/reviews"]["post"]["requestBody"]
    assert set(body["content"]) == {
        "application/json",
        "text/plain",
        "application/octet-stream",
        "application/x-www-form-urlencoded",
    }


def test_every_error_is_documented_as_a_problem(client: TestClient) -> None:
    responses = client.get("/openapi.json").json()["paths"]["/api/reviews"]["post"]["responses"]
    assert set(responses) == {"200", "400", "406", "413", "415", "422", "503", "default"}
    for status in set(responses) - {"200"}:
        assert set(responses[status]["content"]) == {"application/problem+json"}


@pytest.mark.parametrize(
    ("accept", "media_type", "start"),
    [
        ("*/*", "application/json", '{"findings":['),
        ("application/json", "application/json", '{"findings":['),
        ("text/plain", "text/plain; charset=utf-8", "Dockerfile:1: warning: the published image is built on"),
        ("application/sarif+json", "application/sarif+json", '{\n  "$schema": '),
    ],
)
def test_response_has_the_requested_format(client: TestClient, accept: str, media_type: str, start: str) -> None:
    response = client.post("/api/reviews", content=DOCKERFILE, headers={"Accept": accept})
    assert response.status_code == 200
    assert response.headers["content-type"] == media_type
    assert response.headers["vary"] == "Accept"
    assert response.text.startswith(start)


def test_unavailable_format_is_406(client: TestClient) -> None:
    response = client.post("/api/reviews", content=DOCKERFILE, headers={"Accept": "text/html"})
    assert_problem(response, 406, "application/json, text/plain, application/sarif+json")
    assert response.headers["vary"] == "Accept"


@pytest.mark.parametrize(
    ("accept", "media_type"),
    [([], "application/json"), (["text/html", "application/sarif+json"], "application/sarif+json")],
)
def test_missing_or_repeated_accept_headers(accept: list[str], media_type: str) -> None:
    with TestClient(create_app(Settings())) as client:
        del client.headers["accept"]
        response = client.post("/api/reviews", content=DOCKERFILE, headers=[("accept", each) for each in accept])
    assert response.headers["content-type"] == media_type


def test_too_long_dockerignore_is_422(client: TestClient) -> None:
    body = {"dockerfile": "FROM a\nCOPY . .\n", "dockerignore": "[a]*\n" * 20_000}
    assert_problem(client.post("/api/reviews", json=body), 422, ".dockerignore, line ")


def test_response_formats_are_documented(client: TestClient) -> None:
    answers = client.get("/openapi.json").json()["paths"]["/api/reviews"]["post"]["responses"]["200"]["content"]
    assert set(answers) == {"application/json", "text/plain", "application/sarif+json"}


def test_failure_of_the_reviewer_is_500() -> None:
    with TestClient(create_app(Settings()), raise_server_exceptions=False) as client:

        async def ask(_: object) -> dict[str, str]:
            return {"failure": "a traceback"}

        client.app_state["reviewer"].ask = ask
        response = client.post("/api/reviews", content=DOCKERFILE)
    assert_problem(response, 500, "the service failed")


def test_reviewer_that_does_not_start_is_503_and_not_ready(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reviews, "COMMAND", ("/nowhere",))
    with TestClient(create_app(Settings())) as client:
        assert_problem(client.get("/readyz"), 503, "reviews: the worker process does not start")
        response = client.post("/api/reviews", content=DOCKERFILE)
        assert_problem(response, 503, "the worker process does not start")
        assert response.headers["retry-after"] == "5"
        assert client.get("/healthz").status_code == 200


def test_sarif_links_to_the_rules_of_this_service(client: TestClient) -> None:
    headers = {"Accept": "application/sarif+json"}
    (run,) = client.post("/api/reviews", json={"dockerfile": DOCKERFILE}, headers=headers).json()["runs"]
    links = [rule["helpUri"] for rule in run["tool"]["driver"]["rules"]]
    assert links[0] == f"{client.base_url}/rules/full-base-image"
