"""The documentation of the API, which production does not serve unless the image sets APP_DOCS."""

from pathlib import Path

import pytest

from tests.support.container import Container
from tests.support.requirements import pins
from tests.support.start import Start


@pytest.mark.parametrize("path", ["/docs", "/docs/swagger-ui-bundle.js", "/docs/oauth2-redirect", "/redoc"])
def test_production_serves_no_documentation(shared: Container, path: str) -> None:
    if "APP_DOCS=true" in shared.inspect()["Config"]["Env"]:
        pytest.skip("this image serves it")
    answer = shared.ask("GET", path)
    assert (answer.status, answer.headers["content-type"]) == (404, "application/problem+json")


def test_production_describes_its_api(shared: Container) -> None:
    assert "/healthz" in shared.ask("GET", "/openapi.json").json["paths"]


def test_missing_docs_package_exits_with_an_error(start: Start, project: Path) -> None:
    if "fastapi-swagger" in pins((project / "requirements.txt").read_text()):
        pytest.skip("this image contains it")
    container = start(options=("--env=APP_DOCS=true",), wait=False)
    assert container.exit_code() == 1
    (line,) = container.log.splitlines()
    assert line.startswith("APP_DOCS='true': the package fastapi-swagger is not installed; ")
