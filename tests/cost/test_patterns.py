"""Regular expressions: none takes more than linear time, whatever it reads."""

import pytest

from tests.support.patterns import Use, uses


@pytest.mark.parametrize("use", uses(), ids=str)
def test_the_time_grows_with_the_text_and_not_with_its_square(use: Use) -> None:
    assert use.slow() is None
