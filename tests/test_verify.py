"""`make run` and scripts/verify: they start a container as locked down as the tests of the image say that they do."""

import re
from pathlib import Path

import pytest

from tests.image.container import LOCKED_DOWN


@pytest.mark.parametrize("name", ["Makefile", "scripts/verify"])
def test_a_container_is_locked_down_as_in_the_tests_of_the_image(project: Path, name: str) -> None:
    text = (project / name).read_text().replace("\\\n", " ")
    (options,) = re.findall(r"run --(?:rm|detach) .*?--publish \S+ (.*) \S*IMAGE\S*$", text, re.MULTILINE)
    assert options.split() == " ".join(LOCKED_DOWN).replace("=", " ").split()
