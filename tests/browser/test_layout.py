"""Layout: on screens and paper, nothing is covered or cut off, and the chosen lines are visible."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.reviewer import answer, finding
from tests.browser.steps import CARD, ROOT, SCHEMES, paste

# Returns the visible controls whose center another element covers.
COVERED = """() => [...document.querySelectorAll(".work button, .work select, .work textarea")]
  .filter((element) => element.checkVisibility({visibilityProperty: true}))
  .filter((element) => {
    element.scrollIntoView({block: "center"});
    const {left, top, width, height} = element.getBoundingClientRect();
    const hit = document.elementFromPoint(left + width / 2, top + height / 2);
    return !element.contains(hit);
  })
  .map((element) => element.id || element.textContent)"""

SIZES = [
    (360, 640),
    (390, 844),
    (700, 500),
    (959, 650),
    (960, 600),
    (1000, 650),
    (1119, 699),
    (1366, 650),
    (1920, 1080),
]


def test_no_button_is_covered(page: Page) -> None:
    page.get_by_role("button", name="An example with mistakes").click()
    page.locator("#findings:not(.rules) .finding").first.click()
    expect(page.locator(".detail")).to_be_visible()
    for width, height in SIZES:
        page.set_viewport_size({"width": width, "height": height})
        assert page.evaluate(COVERED) == [], (width, height)
        assert page.evaluate("document.documentElement.scrollWidth") <= width, height


@pytest.mark.parametrize("height", [650, 1080])
def test_list_is_as_high_as_the_editor(page: Page, height: int) -> None:
    page.set_viewport_size({"width": 1366, "height": height})
    found = [finding("apt-lists", "warning", line, []) | {"message": f"{line}"} for line in range(1, 61)]
    answer(page, lambda _: found)
    paste(page, "RUN a\n" * 60)
    expect(page.locator("#findings:not(.rules) .finding")).to_have_count(60)
    heights = page.evaluate("['.source', '.panel'].map(name => document.querySelector(name).offsetHeight)")
    assert heights[0] == heights[1]
    assert heights[0] <= max(height, 720)


def test_details_show_the_lines_if_the_editor_is_out_of_view(page: Page) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    answer(page)
    paste(page, "# one line\n" * 40 + "RUN lost \\\n    and more\n")
    page.locator("#findings:not(.rules) .finding", has_text="no-workdir").click()
    expect(page.locator(".excerpt pre")).to_have_text("RUN lost \\")
    expect(page.locator(".excerpt pre")).to_be_in_viewport()
    page.get_by_role("button", name="Go to line 41").click()
    expect(page.locator("#gutter .chosen")).to_be_in_viewport()


def test_stage_name_is_complete_if_it_fits(page: Page) -> None:
    page.set_viewport_size({"width": 1366, "height": 800})
    name = "a-builder-with-a-long-name-of-its-own"
    page.locator("#dockerfile").fill(f"FROM scratch AS {name}\nFROM scratch\nCOPY --from={name} a b\n")
    expect(page.locator("#picture .stage .name").first).to_have_text(name)
    fits = """() => [...document.querySelectorAll("#picture .box")].every((box) => {
      const frame = box.querySelector(".frame").getBoundingClientRect();
      return [...box.querySelectorAll("text.name, text.base")].every((text) => {
        const {left, right} = text.getBoundingClientRect();
        return left >= frame.left && right <= frame.right;
      });
    })"""
    assert page.evaluate(fits)
    page.set_viewport_size({"width": 360, "height": 800})
    expect(page.locator("#picture .stage .name").first).to_have_text(re.compile("^a-builder-with"))
    assert page.evaluate("document.documentElement.scrollWidth") == 360


CONTRAST = """(selector) => {
  const luminance = (color) => {
    const [red, green, blue] = color.match(/[\\d.]+/g).map(Number).map((part) => part / 255)
      .map((part) => (part <= .04045 ? part / 12.92 : ((part + .055) / 1.055) ** 2.4));
    return .2126 * red + .7152 * green + .0722 * blue;
  };
  const {borderTopColor, backgroundColor} = getComputedStyle(document.querySelector(selector));
  const outside = getComputedStyle(document.body).backgroundColor;
  return [backgroundColor, outside].map((other) => {
    const [light, dark] = [luminance(borderTopColor), luminance(other)].sort((a, b) => b - a);
    return (light + .05) / (dark + .05);
  });
}"""


def test_borders_of_fields_have_contrast(page: Page) -> None:
    answer(page)
    page.locator("#dockerfile").fill("FROM scratch\nRUN lost\nRUN slow\n")
    page.locator("#findings:not(.rules) .finding").first.click()
    page.get_by_role("button", name="Ignore here…").click()
    page.locator("h1").click()
    for scheme in SCHEMES:
        page.emulate_media(color_scheme=scheme)
        for field in ("#editor", "#dockerignore", "#order", ".reason"):
            assert min(page.evaluate(CONTRAST, field)) >= 3, (scheme, field)


STYLE = """([selector, pseudo, name]) =>
  getComputedStyle(document.querySelector(selector), pseudo).getPropertyValue(name)"""


def test_print_shows_all_lines_and_marks(page: Page) -> None:
    paste(page, CARD + "# one line\n" * 200)
    page.locator("#findings:not(.rules) .finding").first.click()
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    page.emulate_media(media="print")
    expect(page.locator("#gutter [data-line]")).to_have_count(len(CARD.splitlines()) + 201)
    assert page.locator("#editor").evaluate("editor => editor.offsetHeight") > 200 * 20
    for selector, pseudo in [
        (".finding .mark", "::before"),
        ("#gutter .first", "::before"),
        (".backdrop .chosen", None),
    ]:
        assert page.evaluate(STYLE, [selector, pseudo, "print-color-adjust"]) == "exact"
    assert page.evaluate(STYLE, [".backdrop .chosen", None, "outline-style"]) == "solid"
    page.emulate_media(media="screen")
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    assert page.locator("#gutter [data-line]").count() < 100


def test_forced_colors_keep_severities_and_the_chosen_line(page: Page) -> None:
    page.emulate_media(forced_colors="active")
    page.locator("#dockerfile").fill(ROOT)
    page.locator("#findings:not(.rules) .finding", has_text="root-user").click()
    assert page.evaluate(STYLE, [".backdrop .chosen", None, "outline-style"]) == "solid"
    assert page.evaluate(STYLE, ["#gutter .found", None, "border-right-width"]) == "3px"
    assert page.evaluate(STYLE, ["#gutter [data-line='2']", None, "border-right-width"]) == "0px"
    mark = [".finding .mark.error", "::before", "background-color"]
    assert page.evaluate(STYLE, mark) not in {
        "rgba(0, 0, 0, 0)",
        page.evaluate(STYLE, ["body", None, "background-color"]),
    }
