"""The list of findings: fix, ignore, navigate, filter and order them."""

import re

from playwright.sync_api import Locator, Page, expect

from tests.browser.reviewer import answer, edit, finding
from tests.browser.steps import CARD, CLEAN, ROOT

# The emoji is one code point, but two UTF-16 units in JavaScript.
SLOW = "FROM scratch\nRUN 😀 slow\nRUN risky\nRUN lost\n"


def entry(page: Page, words: str) -> Locator:
    """Return the entry of the list with this text."""
    return page.locator("#findings:not(.rules) .finding", has_text=words)


def press_undo(page: Page) -> None:
    """Press the usual keys for undo."""
    page.keyboard.press("ControlOrMeta+z")


def test_fix_shows_and_changes_the_users_lines(page: Page) -> None:
    answer(page)
    page.locator("#dockerfile").fill(SLOW)
    entry(page, "apt-lists").click()
    expect(page.locator(".detail dt:visible")).to_have_text(["Instead", "Change", "Why"])
    expect(page.locator(".diff del")).to_have_text(re.compile("^ *2 - RUN 😀 slow$"))
    expect(page.locator(".diff ins")).to_have_text(re.compile("^ *\\+ RUN 😀 fast$"))
    page.get_by_role("button", name="Fix this").click()
    expect(page.locator("#dockerfile")).to_have_value(SLOW.replace("slow", "fast"))
    expect(page.locator("#loaded > span").first).to_have_text("Fixed apt-lists on line 2.")
    expect(entry(page, "apt-lists")).to_have_count(0)
    press_undo(page)
    expect(page.locator("#dockerfile")).to_have_value(SLOW)
    expect(entry(page, "apt-lists")).to_have_count(1)


def test_after_undo_of_a_fix_typing_can_be_undone(page: Page) -> None:
    answer(page)
    page.locator("#dockerfile").press_sequentially("FROM scratch\nRUN slow")
    entry(page, "apt-lists").click()
    page.get_by_role("button", name="Fix this").click()
    expect(page.locator("#dockerfile")).to_have_value("FROM scratch\nRUN fast")
    press_undo(page)
    expect(page.locator("#dockerfile")).to_have_value("FROM scratch\nRUN slow")
    press_undo(page)
    expect(page.locator("#dockerfile")).not_to_have_value(re.compile("slow|fast"))
    page.keyboard.press("ControlOrMeta+Shift+z")
    expect(page.locator("#dockerfile")).to_have_value("FROM scratch\nRUN slow")


def test_finding_without_a_fix_shows_the_example(page: Page) -> None:
    answer(page)
    page.locator("#dockerfile").fill(SLOW)
    entry(page, "no-workdir").click()
    expect(page.locator(".detail dt:visible")).to_have_text(["Instead", "Why", "Wrong", "Right"])
    expect(page.get_by_role("button", name=re.compile("^Fix this"))).to_have_count(0)


def test_unsafe_fix_shows_a_warning(page: Page) -> None:
    answer(page)
    page.locator("#dockerfile").fill(SLOW)
    entry(page, "root-user").click()
    expect(page.locator(".detail")).to_contain_text("This fix can change what the image does.")
    page.get_by_role("button", name="Fix this").click()
    expect(page.locator("#dockerfile")).to_have_value(SLOW.replace("risky", "sound"))


def test_fix_moves_with_its_line_until_the_line_changes(page: Page) -> None:
    answer(page)
    page.locator("#dockerfile").fill(SLOW)
    entry(page, "apt-lists").click()
    expect(page.locator(".diff")).to_be_visible()
    page.route("**/api/reviews", lambda route: route.abort())
    page.locator("#dockerfile").fill(f"# above\n{SLOW}")
    expect(page.locator(".diff del")).to_have_text(re.compile("^ *3 - RUN 😀 slow$"))
    page.locator("#dockerfile").fill(SLOW.replace("slow", "slow too"))
    expect(page.locator(".diff")).to_have_count(0)
    expect(page.locator(".detail dt:visible")).to_have_text(["Instead", "Why", "Wrong", "Right"])


def test_all_edits_of_a_finding_are_applied_or_none(page: Page) -> None:
    text = "FROM scratch\nRUN a\nRUN b\n"
    # The edits remove line 1 and insert something after line 2, so line 3 must not have changed.
    edits = [edit(2, 1, 3, 1, ""), edit(4, 1, 4, 1, "CMD c\n")]
    answer(page, lambda now: [finding("apt-lists", "warning", 2, edits, safe=True)] if "RUN a" in now else [])
    page.locator("#dockerfile").fill(text)
    entry(page, "apt-lists").click()
    expect(page.locator(".diff del")).to_have_text(re.compile("^ *2 - RUN a$"))
    expect(page.locator(".diff ins")).to_have_text(re.compile("^ *\\+ CMD c$"))
    page.get_by_role("button", name="Fix this").click()
    expect(page.locator("#dockerfile")).to_have_value("FROM scratch\nRUN b\nCMD c\n")


def test_fix_all_applies_every_safe_fix(page: Page) -> None:
    texts = answer(page)
    text = f"{SLOW}RUN first\nRUN slow first\n"
    page.locator("#dockerfile").fill(text)
    page.get_by_role("button", name="Fix all safe").click()
    fixed = text.replace("slow", "fast").replace("first", "fast")
    expect(page.locator("#dockerfile")).to_have_value(fixed)
    expect(page.locator("#loaded > span").first).to_have_text("Fixed 4 findings. 2 left.")
    expect(page.get_by_role("button", name="Fix all safe")).to_be_hidden()
    assert text.replace("slow", "fast").replace("first", "slow") in texts
    press_undo(page)
    expect(page.locator("#dockerfile")).to_have_value(text)


def test_fix_all_ends_even_if_each_fix_causes_another(page: Page) -> None:
    texts = answer(page, lambda text: [finding("apt-lists", "warning", 1, [edit(1, 1, 1, 1, "#\n")], safe=True)])
    page.locator("#dockerfile").fill("FROM scratch\n")
    page.get_by_role("button", name="Fix all safe").click()
    expect(page.locator("#dockerfile")).to_have_value("#\n" * 10 + "FROM scratch\n")
    assert len(texts) < 15


def test_touching_fixes_are_applied_one_after_the_other(page: Page) -> None:
    def both(text: str) -> list[dict[str, object]]:
        found = []
        if "aa" in text:
            found.append(finding("apt-lists", "warning", 1, [edit(1, 6, 1, 8, "b")], safe=True))
        if "bb" in text or "aabb" in text:
            column = text.index("bb") + 1
            found.append(finding("root-user", "error", 1, [edit(1, column, 1, column + 2, "c")], safe=True))
        return found

    texts = answer(page, both)
    page.locator("#dockerfile").fill("FROM aabb\n")
    page.get_by_role("button", name="Fix all safe").click()
    expect(page.locator("#dockerfile")).to_have_value(re.compile(r"^FROM (bc|cb)\n$"))
    assert "FROM bbb\n" in texts


def test_text_typed_during_fix_all_is_kept(page: Page) -> None:
    answer(page)
    page.locator("#dockerfile").fill(SLOW)
    expect(page.get_by_role("button", name="Fix all safe")).to_be_visible()
    page.evaluate(
        """() => {
          document.getElementById("fix-all").click();
          document.getElementById("dockerfile").value += "# typed";
        }"""
    )
    expect(page.locator("#loaded > span").first).to_have_text(
        "Your text has changed in the meantime. Nothing was fixed."
    )
    expect(page.locator("#dockerfile")).to_have_value(f"{SLOW}# typed")


def test_after_fix_all_no_safe_fix_is_left(page: Page, url: str) -> None:
    page.locator("#dockerfile").fill(CARD)
    expect(entry(page, "").first).to_be_visible()
    review = page.request.post(f"{url}api/reviews", data={"dockerfile": CARD}).json()
    assert any(item["safe"] and item["edits"] for item in review["findings"])
    page.get_by_role("button", name="Fix all safe").click()
    expect(page.locator("#loaded > span").first).to_contain_text("Fixed")
    text = page.locator("#dockerfile").input_value()
    left = page.request.post(f"{url}api/reviews", data={"dockerfile": text}).json()["findings"]
    assert not [item for item in left if item["safe"] and item["edits"]]
    assert len(left) < len(review["findings"])
    press_undo(page)
    expect(page.locator("#dockerfile")).to_have_value(CARD)


def test_fixed_dockerfile_can_be_copied_and_downloaded(page: Page) -> None:
    answer(page)
    page.locator("#dockerfile").fill(SLOW)
    page.get_by_role("button", name="Fix all safe").click()
    fixed = SLOW.replace("slow", "fast")
    expect(page.locator("#dockerfile")).to_have_value(fixed)
    page.get_by_role("button", name="Copy Dockerfile").click()
    expect(page.locator("#exported")).to_have_text("Copied.")
    assert page.evaluate("navigator.clipboard.readText()") == fixed
    with page.expect_download() as download:
        page.get_by_role("button", name="Download Dockerfile").click()
    assert download.value.suggested_filename == "Dockerfile"
    assert download.value.path().read_text() == fixed


def test_ignore_writes_a_comment_with_the_reason(page: Page, url: str) -> None:
    text = "  " + ROOT
    page.locator("#dockerfile").fill(text)
    entry(page, "root-user").click()
    page.get_by_role("button", name="Ignore here…").click()
    expect(page.get_by_label("Reason")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#dockerfile")).to_have_value(text)
    page.keyboard.type(" the base needs it ")
    page.keyboard.press("Enter")
    expect(page.locator("#dockerfile")).to_have_value(f"  # review-ignore: root-user the base needs it\n{text}")
    expect(page.locator("#explanation")).to_contain_text("1 finding ignored, with a reason")
    press_undo(page)
    expect(page.locator("#dockerfile")).to_have_value(text)


def test_second_comment_is_below_the_first(page: Page) -> None:
    first = "# review-ignore: unpinned-base it is ours\n"
    page.locator("#dockerfile").fill(first + ROOT)
    entry(page, "root-user").click()
    page.get_by_role("button", name="Ignore here…").click()
    page.get_by_label("Reason").fill("it is a test")
    page.get_by_role("button", name="Ignore", exact=True).click()
    expect(page.locator("#dockerfile")).to_have_value(f"{first}# review-ignore: root-user it is a test\n{ROOT}")


def test_typed_reason_survives_a_review_and_can_be_canceled(page: Page) -> None:
    answer(page)
    page.locator("#dockerfile").fill(SLOW)
    entry(page, "no-workdir").click()
    page.get_by_role("button", name="Ignore here…").click()
    page.keyboard.type("because")
    page.evaluate(
        """() => {
          const field = document.getElementById("dockerfile");
          field.value = "#\\n" + field.value;
          field.dispatchEvent(new InputEvent("input", {inputType: "insertText"}));
        }"""
    )
    expect(entry(page, "no-workdir").locator(".number")).to_have_text("line 5")
    expect(page.get_by_label("Reason")).to_have_value("because")
    expect(page.get_by_label("Reason")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.get_by_label("Reason")).to_have_count(0)
    expect(entry(page, "no-workdir")).to_be_focused()


def test_equal_findings_are_one_entry(page: Page) -> None:
    answer(page)
    text = "FROM scratch\nRUN slow\nRUN lost\nRUN slow\nRUN lost\n"
    page.locator("#dockerfile").fill(text)
    expect(page.locator("#findings .number")).to_have_text(["line 2 +1", "line 3 +1"])
    entry(page, "apt-lists").click()
    page.get_by_role("button", name="Go to line 4").click()
    expect(page.locator("#gutter .chosen")).to_have_text("4")
    page.get_by_role("button", name="Fix all 2").click()
    expect(page.locator("#dockerfile")).to_have_value(text.replace("slow", "fast"))
    entry(page, "no-workdir").click()
    page.get_by_role("button", name="Ignore all 2 here…").click()
    page.keyboard.type("why not")
    page.keyboard.press("Enter")
    comment = "# review-ignore: no-workdir why not\nRUN lost"
    expect(page.locator("#dockerfile")).to_have_value(text.replace("slow", "fast").replace("RUN lost", comment))
    expect(page.locator("#summary")).to_have_text("Nothing to change")


def test_findings_can_be_filtered_and_ordered(page: Page) -> None:
    answer(page)
    page.locator("#dockerfile").fill(SLOW)
    rules = page.locator("#findings:not(.rules) .rule")
    expect(rules).to_have_text(["apt-lists", "root-user", "no-workdir"])
    page.get_by_label("Order").select_option("worst first")
    expect(rules).to_have_text(["root-user", "apt-lists", "no-workdir"])
    page.get_by_role("button", name="warnings").click()
    expect(page.get_by_role("button", name="warnings")).to_have_attribute("aria-pressed", "false")
    expect(rules).to_have_text(["root-user", "no-workdir"])
    page.get_by_role("button", name="errors").click()
    page.get_by_role("button", name="notes").click()
    expect(page.locator("#all-hidden")).to_be_visible()
    # A click in the gutter shows a hidden finding.
    page.locator("#gutter [data-line='2']").click()
    expect(entry(page, "apt-lists")).to_be_focused()
    expect(rules).to_have_count(3)


def test_f8_goes_to_the_next_finding_in_the_text(page: Page) -> None:
    answer(page)
    page.locator("#dockerfile").fill("FROM scratch\nRUN slow\nRUN lost\nRUN slow\n")
    expect(page.locator("#findings .number")).to_have_count(2)
    page.keyboard.press("ControlOrMeta+Home")
    for line, words in [(2, "warning"), (3, "note"), (4, "warning"), (2, "warning")]:
        page.keyboard.press("F8")
        expect(page.locator("#gutter .chosen")).to_have_text(f"{line}")
        expect(page.locator("#spoken")).to_have_text(re.compile(f"^Line {line}, {words}: a matter of "))
        expect(page.locator("#findings [aria-expanded='true'] .number")).to_have_text(re.compile(r"^line \d"))
    expect(page.locator("#dockerfile")).to_be_focused()
    page.keyboard.press("Shift+F8")
    expect(page.locator("#gutter .chosen")).to_have_text("4")
    page.keyboard.type("#")
    expect(page.locator("#dockerfile")).to_have_value("FROM scratch\nRUN slow\nRUN lost\n#RUN slow\n")


def test_findings_are_underlined_and_have_a_tooltip(page: Page) -> None:
    answer(page)
    page.locator("#dockerfile").fill(SLOW)
    expect(page.locator(".backdrop .underlined")).to_have_text(["RUN 😀 slow", "RUN risky", "RUN lost"])
    expect(page.locator(".backdrop .underlined.error")).to_have_text("RUN risky")
    page.locator(".backdrop .underlined.error").scroll_into_view_if_needed()
    box = page.locator(".backdrop .underlined.error").bounding_box()
    assert box
    page.mouse.move(box["x"] + 5, box["y"] + box["height"] / 2)
    expect(page.locator("#dockerfile")).to_have_attribute("title", "a matter of root-user")
    page.mouse.move(box["x"] + 5, box["y"] + 6 * box["height"])
    expect(page.locator("#dockerfile")).to_have_attribute("title", "")


def test_browser_search_finds_the_text_once(page: Page) -> None:
    page.locator("#dockerfile").fill("FROM scratch\n# needle\n")
    page.locator("h1").click()
    found = page.evaluate(
        """() => {
          let times = 0;
          while (times < 9 && window.find("needle", true, false, false)) times++;
          return times;
        }"""
    )
    assert found == 1


def test_partly_checked_review_is_not_shown_as_good(page: Page) -> None:
    reason = "It is unknown what the base image a:1 sets and contains."
    answer(page, lambda text: [], [reason])
    page.locator("#dockerfile").fill("FROM a:1\n")
    expect(page.locator("#summary")).to_have_text("No findings, but only partly checked")
    expect(page.locator("#summary .good, #findings .good")).to_have_count(0)
    expect(page.locator("#unjudged li")).to_have_text([reason])
    expect(page.locator("#list-title")).to_have_text("The rules")


def test_page_shows_what_could_not_be_checked(page: Page) -> None:
    page.locator("#dockerfile").fill(CLEAN.replace("scratch", "registry.example/ours:1"))
    expect(page.locator("#unjudged")).to_contain_text("registry.example/ours:1")
    page.locator("#dockerfile").fill(CLEAN)
    expect(page.locator("#summary")).to_have_text("Nothing to change")
    expect(page.locator("#unjudged li")).to_have_count(0)


def test_finding_links_to_the_page_of_its_rule(page: Page) -> None:
    page.locator("#dockerfile").fill(ROOT)
    entry(page, "root-user").click()
    page.get_by_role("link", name="About the rule root-user").click()
    expect(page.locator("h1")).to_contain_text("runs as root")
    expect(page.locator("pre")).to_have_count(2)
    page.get_by_role("link", name="Rules").click()
    expect(page.get_by_role("link", name="root-user")).to_be_visible()
    page.get_by_role("link", name="Dockerfile review").click()
    expect(page.locator("#dockerfile")).to_have_value(ROOT)
