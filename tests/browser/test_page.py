"""The page: it requests reviews, shows the results, and keeps the text."""

import json
import os
import re
import shutil
import subprocess
from contextlib import suppress
from pathlib import Path

import pytest
from playwright.sync_api import Error, Page, Request, Route, expect

from app.review.dockerignore import MOST_WORDS
from app.routes.page import WEB
from tests.browser.steps import CARD, CLEAN, ROOT, paste

NAMES = {"error": ("error", "errors"), "warning": ("warning", "warnings"), "info": ("note", "notes")}


def summary(review: dict[str, dict[str, int]]) -> str:
    """Return the summary of a review with findings."""
    counts = ((count, *NAMES[severity]) for severity, count in review["counts"].items() if count)
    return ", ".join(f"{count} {one if count == 1 else many}" for count, one, many in counts)


def test_empty_page_says_what_to_do_and_lists_the_rules(page: Page, url: str) -> None:
    expect(page.locator("#summary")).to_have_text("Paste a Dockerfile")
    expect(page.locator("#dockerfile")).to_have_attribute("placeholder", re.compile("Paste, type or drop"))
    rules = page.request.get(f"{url}api/rules").json()
    expect(page.locator("#findings > li")).to_have_count(len(rules))
    page.get_by_text("The published image runs as root").click()
    expect(page.locator(".detail")).to_contain_text("An intruder in the service controls the whole container")


def test_pasted_text_is_reviewed_and_lines_are_marked(page: Page, url: str) -> None:
    page.set_viewport_size({"width": 1280, "height": 1000})
    paste(page, CARD)
    review = page.request.post(f"{url}api/reviews", data={"dockerfile": CARD}).json()
    expect(page.locator("#summary")).to_have_text(re.compile(r",\s*".join(summary(review).split(", "))))
    places: dict[tuple[str, str], list[int]] = {}
    for item in review["findings"]:
        places.setdefault((item["rule"], item["message"]), []).append(item["line"])
    numbers = [f"line {line}{f' +{len(more)}' if more else ''}" for line, *more in places.values()]
    expect(page.locator("#findings .number")).to_have_text(numbers)
    for item in review["findings"]:
        expect(page.locator(f"#gutter [data-line='{item['line']}']")).to_have_class(re.compile("found"))


def test_typed_text_is_reviewed_after_a_pause(page: Page) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url) if request.method == "POST" else None)
    page.locator("#dockerfile").press_sequentially(CLEAN, delay=10)
    expect(page.locator("#summary")).to_have_text("Nothing to change")
    assert len(asked) < 5


def test_choosing_a_finding_shows_its_line_and_details(page: Page) -> None:
    paste(page, "# one line\n" * 200 + ROOT)
    finding = page.locator("#findings:not(.rules) button", has_text="root-user")
    finding.click()
    expect(finding).to_have_attribute("aria-expanded", "true")
    expect(page.locator(".detail dt:visible")).to_have_text(["Instead", "Change", "Why"])
    expect(page.locator("#gutter .chosen")).to_have_text("201")
    expect(page.locator("#gutter .chosen")).to_be_in_viewport()
    page.get_by_role("button", name="Go to line 201").click()
    expect(page.locator("#dockerfile")).to_be_focused()
    page.keyboard.type("#")
    assert page.locator("#dockerfile").input_value().splitlines()[200] == f"#{ROOT.splitlines()[0]}"


def test_click_on_a_mark_opens_its_finding(page: Page) -> None:
    page.locator("#dockerfile").fill(ROOT)
    page.locator("#gutter .first").first.click()
    expect(page.locator("#findings [aria-expanded='true']")).to_be_focused()


def test_open_finding_stays_open_when_its_line_moves(page: Page) -> None:
    page.locator("#dockerfile").fill(ROOT)
    page.locator("#findings:not(.rules) button", has_text="root-user").click()
    page.locator("#dockerfile").fill("\n\n" + ROOT)
    expect(page.locator("#findings [aria-expanded='true'] .number")).to_have_text("line 3")
    expect(page.locator("#gutter .chosen")).to_have_text("3")


@pytest.mark.parametrize("abort", [True, False], ids=["aborted", "not aborted"])
def test_older_response_never_overwrites_a_newer_one(page: Page, abort: bool) -> None:
    held: list[Route] = []

    def hold(route: Route) -> None:
        if "older" in (route.request.post_data or ""):
            held.append(route)
        else:
            route.continue_()

    if not abort:
        page.evaluate("AbortController.prototype.abort = () => {}")
    page.route("**/api/reviews", hold)
    with page.expect_request("**/api/reviews"):
        page.locator("#dockerfile").fill(f"# older\n{ROOT}")
    expect(page.locator("#explanation")).to_have_text("Reviewing…")
    page.locator("#dockerfile").fill(CLEAN)
    expect(page.locator("#summary")).to_have_text("Nothing to change")
    with suppress(Error):  # the request may be aborted
        held[0].fulfill(status=503, json={"title": "Older", "detail": "", "request_id": ""})
    page.wait_for_timeout(500)
    expect(page.locator("#summary")).to_have_text("Nothing to change")


def test_example_of_the_card_can_be_undone_and_redone(page: Page) -> None:
    page.locator("#dockerfile").fill(ROOT)
    page.locator("#dockerignore").fill(".git\n")
    page.get_by_role("button", name="An example with mistakes").click()
    expect(page.locator("#dockerfile")).to_have_value(CARD)
    expect(page.get_by_label("there is none")).to_be_checked()
    page.get_by_role("button", name="Undo").click()
    expect(page.locator("#dockerfile")).to_have_value(ROOT)
    expect(page.locator("#dockerignore")).to_have_value(".git\n")
    expect(page.get_by_label("there is none")).not_to_be_checked()
    page.get_by_role("button", name="Redo").click()
    expect(page.locator("#dockerfile")).to_have_value(CARD)


def test_usual_keys_undo_an_example_until_something_is_typed(page: Page) -> None:
    page.locator("#dockerfile").fill(ROOT)
    page.get_by_role("button", name="An example with mistakes").click()
    expect(page.locator("#dockerfile")).to_have_value(CARD)
    page.keyboard.press("ControlOrMeta+z")
    expect(page.locator("#dockerfile")).to_have_value(ROOT)
    page.locator("#dockerfile").focus()
    page.keyboard.type("#")
    page.keyboard.press("ControlOrMeta+z")
    expect(page.locator("#dockerfile")).to_have_value(ROOT)


def test_example_of_this_project_has_no_findings(page: Page) -> None:
    page.get_by_role("button", name="A clean example").click()
    expect(page.locator("#dockerignore")).to_have_value((WEB / "examples" / "project.dockerignore").read_text())
    expect(page.locator("#summary")).to_have_text("Nothing to change")
    expect(page.locator("#list-title")).to_have_text("Checked, and nothing found")


def test_clearing_can_be_undone(page: Page) -> None:
    page.locator("#dockerfile").fill(ROOT)
    page.get_by_role("button", name="Clear").click()
    expect(page.locator("#summary")).to_have_text("Paste a Dockerfile")
    page.get_by_role("button", name="Undo").click()
    expect(page.locator("#dockerfile")).to_have_value(ROOT)


def test_request_contains_the_dockerignore_as_given(page: Page) -> None:
    bodies: list[dict[str, str]] = []

    def keep(request: Request) -> None:
        if request.method == "POST":
            bodies.append(json.loads(request.post_data or ""))

    page.on("request", keep)
    page.locator("#dockerfile").fill(CLEAN)
    expect(page.locator("#summary")).to_have_text("Nothing to change")
    with page.expect_response("**/api/reviews"):
        page.get_by_label("there is none").check()
    with page.expect_response("**/api/reviews"):
        page.locator("#dockerignore").fill(".git\n")
    assert [body.get("dockerignore") for body in bodies] == [None, "", ".git\n"]


def test_invalid_dockerfile_is_reported_with_its_line(page: Page) -> None:
    page.locator("#dockerfile").fill(f"{CLEAN}COPPY . .\n")
    expect(page.locator("#summary")).to_have_text("This cannot be reviewed yet")
    expect(page.locator("#explanation")).to_contain_text("line 5")
    expect(page.locator("#gutter [data-line='5']")).to_have_class(re.compile("error"))
    page.get_by_role("button", name="Go to line 5").click()
    expect(page.locator("#dockerfile")).to_be_focused()
    expect(page.locator("#dockerfile")).to_have_value(f"{CLEAN}COPPY . .\n")


def test_too_long_dockerignore_is_reported(page: Page) -> None:
    page.locator("#dockerfile").fill(CLEAN)
    page.locator("#dockerignore").fill("a" + "*" * MOST_WORDS)
    expect(page.locator("#summary")).to_have_text("This cannot be reviewed")
    expect(page.locator("#explanation")).to_contain_text(".dockerignore, line 1")


def test_without_a_response_the_last_review_stays(page: Page) -> None:
    page.locator("#dockerfile").fill(ROOT)
    expect(page.locator("#findings:not(.rules)")).to_contain_text("root-user")
    page.route("**/api/reviews", lambda route: route.abort())
    page.locator("#dockerfile").fill(f"{ROOT}#")
    expect(page.locator("#summary")).to_have_text("The server does not respond")
    expect(page.locator("#findings:not(.rules)")).to_contain_text("root-user")
    page.get_by_role("button", name="Try again").click()
    expect(page.locator("#summary")).to_have_text("The server does not respond")
    page.unroute("**/api/reviews")
    page.locator("#dockerfile").press("End")
    page.keyboard.type("#")
    expect(page.locator("#summary")).to_contain_text("error")


def test_too_large_text_is_reported(page: Page) -> None:
    paste(page, "#" * 300_000)
    expect(page.locator("#summary")).to_have_text("Too large to be reviewed")
    expect(page.locator("#explanation")).to_have_text(re.compile(r"^The limit is \d+ KiB\.$"))
    assert len(page.locator("#dockerfile").input_value()) == 300_000


def test_server_error_is_shown_with_its_request_id(page: Page) -> None:
    problem = {"title": "Internal Server Error", "detail": "the service failed", "request_id": "ab12"}
    page.route("**/api/reviews", lambda route: route.fulfill(status=500, json=problem))
    page.locator("#dockerfile").fill(ROOT)
    expect(page.locator("#summary")).to_have_text("Internal Server Error")
    expect(page.locator("#explanation")).to_have_text("the service failed (request ab12)")


def test_text_is_restored_after_a_reload(page: Page) -> None:
    page.locator("#dockerfile").fill(ROOT)
    page.locator("#dockerignore").fill(".git\n")
    page.reload()
    expect(page.locator("#dockerfile")).to_have_value(ROOT)
    expect(page.locator("#dockerignore")).to_have_value(".git\n")
    expect(page.locator("#findings:not(.rules)")).to_contain_text("root-user")


@pytest.mark.parametrize("kept", ["{", "null", "[]", '{"dockerfile": 7}'])
def test_invalid_stored_text_is_ignored(page: Page, kept: str) -> None:
    page.add_init_script(
        f"localStorage.setItem('dockerfile-review:1', {json.dumps(kept)});"
        f"sessionStorage.setItem('dockerfile-review', {json.dumps(kept)});"
    )
    page.reload()
    expect(page.locator("#findings > li").first).to_be_visible()
    page.locator("#dockerfile").fill(CLEAN)
    expect(page.locator("#summary")).to_have_text("Nothing to change")


def test_findings_follow_their_lines_after_a_failed_review(page: Page) -> None:
    page.locator("#dockerfile").fill(ROOT)
    finding = page.locator("#findings:not(.rules) button", has_text="root-user")
    finding.click()
    page.locator("#dockerfile").fill(f"# one more line\n{ROOT}COPPY\n")
    expect(page.locator("#list-title")).to_have_text("From the last review that succeeded")
    expect(finding.locator(".number")).to_have_text("line 2")
    expect(page.locator("#gutter .chosen")).to_have_text("2")
    expect(page.get_by_role("button", name="Go to line 2")).to_be_visible()
    expect(page.locator("#stages-old")).to_be_visible()
    page.locator("#dockerfile").fill("FROM scratch\nCOPPY\n")
    expect(finding.locator(".number")).to_have_text("its line has changed")
    expect(page.locator("#gutter .chosen")).to_have_count(0)
    expect(page.locator(".detail button")).to_have_count(0)
    page.locator("#dockerfile").fill(ROOT)
    expect(finding.locator(".number")).to_have_text("line 1")
    expect(page.locator("#stages-old")).to_be_hidden()


def test_outdated_findings_are_not_marked_on_other_lines(page: Page) -> None:
    page.locator("#dockerfile").fill(ROOT)
    expect(page.locator("#gutter .first")).to_have_text("1")
    page.route("**/api/reviews", lambda route: route.abort())
    page.locator("#dockerfile").fill("FROM scratch\n")
    expect(page.locator("#summary")).to_have_text("The server does not respond")
    expect(page.locator("#gutter .first")).to_have_count(0)
    page.locator("#picture .stage").click()
    expect(page.locator("#gutter .chosen")).to_have_count(0)


def test_outdated_message_disappears(page: Page) -> None:
    page.get_by_role("button", name="An example with mistakes").click()
    expect(page.locator("#loaded")).to_contain_text("This is the design card's Dockerfile.")
    page.locator("#dockerfile").press_sequentially("#")
    expect(page.locator("#loaded")).to_be_hidden()
    page.get_by_role("button", name="A clean example").click()
    expect(page.locator("#loaded")).to_contain_text("These are this project's")
    page.locator("#dockerfile").press_sequentially("#")
    expect(page.locator("#loaded > span").first).to_have_text("Your previous text is not lost.")
    page.get_by_role("button", name="Undo").click()
    expect(page.locator("#loaded > span").first).to_have_text("Undone.")
    expect(page.locator("#dockerfile")).to_have_value(f"#{CARD}")
    expect(page.get_by_role("button", name="Redo")).to_be_visible()


def test_failed_example_is_reported_until_the_server_responds(page: Page) -> None:
    page.route("**/examples/*", lambda route: route.abort())
    page.get_by_role("button", name="A clean example").click()
    expect(page.locator("#loaded")).to_contain_text("could not be fetched")
    page.locator("#dockerfile").fill(CLEAN)
    expect(page.locator("#summary")).to_have_text("Nothing to change")
    expect(page.locator("#loaded")).to_be_hidden()


def test_typing_a_dockerignore_unchecks_there_is_none(page: Page) -> None:
    page.get_by_label("there is none").check()
    page.locator("#dockerignore").press_sequentially(".git")
    expect(page.get_by_label("there is none")).not_to_be_checked()


def test_focus_moves_when_its_button_disappears(page: Page) -> None:
    page.locator("#dockerfile").fill(CLEAN)
    page.get_by_role("button", name="Clear").press("Enter")
    expect(page.locator("#dockerfile")).to_be_focused()
    page.route("**/api/reviews", lambda route: route.abort())
    page.locator("#dockerfile").fill(CLEAN)
    page.get_by_role("button", name="Try again").press("Enter")
    expect(page.locator("#dockerfile")).to_be_focused()


def test_missing_rules_are_not_counted_and_requested_again(page: Page) -> None:
    page.route("**/api/rules", lambda route: route.abort())
    page.reload()
    page.locator("#dockerfile").fill(CLEAN)
    expect(page.locator("#explanation")).to_have_text("Checked 4 lines, 1 stage.")
    page.unroute("**/api/rules")
    page.locator("#dockerfile").press_sequentially("#")
    expect(page.locator("#explanation")).to_have_text(re.compile(r"^Checked 5 lines, 1 stage against \d+ rules\.$"))


def test_slow_server_is_reported_and_waited_for(page: Page) -> None:
    held: list[Route] = []
    page.clock.install()
    page.route("**/api/reviews", lambda route: held.append(route))
    page.locator("#dockerfile").fill(CLEAN)
    with page.expect_request("**/api/reviews"):
        page.clock.fast_forward(1000)
    page.clock.fast_forward(10_000)
    expect(page.locator("#summary")).to_have_text("The server is slow to respond")
    expect(page.get_by_role("button", name="Try again")).to_be_visible()
    expect(page.locator("#dockerfile")).to_have_value(CLEAN)
    held[-1].continue_()
    expect(page.locator("#summary")).to_have_text("Nothing to change")


def test_error_page_of_a_proxy_is_reported_with_its_status(page: Page) -> None:
    page.route("**/api/reviews", lambda route: route.fulfill(status=502, body="<h1>Bad Gateway</h1>"))
    page.locator("#dockerfile").fill(CLEAN)
    expect(page.locator("#summary")).to_have_text("The server responded with status 502")


def test_only_instructions_are_colored(page: Page) -> None:
    page.locator("#dockerfile").fill(
        "# escape=`\nFROM scratch\nRUN <<-'END' cat\nCOPY me\n\tEND\nRUN a `\n  ENV\nHello you\nCMD a"
    )
    expect(page.locator(".backdrop .keyword")).to_have_text(["FROM", "RUN", "RUN", "CMD"])


DROP = """(files) => {
  const data = new DataTransfer();
  for (const [name, content] of Object.entries(files)) {
    data.items.add(new File([Array.isArray(content) ? new Uint8Array(content) : content], name));
  }
  for (const type of ["dragover", "drop"]) {
    const event = new DragEvent(type, {dataTransfer: data, bubbles: true, cancelable: true});
    document.getElementById("editor").dispatchEvent(event);
  }
}"""


def test_dropped_files_are_assigned_by_name(page: Page) -> None:
    page.evaluate(DROP, {".dockerignore": ".git\n", "Dockerfile.prod": CLEAN})
    expect(page.locator("#dockerfile")).to_have_value(CLEAN)
    expect(page.locator("#dockerignore")).to_have_value(".git\n")
    page.evaluate(DROP, {"web.dockerignore": ".venv\n"})
    expect(page.locator("#dockerignore")).to_have_value(".venv\n")
    expect(page.locator("#dockerfile")).to_have_value(CLEAN)
    page.evaluate(DROP, {"photo.png": "\0\0"})
    expect(page.locator("#loaded")).to_contain_text("photo.png is not a text file")
    expect(page.locator("#dockerfile")).to_have_value(CLEAN)


def test_only_one_dropped_dockerfile_is_opened(page: Page) -> None:
    page.evaluate(DROP, {"A.Dockerfile": ROOT, "B.Dockerfile": CLEAN})
    expect(page.locator("#loaded")).to_contain_text("Opened A.Dockerfile. Left out: B.Dockerfile.")
    expect(page.locator("#dockerfile")).to_have_value(ROOT)


def test_dockerignore_is_selected_by_name(page: Page) -> None:
    page.evaluate(
        DROP,
        {
            "notes.txt": "notes",
            "api.Dockerfile.dockerignore": "api\n",
            ".dockerignore": ".git\n",
            "Dockerfile": CLEAN,
            "api.Dockerfile": ROOT,
        },
    )
    expect(page.locator("#dockerfile")).to_have_value(CLEAN)
    expect(page.locator("#dockerignore")).to_have_value(".git\n")
    expect(page.locator("#loaded > span").first).to_have_text(
        "Opened Dockerfile and .dockerignore. Left out: notes.txt, api.Dockerfile.dockerignore, api.Dockerfile."
    )
    page.evaluate(DROP, {".dockerignore": ".git\n", "api.Dockerfile.dockerignore": "api\n", "api.Dockerfile": ROOT})
    expect(page.locator("#dockerfile")).to_have_value(ROOT)
    expect(page.locator("#dockerignore")).to_have_value("api\n")


def test_several_files_with_other_names_are_rejected(page: Page) -> None:
    page.evaluate(DROP, {"a.txt": ROOT, "b.txt": CLEAN})
    expect(page.locator("#loaded > span").first).to_have_text(
        "These names are not those of a Dockerfile or a .dockerignore: a.txt, b.txt."
    )
    expect(page.locator("#dockerfile")).to_have_value("")


def test_rejected_file_does_not_offer_undo(page: Page) -> None:
    page.locator("#dockerfile").fill(ROOT)
    page.get_by_role("button", name="Clear").click()
    expect(page.get_by_role("button", name="Undo")).to_be_visible()
    page.evaluate(DROP, {"photo.png": "\0\0"})
    expect(page.locator("#loaded")).to_contain_text("photo.png is not a text file")
    expect(page.get_by_role("button", name="Undo")).to_be_hidden()


@pytest.mark.parametrize(
    ("content", "words"),
    [([0x46, 0xFF], "f is not UTF-8"), ("#" * 1_100_000, "f is too large"), ("\0", "f is not a text file")],
    ids=["not UTF-8", "too large", "not text"],
)
def test_rejected_file_is_reported_with_the_reason(page: Page, content: list[int] | str, words: str) -> None:
    page.evaluate(DROP, {"f": content})
    expect(page.locator("#loaded")).to_contain_text(words)
    expect(page.locator("#dockerfile")).to_have_value("")


def test_files_can_be_opened_with_the_keyboard(page: Page, tmp_path: Path) -> None:
    (tmp_path / "Dockerfile").write_text(ROOT)
    page.on("filechooser", lambda chooser: chooser.set_files(tmp_path / "Dockerfile"))
    page.get_by_role("button", name="Open…").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#dockerfile")).to_have_value(ROOT)


@pytest.mark.parametrize("dockerignore", [None, "", "*\n!app\n"], ids=["not told", "none", "told"])
def test_terminal_command_returns_the_same_review(
    page: Page, url: str, tmp_path: Path, dockerignore: str | None
) -> None:
    if dockerignore is not None and not shutil.which("jq"):
        if os.environ.get("CI"):
            pytest.fail("the command needs jq", pytrace=False)
        pytest.skip("no jq")
    text = "FROM python:3.12\nCOPY . .\nCOPY other .\n"
    page.locator("#dockerfile").fill(text)
    (tmp_path / "Dockerfile").write_text(text)
    if dockerignore:
        page.locator("#dockerignore").fill(dockerignore)
        (tmp_path / ".dockerignore").write_text(dockerignore)
    elif dockerignore == "":
        page.get_by_label("there is none").check()
    page.get_by_role("button", name="Copy", exact=True).click()
    expect(page.locator("#curl-copied")).to_have_text("Copied.")
    command = page.evaluate("navigator.clipboard.readText()")
    assert f"{url}api/reviews" in command
    # The user's shell, which runs the pasted command.
    ran = subprocess.run(
        ["/bin/sh", "-c", command], cwd=tmp_path, capture_output=True, text=True, check=True, timeout=60
    )
    page.get_by_role("button", name="Copy review").click()
    expect(page.locator("#exported")).to_have_text("Copied.")
    assert ran.stdout == page.evaluate("navigator.clipboard.readText()")


def test_review_can_be_copied_as_text(page: Page, url: str) -> None:
    page.locator("#dockerfile").fill(ROOT)
    page.get_by_role("button", name="Copy review").click()
    expect(page.locator("#exported")).to_have_text("Copied.")
    answer = page.request.post(f"{url}api/reviews", data={"dockerfile": ROOT}, headers={"Accept": "text/plain"})
    assert "[root-user]" in answer.text()
    assert page.evaluate("navigator.clipboard.readText()") == answer.text()


def test_review_can_be_downloaded_as_sarif(page: Page) -> None:
    page.locator("#dockerfile").fill(ROOT)
    with page.expect_download() as download:
        page.get_by_role("button", name="Download SARIF").click()
    assert download.value.suggested_filename == "Dockerfile.sarif"
    report = json.loads(download.value.path().read_text())
    assert report["version"] == "2.1.0"
    assert "root-user" in {result["ruleId"] for result in report["runs"][0]["results"]}


def test_failed_copy_is_reported(page: Page) -> None:
    page.locator("#dockerfile").fill(ROOT)
    expect(page.locator("#findings:not(.rules)")).to_contain_text("root-user")
    page.route("**/api/reviews", lambda route: route.abort())
    page.get_by_role("button", name="Copy review").click()
    expect(page.locator("#exported")).to_have_text("That did not work.")


def test_markup_in_a_dockerfile_is_shown_as_text(page: Page) -> None:
    page.locator("#dockerfile").fill("FROM scratch AS <img src=x onerror=alert(1)>\n")
    expect(page.locator("#summary")).not_to_have_text("Paste a Dockerfile")
    page.locator("#dockerfile").fill("FROM <b>x</b>:1\nRUN pip install <i>a</i>\n")
    expect(page.locator("#picture .image text")).to_have_text("<b>x</b>:1")
    expect(page.locator("#findings b, #findings i, #editor i, img")).to_have_count(0)
