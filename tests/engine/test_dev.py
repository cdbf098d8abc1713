"""`make dev`, with and without containers."""

from pathlib import Path

import pytest

from tests.support.development import developing, status


@pytest.mark.parametrize("runtime", ["docker", "host"])
def test_make_dev_serves_the_documentation_of_the_api(runtime: str, tmp_path: Path) -> None:
    with developing(runtime, tmp_path / "log") as url:
        paths = ("/docs", "/docs/swagger-ui-bundle.js", "/redoc")
        assert [status(url, path) for path in paths] == [200, 200, 404]
