"""The picture of the stages."""

import pytest
from playwright.sync_api import Page, expect

from tests.browser.steps import CARD, paste


def test_stages_and_images_have_boxes_and_origins_arrows(page: Page) -> None:
    page.locator("#dockerfile").fill(CARD)
    expect(page.locator("#picture .stage .name")).to_have_text(["base", "builder", "dev", "production"])
    expect(page.locator("#picture .image")).to_have_count(1)
    expect(page.locator("#picture .edge.from")).to_have_count(4)
    expect(page.locator("#picture .edge.copy")).to_have_count(2)
    expect(page.locator("#picture .published .name")).to_have_text("production")
    expect(page.locator("#picture .stage.aside .name")).to_have_text("dev")


def test_picture_is_described_in_words(page: Page) -> None:
    page.locator("#dockerfile").fill(CARD)
    image = page.get_by_role("img", name="4 stages and what each is made from")
    expect(image.locator("desc")).to_contain_text("production is published, with the help of base, builder.")
    words = page.locator("#words li")
    expect(words).to_have_count(4)
    expect(words.nth(1)).to_have_text("builder, lines 6 to 9, from stage base; needed for the published stage")
    expect(words.nth(2)).to_contain_text("copies from stage builder; not needed for the published stage")
    expect(words.nth(3)).to_contain_text("from the image python:3.12-slim; copies from stage builder; published")


def test_box_counts_its_findings(page: Page) -> None:
    page.locator("#dockerfile").fill("FROM scratch AS a\nFROM python:3\nRUN pip install a\n")
    listed = page.locator("#findings:not(.rules) > li")
    expect(listed.first).to_be_visible()
    box = page.locator("#picture .published .count + text")
    expect(box).to_have_text(str(listed.count()))


def test_click_on_a_box_goes_to_the_stage(page: Page) -> None:
    page.locator("#dockerfile").fill(CARD)
    page.locator("#picture .stage", has_text="dev").click()
    expect(page.locator("#dockerfile")).to_be_focused()
    expect(page.locator("#gutter .chosen")).to_have_text("11")
    page.keyboard.type("#")
    assert page.locator("#dockerfile").input_value().splitlines()[10] == "#FROM base AS dev"


def test_base_from_a_build_argument_is_drawn(page: Page) -> None:
    page.locator("#dockerfile").fill("ARG BASE\nFROM $BASE\n")
    expect(page.locator("#picture .image text")).to_have_text("a build argument")


COLLISIONS = """() => {
  const boxes = [...document.querySelectorAll("#picture .frame")].map((frame) => frame.getBoundingClientRect());
  const inside = ({x, y}) => boxes.some((box) =>
    x > box.left + 2 && x < box.right - 2 && y > box.top + 2 && y < box.bottom - 2);
  const overlaps = boxes.filter((one, index) => boxes.some((other, place) => place < index
    && one.left < other.right && other.left < one.right && one.top < other.bottom && other.top < one.bottom));
  const crossings = [...document.querySelectorAll("#picture .edge")].filter((edge) =>
    Array.from({length: 200}, (_, step) => edge.getPointAtLength(edge.getTotalLength() * step / 199))
      .some((point) => inside(point.matrixTransform(edge.getScreenCTM()))));
  return [overlaps.length, crossings.length];
}"""


@pytest.mark.parametrize("width", [1280, 360])
def test_boxes_do_not_overlap_and_arrows_do_not_cross_them(page: Page, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 800})
    stages = (
        f"FROM {'a:1' if n % 3 == 0 else f's{n - 1 - n % 2}'} AS s{n}\nCOPY --from={max(0, n - 4)} a b\n"
        for n in range(1, 13)
    )
    page.locator("#dockerfile").fill("FROM b:1 AS s0\n" + "".join(stages))
    expect(page.locator("#picture .stage")).to_have_count(13)
    assert page.evaluate(COLLISIONS) == [0, 0]


def test_40_stages_are_drawn_within_the_width_of_the_page(page: Page) -> None:
    page.locator("#dockerfile").fill(
        "".join(f"FROM a:1 AS s{n}\nCOPY --from=s{max(0, n - 1)} a b\n" for n in range(40))
    )
    expect(page.locator("#picture .stage")).to_have_count(40)
    size = page.locator("#picture").bounding_box()
    assert size
    assert size["height"] < 600
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_too_many_arrows_are_not_drawn(page: Page) -> None:
    paste(page, "".join(f"FROM a AS s{n}\n" + "".join(f"COPY --from={m} a b\n" for m in range(n)) for n in range(40)))
    expect(page.locator("#picture")).to_have_text("40 stages with too many arrows for a picture.")
    expect(page.locator("#words li")).to_have_count(40)
