"""template/bench/styles.py: what it reads from the project."""

import re

from template.bench.styles import uv_version


def test_version_of_uv_is_the_one_in_lock_txt() -> None:
    assert re.fullmatch(r"\d+(\.\d+)+", uv_version())
