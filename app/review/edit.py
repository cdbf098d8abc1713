"""Edits of a Dockerfile: what to write where, and how the edited text reads."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import accumulate


@dataclass(frozen=True, slots=True, order=True)
class Edit:
    """Write `text` in place of what stands between two positions.

    Lines and columns count from 1, columns in code points. The end is exclusive; where both positions are the same,
    the text is inserted.
    """

    line: int
    column: int
    end_line: int
    end_column: int
    text: str


def apply(text: str, edits: Iterable[Edit]) -> str:
    """Return the text with the edits applied. They must not overlap."""
    lines = text.split("\n")
    starts = list(accumulate((len(line) + 1 for line in lines), initial=0))

    def offset(line: int, column: int) -> int:
        return min(starts[min(line, len(starts)) - 1] + column - 1, len(text))

    parts = []
    at = 0
    for edit in sorted(edits):
        start, end = offset(edit.line, edit.column), offset(edit.end_line, edit.end_column)
        parts += [text[at:start], edit.text]
        at = end
    return "".join([*parts, text[at:]])


def overlap(first: Iterable[Edit], second: Iterable[Edit]) -> bool:
    """Return whether one of the first edits touches what one of the second changes."""
    others = [((edit.line, edit.column), (edit.end_line, edit.end_column)) for edit in second]
    return any(
        (edit.line, edit.column) <= end and start <= (edit.end_line, edit.end_column)
        for edit in first
        for start, end in others
    )
