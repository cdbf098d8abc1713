"""What several of the tests write, and how."""

from playwright.sync_api import Page

from app.routes.page import WEB

CARD = (WEB / "examples" / "card.Dockerfile").read_text()
ROOT = 'FROM scratch\nCOPY a /\nCMD ["/a"]\n'
CLEAN = 'FROM scratch\nCOPY a /\nUSER 10001\nCMD ["/a"]\n'


def paste(page: Page, text: str) -> None:
    """Put the text in place of what is there, by way of the clipboard: `fill` takes half a minute for 5,000 lines."""
    page.evaluate("text => navigator.clipboard.writeText(text)", text)
    page.locator("#dockerfile").focus()
    page.keyboard.press("ControlOrMeta+A")
    page.keyboard.press("ControlOrMeta+V")
