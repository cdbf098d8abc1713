"""The documentation of the API, which production does not serve."""

import pytest

from tests.support.container import Container
from tests.support.start import Start


@pytest.mark.parametrize("path", ["/docs", "/docs/swagger-ui-bundle.js", "/docs/oauth2-redirect", "/redoc"])
def test_production_serves_no_documentation(shared: Container, path: str) -> None:
    answer = shared.ask("GET", path)
    assert (answer.status, answer.headers["content-type"]) == (404, "application/problem+json")


def test_production_describes_its_api(shared: Container) -> None:
    assert "/healthz" in shared.ask("GET", "/openapi.json").json["paths"]


def test_missing_docs_package_exits_with_an_error(start: Start) -> None:
    container = start(options=("--env=APP_DOCS=true",), wait=False)
    assert container.exit_code() == 1
    (line,) = container.log.splitlines()
    assert line.startswith("APP_DOCS='true': the package fastapi-swagger is not installed; ")
