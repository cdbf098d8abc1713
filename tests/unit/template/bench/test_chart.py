"""The charts: well-formed, for light and dark pages, and accessible."""

from xml.etree import ElementTree

import pytest

from template.bench.chart import Bar, bars, number

SVG = "{http://www.w3.org/2000/svg}"


def read(chart: str) -> ElementTree.Element:
    """Parse the chart."""
    return ElementTree.fromstring(chart)  # noqa: S314 -- the project's own XML


def test_chart_has_a_description_in_words() -> None:
    chart = read(bars("Start", "s", "median", [Bar("a & b", [1.0, 2.0, 4.0]), Bar("own", [1], True)]))
    assert chart.findtext(f"{SVG}title") == "Start"
    assert chart.findtext(f"{SVG}desc") == "a & b: 2 s; own: 1 s"
    assert {text.text for text in chart.findall(f"{SVG}text")} >= {"a & b", "2 s", "own", "1 s"}
    assert "prefers-color-scheme: dark" in (chart.findtext(f"{SVG}style") or "")


def test_bar_shows_the_median_and_its_line_the_range() -> None:
    chart = read(bars("Start", "s", "", [Bar("one", [1.0, 2.0, 4.0]), Bar("two", [4.0])]))
    one, two = (float(bar.attrib["width"]) for bar in chart.findall(f"{SVG}rect")[1:])
    assert two == pytest.approx(2 * one)
    (line,) = chart.findall(f"{SVG}line")
    assert float(line.attrib["x2"]) - float(line.attrib["x1"]) == pytest.approx(1.5 * one, abs=1)


@pytest.mark.parametrize(
    ("value", "text"), [(0.0, "0"), (3.0, "3"), (0.042, "0.042"), (1.234, "1.23"), (12.34, "12.3"), (1234.5, "1,234")]
)
def test_figure_has_its_significant_digits(value: float, text: str) -> None:
    assert number(value) == text
