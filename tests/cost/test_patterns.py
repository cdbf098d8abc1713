"""Regular expressions: each takes at most linear time for any text."""

import pytest

from tests.support.patterns import Use, uses


@pytest.mark.parametrize("use", uses(), ids=str)
def test_time_of_a_pattern_grows_linearly(use: Use) -> None:
    assert use.slow() is None
