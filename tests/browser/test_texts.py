"""The texts: no typed text is lost, whatever the page, other tabs or the server do. Links contain the texts."""

import re

import pytest
from playwright.sync_api import BrowserContext, Locator, Page, Route, expect

from tests.browser.reviewer import answer
from tests.browser.steps import CARD, CLEAN, ROOT, paste

OFFER = "Continue with a text that you wrote here before?"


def offers(page: Page) -> Locator:
    """Return the texts that a new tab offers."""
    return page.locator("#offers button")


def open_with_offers(context: BrowserContext, url: str, count: int) -> Page:
    """Open a tab that offers this many texts. Chromium's tabs share their storage only after a while."""
    page = context.new_page()
    for _ in range(50):
        page.goto(url)
        if offers(page).count() == count:
            break
    expect(offers(page)).to_have_count(count)
    return page


@pytest.fixture
def context(page: Page) -> BrowserContext:
    """Return the browser context of the page."""
    return page.context


@pytest.mark.parametrize("name", ["An example with mistakes", "A clean example", "Clear"])
def test_undo_keys_restore_both_texts_then_undo_typing(page: Page, name: str) -> None:
    page.locator("#dockerignore").fill(".git\n")
    page.locator("#dockerfile").press_sequentially("FROM a")
    page.get_by_role("button", name=name).click()
    expect(page.locator("#dockerfile")).not_to_have_value("FROM a")
    page.keyboard.press("ControlOrMeta+z")
    expect(page.locator("#dockerfile")).to_have_value("FROM a")
    expect(page.locator("#dockerignore")).to_have_value(".git\n")
    expect(page.get_by_label("there is none")).not_to_be_checked()
    page.keyboard.press("ControlOrMeta+Shift+z")
    expect(page.locator("#dockerfile")).not_to_have_value("FROM a")
    page.keyboard.press("ControlOrMeta+z")
    expect(page.locator("#dockerfile")).to_have_value("FROM a")
    page.keyboard.press("ControlOrMeta+z")
    expect(page.locator("#dockerfile")).to_have_value(re.compile("^(FROM ?)?$"))


def test_text_too_long_for_the_browsers_undo_can_be_undone(page: Page) -> None:
    text = "# a line\n" * 5000
    paste(page, text)
    page.get_by_role("button", name="Clear").click()
    expect(page.locator("#dockerfile")).to_have_value("")
    page.get_by_role("button", name="Undo").click()
    expect(page.locator("#dockerfile")).to_have_value(text)
    page.get_by_role("button", name="An example with mistakes").click()
    expect(page.locator("#dockerfile")).to_have_value(CARD)
    page.keyboard.press("ControlOrMeta+z")
    expect(page.locator("#dockerfile")).to_have_value(text)


def test_two_tabs_keep_separate_texts(page: Page, context: BrowserContext, url: str) -> None:
    page.locator("#dockerfile").fill(ROOT)
    expect(page.locator("#findings:not(.rules)")).to_contain_text("root-user")
    other = context.new_page()
    other.goto(url)
    expect(other.locator("#dockerfile")).to_have_value("")
    other.locator("#dockerfile").fill(CLEAN)
    expect(other.locator("#summary")).to_have_text("Nothing to change")
    page.reload()
    expect(page.locator("#dockerfile")).to_have_value(ROOT)
    other.reload()
    expect(other.locator("#dockerfile")).to_have_value(CLEAN)


def test_new_tab_offers_the_texts_of_others_newest_first(page: Page, context: BrowserContext, url: str) -> None:
    page.locator("#dockerfile").fill(ROOT)
    expect(page.locator("#findings:not(.rules)")).to_contain_text("root-user")
    second = context.new_page()
    second.goto(url)
    second.locator("#dockerfile").fill(CARD)
    expect(second.locator("#findings:not(.rules)")).to_contain_text("hardcoded-version")
    page.close()
    second.close()
    third = open_with_offers(context, url, 2)
    expect(third.locator("#loaded > span").first).to_have_text(OFFER)
    lines = [len(text.split("\n")) for text in (CARD, ROOT)]
    expect(offers(third)).to_have_text([re.compile(f"^{count} lines, ") for count in lines])
    offers(third).last.click()
    expect(third.locator("#dockerfile")).to_have_value(ROOT)


def test_duplicated_tab_does_not_share_the_text(page: Page, context: BrowserContext, url: str) -> None:
    page.locator("#dockerfile").fill(ROOT)
    expect(page.locator("#findings:not(.rules)")).to_contain_text("root-user")
    with context.expect_page() as popup:
        page.evaluate("window.open(location.href)")  # this copies the session, like a duplicated tab
    copy = popup.value
    expect(copy.locator("#dockerfile")).to_have_value(ROOT)
    copy.locator("#dockerfile").fill(CLEAN)
    expect(copy.locator("#summary")).to_have_text("Nothing to change")
    copy.close()
    page.close()
    open_with_offers(context, url, 2)


def test_replaced_text_is_offered_after_the_tab_is_closed(page: Page, context: BrowserContext, url: str) -> None:
    page.locator("#dockerfile").fill(ROOT)
    page.get_by_role("button", name="Clear").click()
    expect(page.locator("#summary")).to_have_text("Paste a Dockerfile")
    page.close()
    other = open_with_offers(context, url, 1)
    offers(other).first.click()
    expect(other.locator("#dockerfile")).to_have_value(ROOT)


def test_page_works_without_storage_and_says_so(page: Page) -> None:
    page.add_init_script("Storage.prototype.setItem = () => { throw new Error('full'); }")
    page.reload()
    page.locator("#dockerfile").fill(CLEAN)
    expect(page.locator("#summary")).to_have_text("Nothing to change")
    expect(page.locator("#kept")).to_have_text("Your text is sent to this server only for the review.")


def refuse(page: Page, status: int | None) -> list[str]:
    """Reject all reviews, with a stopped clock, and return a list that collects the rejected requests."""
    page.clock.install(time=0)
    page.clock.pause_at(1_000_000)
    refused: list[str] = []

    def answer(route: Route) -> None:
        refused.append(route.request.url)
        if status:
            route.fulfill(status=status, headers={"Retry-After": "3"}, body="")
        else:
            route.abort()

    page.route("**/api/reviews", answer)
    return refused


def wait_until_told(page: Page) -> None:
    """Wait until the page reports again that there is no response."""
    expect(page.locator("#remedy button:not([data-old])")).to_have_count(1)
    page.locator("#remedy button").evaluate("button => (button.dataset.old = '')")


def test_request_is_retried_until_the_server_responds(page: Page) -> None:
    refused = refuse(page, None)
    page.locator("#dockerfile").fill(CLEAN)
    page.clock.run_for(300)
    wait_until_told(page)
    expect(page.locator("#summary")).to_have_text("The server does not respond")
    for number, seconds in enumerate((1, 2, 4), start=1):
        page.clock.run_for(seconds * 1000 - 1)
        assert len(refused) == number
        page.clock.run_for(1)
        wait_until_told(page)
        assert len(refused) == number + 1
    page.unroute("**/api/reviews")
    page.clock.run_for(8000)
    expect(page.locator("#summary")).to_have_text("Nothing to change")


def test_retries_end_if_the_server_does_not_respond(page: Page) -> None:
    refused = refuse(page, 503)
    page.locator("#dockerfile").fill(CLEAN)
    page.clock.run_for(300)
    for number in range(1, 13):
        wait_until_told(page)
        assert len(refused) == number
        # The page waits at least as long as the server asks for, and at most a minute.
        page.clock.run_for(1000 * min(60, max(3, 2 ** (number - 1))) - 1)
        assert len(refused) == number
        page.clock.run_for(1)
    wait_until_told(page)
    page.clock.run_for(600_000)
    assert len(refused) == 13
    expect(page.locator("#summary")).to_have_text("The server responded with status 503")


@pytest.fixture
def link(page: Page) -> str:
    """Return a link to ROOT and a .dockerignore, as the page makes it."""
    page.locator("#dockerfile").fill(f"{ROOT}# é 😀\n")
    page.locator("#dockerignore").fill(".git\n")
    page.get_by_role("button", name="Copy link").click()
    expect(page.locator("#exported")).to_have_text("Copied.")
    return str(page.evaluate("navigator.clipboard.readText()"))


def test_link_contains_both_texts_and_sends_nothing(page: Page, context: BrowserContext, url: str, link: str) -> None:
    assert re.fullmatch(re.escape(url) + r"#text=[\w-]+", link)
    other = context.new_page()
    asked: list[str] = []
    other.on("request", lambda request: asked.append(f"{request.url} {request.headers}"))
    other.goto(link)
    expect(other.locator("#dockerfile")).to_have_value(f"{ROOT}# é 😀\n")
    expect(other.locator("#dockerignore")).to_have_value(".git\n")
    expect(other.locator("#loaded > span").first).to_have_text("This text came with the link.")
    expect(other.locator("#findings:not(.rules)")).to_contain_text("root-user")
    assert not [request for request in asked if "text=" in request]
    # After a reload, later changes are still there.
    other.locator("#dockerfile").fill(CLEAN)
    other.reload()
    expect(other.locator("#dockerfile")).to_have_value(CLEAN)


def test_text_replaced_by_a_link_can_be_restored(page: Page, link: str) -> None:
    page.locator("#dockerfile").fill(CLEAN)
    page.evaluate("link => (location.hash = new URL(link).hash)", link)
    expect(page.locator("#dockerfile")).to_have_value(f"{ROOT}# é 😀\n")
    page.get_by_role("button", name="Undo").click()
    expect(page.locator("#dockerfile")).to_have_value(CLEAN)


@pytest.mark.parametrize("damage", ["cut", "ends in another sign", "garbled"])
def test_damaged_link_is_reported_and_changes_nothing(page: Page, link: str, damage: str) -> None:
    damaged = {
        "cut": link[:-9],
        "ends in another sign": f"{link}!",
        "garbled": link[:60] + link[60:70][::-1] + link[70:],
    }
    page.locator("#dockerfile").fill(CLEAN)
    page.evaluate("link => (location.hash = new URL(link).hash)", damaged[damage])
    expect(page.locator("#loaded > span").first).to_have_text("This link is damaged or incomplete: ask for a new one.")
    expect(page.locator("#dockerfile")).to_have_value(CLEAN)


def test_text_with_a_secret_has_no_link(page: Page) -> None:
    answer(page)
    page.locator("#dockerfile").fill("FROM scratch\nENV a=secret\n")
    expect(page.locator("#findings:not(.rules)")).to_contain_text("secret-in-image")
    expect(page.get_by_role("button", name="Copy link")).to_be_hidden()
    page.locator("#dockerfile").fill("FROM scratch\n")
    expect(page.get_by_role("button", name="Copy link")).to_be_visible()
    page.evaluate("navigator.clipboard.writeText('before')")
    # This is typed after the last review.
    page.locator("#dockerfile").evaluate("field => (field.value = 'FROM scratch\\nENV b=secret\\n')")
    page.locator("#dockerfile").dispatch_event("input")
    page.locator("#copy-link").evaluate("button => button.click()")
    expect(page.locator("#exported")).to_have_text(
        "A text that contains a secret or could not be reviewed gets no link."
    )
    assert page.evaluate("navigator.clipboard.readText()") == "before"


def test_new_user_is_offered_no_texts(page: Page) -> None:
    expect(page.locator("#loaded")).to_be_hidden()
    expect(offers(page)).to_have_count(0)
