"""Parse a Dockerfile into instructions with their line numbers.

This follows BuildKit's parser, which defines the format:
https://github.com/moby/buildkit/tree/master/frontend/dockerfile/parser
Every regular expression here takes linear time: quantifiers that could backtrack are possessive.
"""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from itertools import islice, pairwise
from typing import NoReturn

from app.review import shell

# The minimum number of arguments. Without any, CMD and ENTRYPOINT reset those of the base image, and RUN does nothing.
ARGUMENTS = {
    "ADD": 2,
    "ARG": 1,
    "CMD": 0,
    "COPY": 2,
    "ENTRYPOINT": 0,
    "ENV": 1,
    "EXPOSE": 1,
    "FROM": 1,
    "HEALTHCHECK": 1,
    "LABEL": 1,
    "MAINTAINER": 1,
    "ONBUILD": 1,
    "RUN": 0,
    "SHELL": 1,
    "STOPSIGNAL": 1,
    "USER": 1,
    "VOLUME": 1,
    "WORKDIR": 1,
}
# The flags in Dockerfile syntax 1.20. Other instructions have none.
FLAGS = {
    "ADD": {"checksum", "chmod", "chown", "exclude", "keep-git-dir", "link", "unpack"},
    "COPY": {"chmod", "chown", "exclude", "from", "link", "parents"},
    "FROM": {"platform"},
    "HEALTHCHECK": {"interval", "retries", "start-interval", "start-period", "timeout"},
    "RUN": {"device", "mount", "network", "security"},
}
SWITCHES = frozenset({"keep-git-dir", "link", "parents", "unpack"})  # flags that need no value
ANY_FLAG = frozenset({"ARG", "STOPSIGNAL"})  # BuildKit accepts any flag of these
NO_TRIGGERS = frozenset({"FROM", "MAINTAINER", "ONBUILD"})
HEREDOC_KEYWORDS = frozenset({"ADD", "COPY", "RUN"})
JSON_KEYWORDS = frozenset({"ADD", "CMD", "COPY", "ENTRYPOINT", "RUN", "SHELL", "VOLUME"})

# No real Dockerfile reaches these limits. The slowest text within them takes about 0.15 s. The number of words and
# symbols limits everything that consists of them: arguments, flags, mounts, shell commands.
MOST_LINES = 10_000
MOST_INSTRUCTIONS = 1_000
MOST_WORDS = 10_000
WORD_OR_SYMBOL = re.compile(r"[\w./:-]++|[^\w./:\s-]")
LONGEST_LINE = 65_535  # in bytes: BuildKit's own limit
# The longest path on Linux. A long WORKDIR or USER would slow down every step after it.
LONGEST_NAME = 4096
NAMING = frozenset({"ADD", "COPY", "FROM", "USER", "WORKDIR"})

DIRECTIVE = re.compile(r"#\s*+([a-zA-Z][a-zA-Z0-9]*+)\s*+=\s*+(\S.*)")
DIRECTIVES = frozenset({"check", "escape", "syntax"})
FLAG = re.compile(r"--([^=]*+)(=?)(.*)", re.DOTALL)
# A list of quoted words that may be invalid JSON because of its quotes or commas.
LIST = re.compile(r"""\[\s*+(?:'[^']*+'|"[^"]*+"|[“”][^“”]*+[“”])(?P<rest>[^\]]*+)\]""")
ITEM = re.compile(r"""'([^']*+)'|"([^"]*+)"|[“”]([^“”]*+)[“”]""")
HEREDOC = re.compile(r"\d*+<<(-?+)([^<]++)")
# BuildKit accepts only ASCII white space here.
SPACE = re.compile(r"[ \t\r\v\f]++")
# A word as a shell reads it. Quoted parts keep their white space and, until they are unquoted, their quotes.
WORD = {
    escape: re.compile(
        rf"""(?:{re.escape(escape)}.|"(?:{re.escape(escape)}.|[^"{re.escape(escape)}])*+"|'[^']*+'"""
        rf"""|[^ \t\r\n\v\f"'{re.escape(escape)}]++|["'{re.escape(escape)}])+""",
        re.DOTALL,
    )
    for escape in "\\`"
}


class DockerfileError(ValueError):
    """The text is not a Dockerfile. `line` is the invalid line, from 1."""

    def __init__(self, line: int, message: str) -> None:
        super().__init__(message)
        self.line = line


@dataclass(frozen=True, slots=True)
class Heredoc:
    """A document inside an instruction: the word that ends it, and the unchanged lines before that word."""

    name: str
    content: str


@dataclass(frozen=True, slots=True)
class Comment:
    """A comment: its line number, and its text without the `#`."""

    line: int
    text: str


@dataclass(frozen=True)
class Instruction:
    """One instruction of a Dockerfile.

    `keyword` is in capitals. `flags` are its `--name=value` words in order, and `value` is the rest, with continued
    lines joined. `words` are the arguments: the strings of the JSON form if `is_json`, else the shell words of the
    value. `line` and `end_line` count from 1 and include heredocs. `comments` are those between the previous
    instruction and this one, and those between its lines. `source` are its unchanged lines, and `escape` is the
    character that continues them.
    """

    keyword: str
    flags: tuple[tuple[str, str], ...]
    value: str
    words: tuple[str, ...]
    is_json: bool
    heredocs: tuple[Heredoc, ...]
    line: int
    end_line: int
    comments: tuple[Comment, ...]
    source: tuple[str, ...]
    escape: str

    @cached_property
    def column(self) -> int:
        """The column of its keyword in its first line, from 1."""
        return len(self.source[0]) - len(self.source[0].lstrip()) + 1

    @cached_property
    def top(self) -> int:
        """The first line of the comments directly above it, except directives, or else its own first line."""
        comments = {comment.line: comment.text for comment in self.comments}
        line = self.line
        while line - 1 in comments and not DIRECTIVE.fullmatch(f"#{comments[line - 1]}"):
            line -= 1
        return line

    def flag(self, name: str) -> str | None:
        """Return the value of the flag, or None."""
        return self._last_flags.get(name)

    @cached_property
    def _last_flags(self) -> dict[str, str]:
        return dict(self.flags)

    @cached_property
    def mounts(self) -> list[dict[str, str]]:
        """The options of every `--mount` of a RUN, by BuildKit's preferred names."""
        aliases = {"dst": "target", "destination": "target", "src": "source"}
        mounts = []
        for flag, value in self.flags:
            if flag == "mount":
                options = [option.partition("=") for option in value.split(",")]
                named = {aliases.get(name.lower(), name.lower()): text for name, _, text in options}
                mounts.append({"type": "bind"} | named)
        return mounts

    @property
    def origins(self) -> list[str]:
        """The words that name the stages and images that it copies from or mounts."""
        named = [self.flag("from"), *(mount.get("from") for mount in self.mounts)]
        return [word for word in named if word]

    @property
    def assignments(self) -> list[tuple[str, str | None]]:
        """The names and values of an ENV or ARG. The value of an ARG without a default is None."""
        if self.keyword == "ENV" and "=" not in self.words[0]:
            return [(self.words[0], " ".join(self.words[1:]))]  # the old form: ENV name value
        pairs = [word.partition("=") for word in self.words]
        return [(name, value if equals else None) for name, equals, value in pairs]

    @cached_property
    def mistaken(self) -> list[str] | None:
        """The words of a command that looks like the JSON form but is invalid, or that has one string for all words.

        None for any other instruction. `RUN [ "$NAME" ]` is a test.
        """
        if self.keyword not in {"CMD", "ENTRYPOINT", "RUN"}:
            return None
        if self.is_json:
            is_program = bool(self.words) and re.search(r"\S\s+\S", self.words[0])
            return [*self.words[0].split(), *self.words[1:]] if is_program else None
        match = LIST.fullmatch(self.value)
        rest = match["rest"].lstrip() if match else ""
        if not match or not (rest.startswith(",") or (not rest and self.keyword != "RUN")):
            return None
        return [next(filter(None, item.groups()), "") for item in ITEM.finditer(self.value)]

    @cached_property
    def commands(self) -> list[tuple[str, ...]]:
        """The simple commands of a RUN, CMD or ENTRYPOINT, in order."""
        if self.is_json or self.mistaken:
            return shell.unwrapped(self.mistaken or self.words)
        found = shell.commands(self.value)
        if all(shell.is_shell(command) for command in found):
            # A shell reads the heredocs. It can be the one that RUN starts.
            for heredoc in self.heredocs:
                if shell.is_shell_script(heredoc.content):
                    found += shell.commands(heredoc.content)
        return found

    @cached_property
    def json_words(self) -> tuple[str, ...] | None:
        """The strings of the JSON form, also that of a HEALTHCHECK's command, or None for the shell form."""
        if self.keyword == "HEALTHCHECK":
            return json_array(self.value[len("CMD") :].strip(), self.line)
        return self.words if self.is_json else None

    @cached_property
    def check(self) -> list[tuple[str, ...]]:
        """The simple commands of a HEALTHCHECK in either form."""
        if self.json_words is None:
            return shell.commands(self.value[len("CMD") :].strip())
        return shell.unwrapped(self.json_words)


def parse(text: str) -> list[Instruction]:
    """Parse a Dockerfile and return its instructions in order.

    Raises DockerfileError if BuildKit would reject the text too, or if it exceeds the limits.
    """
    lines = _lines(text)
    escape = _escape(lines)
    instructions: list[Instruction] = []
    comments: list[Comment] = []
    at = 0
    while at < len(lines):
        start = at
        line, at = lines[at].lstrip(), at + 1
        if line.startswith("#"):
            comments.append(Comment(at, line[1:].strip()))
            continue
        part, going = _continued(line, escape)
        parts = [part]
        while going and at < len(lines):
            line, at = lines[at], at + 1
            stripped = line.lstrip()
            if stripped.startswith("#"):
                comments.append(Comment(at, stripped[1:].strip()))
            elif stripped:
                part, going = _continued(line, escape)
                parts.append(part)
        if joined := "".join(parts).strip():
            if len(instructions) == MOST_INSTRUCTIONS:
                raise DockerfileError(start + 1, f"more than {MOST_INSTRUCTIONS} instructions")
            instruction, at = _instruction(joined, lines, start, at, escape, tuple(comments))
            instructions.append(instruction)
            comments = []
    return instructions


def _lines(text: str) -> list[str]:
    """Return the lines of the text. Raises DockerfileError if it is invalid or exceeds the limits."""
    if "\0" in text:
        raise DockerfileError(_line_at(text, text.index("\0")), "a NUL character: this is not text")
    if surrogate := LONE_SURROGATE.search(text):
        raise DockerfileError(_line_at(text, surrogate.start()), "a lone surrogate: this is not text")
    if text.count("\n") > MOST_LINES:
        raise DockerfileError(MOST_LINES + 1, f"more than {MOST_LINES} lines")
    # Count them only if there can be too many.
    words = WORD_OR_SYMBOL.finditer(text) if len(text) > MOST_WORDS else iter(())
    if beyond := next(islice(words, MOST_WORDS, None), None):
        raise DockerfileError(_line_at(text, beyond.start()), f"more than {MOST_WORDS} words and symbols")
    lines = text.removeprefix("\ufeff").split("\n")
    for number, line in enumerate(lines, start=1):
        if len(line) > LONGEST_LINE // 4 and len(line.encode()) > LONGEST_LINE:
            raise DockerfileError(number, f"a line of more than {LONGEST_LINE} bytes")
    return [line.removesuffix("\r") for line in lines] if "\r" in text else lines


def _line_at(text: str, at: int) -> int:
    return text.count("\n", 0, at) + 1


def _escape(lines: list[str]) -> str:
    """Return the escape character that a directive at the top sets, or else the backslash."""
    seen: dict[str, str] = {}
    for number, line in enumerate(lines, start=1):
        match = DIRECTIVE.fullmatch(line.strip())
        if not match or match[1].lower() not in DIRECTIVES:
            break
        name = match[1].lower()
        if name in seen:
            raise DockerfileError(number, f"only one {name} parser directive can be used")
        seen[name] = match[2]
        if name == "escape" and match[2] not in WORD:
            raise DockerfileError(number, "the escape directive must be a backslash or a backtick")
    return seen.get("escape", "\\")


def _continued(line: str, escape: str) -> tuple[str, bool]:
    """Return the line without the escape character that continues it, and whether there was one."""
    stripped = line.rstrip(" \t")
    if stripped.endswith(escape) and not stripped.endswith(escape * 2):
        return stripped[:-1], True
    return line, False


def _instruction(
    text: str, lines: list[str], start: int, at: int, escape: str, comments: tuple[Comment, ...]
) -> tuple[Instruction, int]:
    """Return the instruction in `text`, with its heredocs from `lines`, and the index of the line after it."""
    number = start + 1
    keyword, *rest = SPACE.split(text, maxsplit=1)
    if keyword.upper() not in ARGUMENTS:
        suggestion = _suggestion(keyword.upper(), ARGUMENTS)
        raise DockerfileError(number, f"unknown instruction: {_quoted(keyword)}{suggestion}")
    keyword = keyword.upper()
    flags, value = _flags(keyword, rest[0] if rest else "", escape, number)

    heredocs = []
    array = json_array(value, number) if keyword in JSON_KEYWORDS else None
    raw_words = WORD[escape].findall(value) if array is None else []
    for name, chomp in _heredoc_starts(keyword, raw_words, escape) if "<<" in value else []:
        content = []
        while at < len(lines) and (lines[at].lstrip("\t") if chomp else lines[at]) != name:
            content.append(lines[at])
            at += 1
        if at == len(lines):
            raise DockerfileError(number, f"unterminated heredoc: {_quoted(name)}")
        at += 1
        heredocs.append(Heredoc(name, "\n".join(content)))

    words = tuple(shell.unquote(word, escape) for word in raw_words) if array is None else array
    end = min(at, len(lines))
    source = tuple(lines[start:end])
    instruction = Instruction(
        keyword, flags, value, words, array is not None, tuple(heredocs), number, end, comments, source, escape
    )
    if objection := _objection(instruction):
        raise DockerfileError(number, objection)
    return instruction, at


def _objection(instruction: Instruction) -> str | None:
    """Return what is wrong with the arguments of an instruction, or None."""
    keyword, words = instruction.keyword, instruction.words
    if len(words) < (needed := ARGUMENTS[keyword]):
        return f"{keyword} needs {'an argument' if needed == 1 else 'two arguments'}"
    if keyword in NAMING and any(len(word) > LONGEST_NAME for word in words):
        return f"a name or path in {keyword} may have at most {LONGEST_NAME} characters"
    first, *rest = SPACE.split(instruction.value, maxsplit=1)
    first = first.upper()
    match keyword:
        case "ARG" | "ENV" | "LABEL" if any(word.startswith("=") for word in words) and (
            keyword == "ARG" or "=" in words[0]
        ):
            return f"{keyword} needs a name before =, without spaces around the ="
        case "ENV" | "LABEL" if "=" in words[0]:
            odd = next((word for word in words if "=" not in word), None)
            return None if odd is None else f"{keyword} needs name=value, not {_quoted(odd)}"
        case "ENV" | "LABEL" if len(words) == 1:  # otherwise it is the old form, `ENV name value`
            return f"{keyword} needs a name and a value"
        case "HEALTHCHECK" if first == "NONE":
            return "HEALTHCHECK NONE takes no arguments" if rest else None
        case "HEALTHCHECK" if first != "CMD":
            return f"HEALTHCHECK needs CMD or NONE, not {_quoted(first)}"
        case "HEALTHCHECK" if not rest or json_array(rest[0], instruction.line) == ():
            return "HEALTHCHECK CMD needs a command"
        case "ONBUILD" if first in NO_TRIGGERS:
            return f"ONBUILD cannot trigger {first}"
        case "SHELL" if not instruction.is_json:
            return "SHELL needs the JSON form"
    return None


def _heredoc_starts(keyword: str, raw_words: list[str], escape: str) -> list[tuple[str, bool]]:
    """Return the word that ends each heredoc in the words, and whether tabs before its lines are ignored."""
    if keyword == "ONBUILD":
        keyword, raw_words = raw_words[0].upper() if raw_words else "", raw_words[1:]
    if keyword not in HEREDOC_KEYWORDS:
        return []
    starts = []
    for word, following in pairwise([*raw_words, ""]):
        # BuildKit allows white space after << but not after <<-.
        match = HEREDOC.fullmatch(word + following if re.fullmatch(r"\d*+<<", word) else word)
        if match:
            starts.append((shell.unquote(match[2], escape), bool(match[1])))
    return starts


def _flags(keyword: str, text: str, escape: str, number: int) -> tuple[tuple[tuple[str, str], ...], str]:
    """Return the leading `--name=value` words, and the text after them."""
    known = FLAGS.get(keyword, set())
    flags = []
    at = 0
    for match in WORD[escape].finditer(text):
        flag = FLAG.fullmatch(shell.unquote(match[0], escape)) if match[0].startswith("--") else None
        if not flag or match[0] == "--":
            at = match.end() if flag else match.start()
            break
        name, equals, value = flag.groups()
        if keyword not in ANY_FLAG and name not in known:
            suggestion = _suggestion(f"--{name}", [f"--{name}" for name in sorted(known)])
            raise DockerfileError(number, f"unknown flag of {keyword}: {_quoted(f'--{name}')}{suggestion}")
        if not equals and name in known - SWITCHES:
            raise DockerfileError(number, f"--{name} needs a value: --{name}=…")
        flags.append((name, value))
        at = match.end()
    return tuple(flags), text[at:].strip()


def json_array(value: str, number: int) -> tuple[str, ...] | None:
    """Return the strings of the JSON form, or None if the value is not in it."""
    if not value.startswith("["):
        return None
    try:
        array = JSON.decode(value)
    except (ValueError, RecursionError):
        return None  # BuildKit also reads it as the shell form
    if not all(isinstance(item, str) for item in array):
        raise DockerfileError(number, "the JSON form may contain only strings")
    return tuple(LONE_SURROGATE.sub("\N{REPLACEMENT CHARACTER}", item) for item in array)


def _no_json(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not JSON")


# Numbers are only rejected, so do not parse them: Python fails if they have thousands of digits.
JSON = json.JSONDecoder(parse_constant=_no_json, parse_float=len, parse_int=len)
# JSON can encode it, but UTF-8 cannot. BuildKit replaces it too.
LONE_SURROGATE = re.compile(r"[\ud800-\udfff]")


def _quoted(text: str) -> str:
    """Return the start of the text, quoted and in printable ASCII."""
    return ascii(text if len(text) <= 40 else text[:39] + "…")


def _suggestion(word: str, known: Iterable[str]) -> str:
    close = difflib.get_close_matches(word[:40], known, n=1)
    return f" (did you mean {close[0]}?)" if close else ""
