"""Read Markdown: its links, its anchors, and the code and commands in it."""

import re
from dataclasses import dataclass
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

from markdown_it import MarkdownIt
from markdown_it.tree import SyntaxTreeNode

from tests.support.project import PROJECT


@dataclass(frozen=True)
class Document:
    """The links, anchors and code of a Markdown text, and what a reader adds by following it."""

    links: list[str]
    anchors: set[str]
    # Inline code, commands after a prompt, and examples in Python.
    code: list[str]
    commands: list[str]
    examples: list[str]
    # The paths of files that it shows completely, and the lines that its diffs add.
    files: list[str]
    added: list[str]


class Html(HTMLParser):
    """The links and anchors of the HTML in a Markdown text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.names: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Collect the links and the anchors of a tag."""
        for name, value in attrs:
            if value and name in {"href", "src"}:
                self.links.append(value)
            elif value and name == "srcset":
                self.links += [candidate.split()[0] for candidate in value.split(",")]
            elif value and name in {"id", "name"}:
                self.names.append(value)


def slug(heading: str) -> str:
    """Return GitHub's anchor of a heading, without the number of a repeated one."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def read(text: str) -> Document:
    """Parse a Markdown text."""
    links: list[str] = []
    anchors: set[str] = set()
    code: list[str] = []
    commands: list[str] = []
    examples: list[str] = []
    files = re.findall(r"^`([\w./-]+)`:\n\n```", text, re.MULTILINE)
    added: list[str] = []
    for node in SyntaxTreeNode(MarkdownIt("commonmark").enable("table").parse(text)).walk():
        if node.type in {"link", "image"}:
            links.append(str(node.attrs.get("href", node.attrs.get("src"))))
        elif node.type in {"html_inline", "html_block"}:
            html = Html(node.content)
            links += html.links
            anchors.update(html.names)
        elif node.type == "heading":
            words = [inner.content for inner in node.walk() if inner.type in {"text", "code_inline"}]
            anchor = name = slug("".join(words))
            number = 0
            while anchor in anchors:
                number += 1
                anchor = f"{name}-{number}"
            anchors.add(anchor)
        elif node.type == "code_inline":
            code.append(node.content)
        elif node.type == "fence" and node.info == "console":
            commands += [line.removeprefix("$ ") for line in node.content.splitlines() if line.startswith("$ ")]
        elif node.type == "fence" and node.info == "python":
            examples.append(node.content)
        elif node.type == "fence" and node.info == "diff":
            added += re.findall(r"^\+(?!\+\+ )(.*)", node.content, re.MULTILINE)
    return Document(links, anchors, code, commands, examples, files, added)


@cache
def document(path: Path) -> Document:
    """Parse a Markdown file of the project."""
    return read(path.read_text())


def missing(link: str, document_path: Path) -> str | None:
    """Return what is wrong with a link in a document. Links to other sites are not checked."""
    address = urlsplit(link)
    if address.scheme or address.netloc:
        return None
    target = document_path
    if address.path:
        target = (document_path.parent / unquote(address.path)).resolve()
        if not target.is_relative_to(PROJECT) or not target.exists():
            return f"{link}: no such file"
    if address.fragment and unquote(address.fragment) not in document(target).anchors:
        return f"{link}: no such heading"
    return None
