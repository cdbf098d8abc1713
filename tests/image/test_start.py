"""How the image starts."""

import pytest

from tests.image.conftest import Start
from tests.image.container import ANOTHER_USER


@pytest.mark.parametrize(
    "options",
    [
        pytest.param((), id="its own user"),
        pytest.param((ANOTHER_USER,), id="another user"),
        pytest.param(("--tmpfs=/tmp:noexec",), id="noexec tmpfs"),
        pytest.param((ANOTHER_USER, "--tmpfs=/tmp:noexec"), id="another user, noexec tmpfs"),
    ],
)
def test_it_starts_answers_and_writes_nothing(start: Start, options: tuple[str, ...]) -> None:
    container = start(options=options)
    assert container.ask("POST", "/api/reviews", b"FROM scratch").status == 200
    assert container.inspect()["Mounts"] == []
