"""The report of the benchmark: differences, their direction, and the pages."""

import pytest

from template.bench import styles
from template.bench.measures import MEASURES
from template.bench.report import difference, of_styles, of_variants, written
from template.bench.runs import PROJECT, Figures
from template.bench.variants import VARIANTS

SECONDS, RATE = MEASURES["cold"], MEASURES["rate"]


@pytest.mark.parametrize(
    ("with_it", "without"),
    [
        pytest.param([1.0], [1.0], id="the same"),
        pytest.param([1.0, 3.0], [2.0, 4.0], id="rounds that overlap"),
        pytest.param([100.0], [101.0], id="less than 2 %"),
        pytest.param([0.0], [0.0], id="both zero"),
    ],
)
def test_overlapping_rounds_have_no_difference(with_it: list[float], without: list[float]) -> None:
    assert difference(with_it, without, SECONDS) == "no difference"


@pytest.mark.parametrize(
    ("with_it", "without", "words"),
    [
        ([1.0, 1.2, 1.1], [2.2, 2.1, 2.3], "2.00 times better with it"),
        ([3.0], [2.0], "1.50 times worse with it"),
        ([1.0], [44.0], "44 times better with it"),
        ([0.0], [5.0], "better with it"),
    ],
)
def test_difference_compares_the_medians(with_it: list[float], without: list[float], words: str) -> None:
    assert difference(with_it, without, SECONDS) == words


def test_more_requests_are_better_but_more_seconds_are_worse() -> None:
    assert difference([200.0], [100.0], RATE) == "2.00 times better with it"
    assert difference([200.0], [100.0], SECONDS) == "2.00 times worse with it"


def test_a_figure_is_a_median_with_its_spread_if_it_has_one() -> None:
    assert written([1.0, 1.25, 3.0], SECONDS) == "1.25 s (1 to 3)"
    assert written([1234.0], RATE) == "1,234"
    assert written(None, SECONDS) == "not measured"


def test_every_row_of_the_card_is_in_the_page_with_its_figure() -> None:
    figures: Figures = {}
    for name in (PROJECT, *(f"{row.name}, as it should be" for row in VARIANTS), *(row.name for row in VARIANTS)):
        figures[name] = {title: [1.0] for title in MEASURES}
    page = of_variants(VARIANTS, figures, {}, "a machine").text
    assert "not measured" not in page
    techniques = {"Cache mounts", "Bind mounts", "Layer ordering", "Slim base", "BuildKit", ".dockerignore"}
    assert {name for name in techniques if f"| [{name}](#" not in page} == set()
    assert page.count("### ") == len(VARIANTS)


def test_page_lists_what_could_not_be_measured() -> None:
    page = of_variants(VARIANTS, {}, {"full-image": "it cannot be pulled"}, "a machine").text
    assert "- full-image: it cannot be pulled" in page


def test_page_gives_the_reason_if_another_style_is_better() -> None:
    figures: Figures = {styles.OURS: {"cold": [2.0]}, "another": {"cold": [1.0]}}
    page = of_styles(figures, {}, "a machine").text
    assert "| **1 s** |" in page
    assert f"| cold build | another | {styles.REASONS['cold']} |" in page
