"""Check that a response is a problem: https://www.rfc-editor.org/rfc/rfc9457."""

from http.client import responses

from httpx2 import Response


def assert_problem(response: Response, status: int, detail: str) -> None:
    """Assert that the response is a problem with this status, and that its detail contains this text."""
    assert response.status_code == status
    assert response.headers["content-type"] == "application/problem+json"
    body = response.json()
    assert body["status"] == status
    assert body["title"] == responses.get(status, "Error")
    assert body["request_id"] == response.headers["x-request-id"]
    assert detail in body["detail"]
