"""Edits of a Dockerfile: what to write where, and how the edited text reads.

The functions that make edits return none where they cannot be made without doubt.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import accumulate

from app.review.syntax import DIRECTIVE, Instruction


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


def insert_above(instruction: Instruction, text: str) -> tuple[Edit, ...]:
    """Insert lines above an instruction and the comments that belong to it."""
    line = instruction.line
    comments = {comment.line: comment.text for comment in instruction.comments}
    while line - 1 in comments and not DIRECTIVE.fullmatch(f"#{comments[line - 1]}"):
        line -= 1
    return (Edit(line, 1, line, 1, f"{text}\n"),)


def insert_below(instruction: Instruction, text: str) -> tuple[Edit, ...]:
    """Insert lines below an instruction."""
    column = len(instruction.source[-1]) + 1
    return (Edit(instruction.end_line, column, instruction.end_line, column, f"\n{text}"),)


def delete(instruction: Instruction) -> tuple[Edit, ...]:
    """Delete the lines of an instruction."""
    return (Edit(instruction.line, 1, instruction.end_line + 1, 1, ""),)


def rewrite(instruction: Instruction, text: str) -> tuple[Edit, ...]:
    """Write another instruction in place of one, unless comments or heredocs would be lost."""
    if instruction.heredocs or any(comment.line > instruction.line for comment in instruction.comments):
        return ()
    return (Edit(instruction.line, instruction.column, instruction.end_line, len(instruction.source[-1]) + 1, text),)


def replace(instruction: Instruction, pattern: str, replacement: str, *, last: bool = False) -> tuple[Edit, ...]:
    """Replace the one match of a pattern in the text of an instruction, or the last one of several."""
    text = "\n".join(instruction.source)
    matches = list(re.finditer(pattern, text, re.IGNORECASE if pattern.startswith("^") else 0))
    if not matches or (len(matches) > 1 and not last):
        return ()
    match = matches[-1]
    line, column = _position(instruction, match.start())
    end_line, end_column = _position(instruction, match.end())
    commented = {comment.line for comment in instruction.comments}
    if not commented.isdisjoint(range(line, end_line + 1)):
        return ()
    return (Edit(line, column, end_line, end_column, match.expand(replacement)),)


def append(instruction: Instruction, text: str) -> tuple[Edit, ...]:
    """Write a text at the end of an instruction in the shell form."""
    commented = any(comment.line >= instruction.end_line for comment in instruction.comments)
    if instruction.is_json or instruction.heredocs or commented or not instruction.source[-1].strip():
        return ()
    line = instruction.source[-1]
    return (Edit(instruction.end_line, len(line.rstrip()) + 1, instruction.end_line, len(line) + 1, text),)


def drop_word(instruction: Instruction, word: str) -> tuple[Edit, ...]:
    """Remove a word, such as an option, wherever it stands in an instruction; with a line that has nothing else."""
    quoted = re.escape(word)
    if instruction.is_json:
        return replace(instruction, rf'\s*,\s*"{quoted}"', "")
    commented = {comment.line for comment in instruction.comments}
    edits = []
    for number, line in enumerate(instruction.source, start=instruction.line):
        continued = line.rstrip(" \t").endswith(instruction.escape)
        content = line.rstrip(" \t").removesuffix(instruction.escape) if continued else line
        if number in commented:
            continue
        if content.strip() == word and number > instruction.line:
            if continued:
                edits.append(Edit(number, 1, number + 1, 1, ""))
                continue
            before = instruction.source[number - 1 - instruction.line].rstrip(" \t")
            if not before.endswith(instruction.escape) or number - 1 in commented:
                return ()
            edits.append(Edit(number - 1, len(before[:-1].rstrip()) + 1, number, len(line) + 1, ""))
            continue
        for match in re.finditer(rf"[ \t]+{quoted}(?=\s|$)", line):
            edits.append(Edit(number, match.start() + 1, number, match.end() + 1, ""))
    return tuple(edits)


def add_flag(instruction: Instruction, flag: str) -> tuple[Edit, ...]:
    """Add a flag to an instruction, on a line of its own."""
    keyword = rf"^\s*{instruction.keyword}[ \t]+"
    match = re.match(keyword, instruction.source[0], re.IGNORECASE)
    if not match:
        return ()
    column = match.end() + 1
    return (Edit(instruction.line, column, instruction.line, column, f"{flag} {instruction.escape}\n    "),)


def _position(instruction: Instruction, offset: int) -> tuple[int, int]:
    for number, line in enumerate(instruction.source, start=instruction.line):
        if offset <= len(line):
            return number, offset + 1
        offset -= len(line) + 1
    raise AssertionError("an offset beyond the instruction")
