"""What several of the tests write, and how."""

from playwright.sync_api import Page

from app.routes.page import WEB

CARD = (WEB / "examples" / "card.Dockerfile").read_text()
# One finding, root-user on line 1: the base is pinned and not buffered, and the command starts an installed program.
ROOT = f'FROM python:3.12-slim@sha256:{"0" * 64}\nENV PYTHONUNBUFFERED=1\nCMD ["python", "-m", "http.server"]\n'
CLEAN = 'FROM scratch\nCOPY a /\nUSER 10001\nCMD ["/a"]\n'


def paste(page: Page, text: str) -> None:
    """Put the text in place of what is there, by way of the clipboard: `fill` takes half a minute for 5,000 lines."""
    page.evaluate("text => navigator.clipboard.writeText(text)", text)
    page.locator("#dockerfile").focus()
    page.keyboard.press("ControlOrMeta+A")
    page.keyboard.press("ControlOrMeta+V")
