"""Edits of a Dockerfile, and the text after them.

The functions that return edits return none if they cannot be sure of the place.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import accumulate

from app.review.syntax import Instruction

BLANK = " \t\n"
# Search at most this many places of a word, and assignments before a command.
MOST_PLACES = 50
MOST_ASSIGNMENTS = 5


@dataclass(frozen=True, slots=True, order=True)
class Edit:
    """A replacement of the text between two positions with `text`.

    Lines and columns count from 1, and columns count code points. The end is exclusive. If both positions are the same,
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
    """Return whether an edit of the first list touches an edit of the second."""
    others = [((edit.line, edit.column), (edit.end_line, edit.end_column)) for edit in second]
    return any(
        (edit.line, edit.column) <= end and start <= (edit.end_line, edit.end_column)
        for edit in first
        for start, end in others
    )


def insert_above(instruction: Instruction, text: str) -> tuple[Edit, ...]:
    """Insert lines above an instruction and the comments that belong to it."""
    return (Edit(instruction.top, 1, instruction.top, 1, f"{text}\n"),)


def insert_below(instruction: Instruction, text: str) -> tuple[Edit, ...]:
    """Insert lines below an instruction."""
    column = len(instruction.source[-1]) + 1
    return (Edit(instruction.end_line, column, instruction.end_line, column, f"\n{text}"),)


def delete(instruction: Instruction) -> tuple[Edit, ...]:
    """Delete the lines of an instruction."""
    return (Edit(instruction.line, 1, instruction.end_line + 1, 1, ""),)


def rewrite(instruction: Instruction, text: str) -> tuple[Edit, ...]:
    """Replace an instruction, unless comments or heredocs would be lost."""
    if instruction.heredocs or any(comment.line > instruction.line for comment in instruction.comments):
        return ()
    return (Edit(instruction.line, instruction.column, instruction.end_line, len(instruction.source[-1]) + 1, text),)


def replace(instruction: Instruction, old: str, new: str, *, left: str = BLANK, right: str = BLANK) -> tuple[Edit, ...]:
    """Replace a text that occurs once in an instruction, between two of these characters or at an end."""
    text = "\n".join(instruction.source)
    places = []
    at = text.find(old)
    while at >= 0:
        end = at + len(old)
        if text[at - 1 : at] in left and text[end : end + 1] in right:
            places.append(at)
        at = text.find(old, end)
    return _written(instruction, places[0], places[0] + len(old), new) if len(places) == 1 else ()


def insert_exec(instruction: Instruction, program: str) -> tuple[Edit, ...]:
    """Insert `exec` before the last start of the program."""
    text = "\n".join(instruction.source)
    start = len(text)
    for _ in range(MOST_PLACES):
        at = start = text.rfind(program, 0, start)
        if at < 0:
            break
        while start and (text[start - 1].isalnum() or text[start - 1] in "_./-"):
            start -= 1  # the folder of the program
        follows = text[at + len(program) : at + len(program) + 1]
        is_whole = start == at or text[at - 1] == "/"
        if is_whole and follows in BLANK + "\"';" and _is_command_start(text[:start], instruction.keyword):
            return _written(instruction, start, start, "exec ")
    return ()


def _is_command_start(text: str, keyword: str) -> bool:
    """Return whether a command begins after the text: at the start, after an operator, or after assignments."""
    for _ in range(MOST_ASSIGNMENTS):
        text = text.rstrip(BLANK + "\\`")
        if text.upper().endswith((keyword, "&&", "||", ";", '"', "'")):
            return True
        words = text.rsplit(None, 1)
        if len(words) != 2 or "=" not in words[1]:
            return False
        text = words[0]
    return False


def add_words(instruction: Instruction, *words: str) -> tuple[Edit, ...]:
    """Add words to the end of the JSON form."""
    text = "\n".join(instruction.source).rstrip()
    if not instruction.is_json or not text.endswith("]"):
        return ()
    end = len(text[:-1].rstrip())
    return _written(instruction, end, end, "".join(f", {json.dumps(word)}" for word in words))


def _written(instruction: Instruction, start: int, end: int, text: str) -> tuple[Edit, ...]:
    """Return the edit between two offsets in the lines of an instruction, unless there is a comment."""
    line, column = _position(instruction, start)
    end_line, end_column = _position(instruction, end)
    commented = {comment.line for comment in instruction.comments}
    return () if commented & set(range(line, end_line + 1)) else (Edit(line, column, end_line, end_column, text),)


def append(instruction: Instruction, text: str) -> tuple[Edit, ...]:
    """Append a text to an instruction in the shell form."""
    commented = any(comment.line >= instruction.end_line for comment in instruction.comments)
    if instruction.is_json or instruction.heredocs or commented or not instruction.source[-1].strip():
        return ()
    line = instruction.source[-1]
    return (Edit(instruction.end_line, len(line.rstrip()) + 1, instruction.end_line, len(line) + 1, text),)


def drop_word(instruction: Instruction, word: str) -> tuple[Edit, ...]:
    """Remove every occurrence of a word, such as an option, and lines that contain nothing else."""
    if instruction.is_json:
        text, quoted = "\n".join(instruction.source), json.dumps(word)
        before = text.partition(quoted)[0].rstrip()
        if text.count(quoted) != 1 or not before.endswith(","):
            return ()
        return _written(instruction, len(before[:-1].rstrip()), text.index(quoted) + len(quoted), "")
    if sum(line.count(word) for line in instruction.source) > MOST_PLACES:
        return ()
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
        at = line.find(word)
        while at >= 0:
            end = at + len(word)
            kept = len(line[:at].rstrip(" \t"))
            if kept < at and line[end : end + 1] in BLANK:
                edits.append(Edit(number, kept + 1, number, end + 1, ""))
            at = line.find(word, end)
    return tuple(edits)


def add_flags(instruction: Instruction, flags: Iterable[str]) -> tuple[Edit, ...]:
    """Add flags to an instruction, each on a line of its own."""
    end = f" {instruction.escape}\n   "
    return insert_flag(instruction, f"{end} ".join(flags) + end)


def insert_flag(instruction: Instruction, flag: str) -> tuple[Edit, ...]:
    """Insert a flag after the keyword of an instruction."""
    column = instruction.column + len(instruction.keyword)
    return (Edit(instruction.line, column, instruction.line, column, f" {flag}"),)


def _position(instruction: Instruction, offset: int) -> tuple[int, int]:
    for number, line in enumerate(instruction.source, start=instruction.line):
        if offset <= len(line):
            return number, offset + 1
        offset -= len(line) + 1
    raise AssertionError("an offset beyond the instruction")
