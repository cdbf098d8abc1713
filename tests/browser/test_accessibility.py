"""Accessibility: the keyboard, dark mode, small screens and screen readers."""

import re
from collections.abc import Callable
from itertools import product

import pytest
from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]  # the package has no types
from playwright.sync_api import Browser, Locator, Page, expect

from tests.browser.reviewer import answer
from tests.browser.steps import CARD, ROOT, SCHEMES

WIDTHS = (1280, 360)


def show_nothing(page: Page) -> None:
    """Show the page to a new user, with the rules loaded."""
    expect(page.locator("#findings > li").first).to_be_visible()


def show_findings(page: Page) -> None:
    """Show the card's review, with one finding open."""
    page.get_by_role("button", name="An example with mistakes").click()
    page.locator("#findings:not(.rules) button", has_text="dockerignore").first.click()
    expect(page.locator(".detail")).to_be_visible()


def show_praise(page: Page) -> None:
    """Show a review without findings."""
    page.get_by_role("button", name="A clean example").click()
    expect(page.locator("#summary")).to_have_text("Nothing to change")


def show_error(page: Page) -> None:
    """Show an invalid Dockerfile after a valid one."""
    page.locator("#dockerfile").fill(ROOT)
    expect(page.locator("#findings:not(.rules)")).to_contain_text("root-user")
    page.locator("#dockerfile").fill(f"{ROOT}COPPY\n")
    expect(page.locator("#summary")).to_have_text("This cannot be reviewed yet")


def show_fix(page: Page) -> None:
    """Show what a fix changes, the form for a reason, and what could not be checked."""
    answer(page, unjudged=["It is unknown what the base image a:1 sets and contains."])
    page.locator("#dockerfile").fill("FROM a:1\nRUN slow\nRUN risky\n")
    page.locator("#findings:not(.rules) .finding", has_text="root-user").click()
    page.get_by_role("button", name="warnings").click()
    page.get_by_role("button", name="Ignore here…").click()
    expect(page.get_by_label("Reason")).to_be_focused()


def show_doubt(page: Page) -> None:
    """Show a review without findings in which some rules could not check."""
    answer(page, lambda _: [], ["It is unknown what the base image a:1 sets and contains."])
    page.locator("#dockerfile").fill("FROM a:1\n")
    expect(page.locator("#summary")).to_have_text("No findings, but only partly checked")


def show_rule(page: Page) -> None:
    """Open the page of a rule."""
    page.goto(f"{page.url}rules/root-user")
    expect(page.locator("h1")).to_contain_text("runs as root")


def show_rules(page: Page) -> None:
    """Open the list of the rules."""
    page.goto(f"{page.url}rules")
    expect(page.locator("h1")).to_have_text("The rules")


STATES = [show_nothing, show_findings, show_praise, show_error, show_fix, show_doubt, show_rule, show_rules]


@pytest.mark.parametrize("state", STATES)
def test_axe_finds_no_violations(page: Page, state: Callable[[Page], None]) -> None:
    page.emulate_media(reduced_motion="reduce")
    state(page)
    for width, scheme in product(WIDTHS, SCHEMES):
        page.set_viewport_size({"width": width, "height": 800})
        page.emulate_media(color_scheme=scheme)
        results = Axe().run(page)
        assert results.violations_count == 0, f"{width} pixels, {scheme}: {results.generate_report()}"


@pytest.mark.parametrize("state", STATES)
def test_small_screen_does_not_scroll_horizontally(page: Page, state: Callable[[Page], None]) -> None:
    page.set_viewport_size({"width": 360, "height": 640})
    state(page)
    assert page.evaluate("document.documentElement.scrollWidth") == 360


def tab_to(page: Page, goal: Locator) -> None:
    """Press Tab until the goal has the focus. The focus must always be visible."""
    for _ in range(60):
        page.keyboard.press("Tab")
        if goal.evaluate("element => element === document.activeElement"):
            return
    pytest.fail("it cannot be reached")


def test_everything_can_be_reached_with_the_keyboard(page: Page) -> None:
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the Dockerfile")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#dockerfile")).to_be_focused()
    page.keyboard.insert_text(CARD)
    expect(page.locator("#findings .number").nth(1)).to_be_visible()

    tab_to(page, page.locator("#findings > li:first-child > button"))
    page.keyboard.press("ArrowDown")
    second = page.locator("#findings > li:nth-child(2) > button")
    expect(second).to_be_focused()
    page.keyboard.press("Enter")
    expect(second).to_have_attribute("aria-expanded", "true")
    tab_to(page, page.get_by_role("button", name=re.compile("^Go to line")).first)
    page.keyboard.press("Enter")
    expect(page.locator("#dockerfile")).to_be_focused()

    tab_to(page, second)
    page.keyboard.press("End")
    expect(page.locator("#findings > li:last-child > button")).to_be_focused()
    tab_to(page, page.locator("#words button").nth(2))
    expect(page.locator("#picture .focused .name")).to_have_text("dev")
    expect(page.locator("#picture .focused")).to_be_in_viewport()
    page.keyboard.press("Enter")
    expect(page.locator("#gutter .chosen")).to_have_text("11")
    tab_to(page, page.locator("#copy-curl"))


def test_focus_is_visible(page: Page) -> None:
    show_findings(page)
    page.locator("h1").click()
    for _ in range(20):
        page.keyboard.press("Tab")
        style, width = page.evaluate(
            """() => {
              const element = document.activeElement;
              const {outlineStyle, outlineWidth} = getComputedStyle(element.closest(".editor") ?? element);
              return [outlineStyle, parseFloat(outlineWidth)];
            }"""
        )
        assert style != "none", page.evaluate("document.activeElement.outerHTML")
        assert width > 0


def test_without_javascript_only_working_elements_are_shown(browser: Browser, url: str) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(url)
    expect(page.locator("noscript code")).to_be_visible()
    expect(page.locator("button:visible, textarea:visible, input:visible, .skip:visible")).to_have_count(0)
    context.close()


def test_result_is_announced_once(page: Page) -> None:
    expect(page.get_by_role("status").filter(has=page.locator("#summary"))).to_be_visible()
    page.evaluate(
        "new MutationObserver((all) => (window.changes = (window.changes ?? 0) + all.length))"
        ".observe(document.getElementById('summary'), {childList: true, subtree: true, characterData: true})"
    )
    page.locator("#dockerfile").fill(ROOT)
    expect(page.locator("#findings:not(.rules)")).to_contain_text("root-user")
    before = page.evaluate("window.changes")
    with page.expect_response("**/api/reviews"):
        page.locator("#dockerfile").fill(f"{ROOT}# the same review\n")
    expect(page.locator("#explanation")).to_contain_text("4 lines")
    assert page.evaluate("window.changes") == before
