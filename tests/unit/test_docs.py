"""README.md and docs/: links lead somewhere, and what is named exists."""

import re
from dataclasses import dataclass
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
from markdown_it import MarkdownIt
from markdown_it.tree import SyntaxTreeNode

from app.settings import Settings
from tests.test_readme import targets

PROJECT = Path(__file__).resolve().parent.parent
DOCUMENTS = [Path("README.md"), *sorted(path.relative_to(PROJECT) for path in (PROJECT / "docs").glob("*.md"))]


@dataclass(frozen=True)
class Document:
    """What a text in Markdown leads to, can be led to by, and tells its reader to type."""

    links: list[str]
    anchors: set[str]
    # What is set in code within a line, each line behind a prompt, and examples in Python.
    code: list[str]
    commands: list[str]
    examples: list[str]


class Html(HTMLParser):
    """What HTML within Markdown leads to, and the names that it gives."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.names: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Keep what leads elsewhere, and what can be led to."""
        for name, value in attrs:
            if value and name in {"href", "src"}:
                self.links.append(value)
            elif value and name == "srcset":
                self.links += [candidate.split()[0] for candidate in value.split(",")]
            elif value and name in {"id", "name"}:
                self.names.append(value)


def slug(heading: str) -> str:
    """The anchor that GitHub gives a heading, but for the number that it adds where there was one of that name."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def read(text: str) -> Document:
    """A text in Markdown."""
    links: list[str] = []
    anchors: set[str] = set()
    code: list[str] = []
    commands: list[str] = []
    examples: list[str] = []
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
    return Document(links, anchors, code, commands, examples)


@cache
def document(path: Path) -> Document:
    """A text of the project."""
    return read(path.read_text())


def missing(link: str, document_path: Path) -> str | None:
    """What a link of a document leads to that is not there; another site is believed."""
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


@pytest.mark.parametrize("path", DOCUMENTS, ids=str)
def test_every_link_leads_to_a_file_and_a_heading_that_exist(path: Path) -> None:
    found = [missing(link, PROJECT / path) for link in document(PROJECT / path).links]
    assert [problem for problem in found if problem] == []


@pytest.mark.parametrize("path", DOCUMENTS, ids=str)
def test_every_make_target_that_the_docs_name_exists(path: Path) -> None:
    existing = targets(PROJECT / "Makefile", *PROJECT.glob("*.mk"))
    text = "\n".join(document(PROJECT / path).code + document(PROJECT / path).commands)
    # Settings may stand before the target as well: make RUNTIME=host test.
    assert set(re.findall(r"(?<![\w-])make (?:[A-Z_]+=\S* )*([a-z][\w-]*)", text)) - existing == set()


@pytest.mark.parametrize("path", DOCUMENTS, ids=str)
def test_every_path_of_the_project_that_the_docs_name_exists(path: Path) -> None:
    text = "\n".join(document(PROJECT / path).code + document(PROJECT / path).commands)
    folders = "|".join(path.name for path in PROJECT.iterdir() if path.is_dir() and path.name[0] != ".")
    named = re.findall(rf"(?<![\w./-])(?:{folders})/[\w./-]*", text)
    assert [name for name in named if not (PROJECT / name).exists()] == []


@pytest.mark.parametrize("path", DOCUMENTS, ids=str)
def test_every_setting_that_the_docs_name_exists_or_is_added_by_an_example_there(path: Path) -> None:
    text = "\n".join(document(PROJECT / path).code + document(PROJECT / path).commands)
    added = re.findall(r"^    (\w+): ", "\n".join(document(PROJECT / path).examples), re.MULTILINE)
    settings = {Settings.PREFIX + name.upper() for name in [*Settings.model_fields, *added]}
    assert set(re.findall(rf"(?<!\w){Settings.PREFIX}[A-Z_]+", text)) - settings == set()


@pytest.mark.parametrize(
    ("heading", "anchor"),
    [
        ("The image", "the-image"),
        ('What "it" is, and why', "what-it-is-and-why"),
        ("`make lock`: why, and when?", "make-lock-why-and-when"),
        ("A [link](https://example.org) in *it*", "a-link-in-it"),
        ("pip_cache & more", "pip_cache--more"),
    ],
)
def test_a_heading_has_the_anchor_that_github_gives_it(heading: str, anchor: str) -> None:
    assert read(f"## {heading}\n").anchors == {anchor}


def test_a_second_heading_of_one_name_has_a_number() -> None:
    assert read("# Why\n## Why\n## Why\n").anchors == {"why", "why-1", "why-2"}


def test_links_are_found_wherever_markdown_and_html_have_them_but_not_in_code() -> None:
    text = """
[one](1) and ![a picture](2), `[no](0)`, <a href="3">three</a>, [four]

| table |
| --- |
| [five](5) |

<picture>
  <source media="(prefers-color-scheme: dark)" srcset="6 1x, 7 2x">
  <img src="8" alt="">
</picture>

```
# [no](0)
```

[four]: 4
"""
    assert sorted(read(text).links) == list("12345678")
    assert read(text).anchors == set()
