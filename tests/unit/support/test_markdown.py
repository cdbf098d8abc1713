"""tests/support/markdown.py: anchors and links of Markdown."""

import pytest

from tests.support.markdown import read


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


def test_links_are_found_in_markdown_and_html_but_not_in_code() -> None:
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
