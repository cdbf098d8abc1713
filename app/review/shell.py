"""Parse a shell script into its simple commands, each a tuple of words.

Nothing is expanded or run: variables stay as they are written, and scripts in files are not read.
"""

import re
from collections.abc import Sequence

# Shells split words only at ASCII white space.
TOKEN = re.compile(
    r"""(?P<blank>(?:[ \t\r]|\\\n)*+)
    (?: (?P<comment>(?:(?<=[\s;&|()])|\A)\#[^\n]*+)
    | (?P<redirection>\d*+(?:&>>?|<<<|<<-?|>>|[<>])&?)
    | (?P<separator>[\n;&|]++)
    | (?P<open>\$\((?!\())
    | (?P<bracket>[()])
    | (?P<tick>`)
    | (?P<word>(?:\\.|"(?:\\.|[^"\\])*+"|'[^']*+'|\$\(\([^()\n]*+\)\)|\$(?!\()|[^\s;&|()`<>$"'\\]++|["'\\])+)
    | (?P<other>.)
    )""",
    re.ASCII | re.DOTALL | re.VERBOSE,
)
# Replaces a command substitution in a word: `$(nproc)`, and the same in backquotes.
SUBSTITUTION = "$(…)"
ASSIGNMENT = re.compile(r"[A-Za-z_]\w*+=")
# Words before a command that do not change which program it runs.
PREFIXES = frozenset(
    {"!", "{", "command", "do", "elif", "else", "env", "exec", "if", "nice", "nohup", "sudo", "then", "time"}
    | {"timeout", "until", "while", "xargs"}
)
# Options of these words that have a value.
VALUED = frozenset({"-C", "-g", "-k", "-n", "-s", "-u", "--user"})
DURATION = re.compile(r"[\d.]+[smhd]?")
SHELLS = frozenset({"sh", "bash", "dash", "ash", "zsh"})
QUOTED = {
    escape: re.compile(
        rf"""'(?P<single>[^']*+)'|"(?P<double>(?:{re.escape(escape)}.|[^"{re.escape(escape)}])*+)"
        |{re.escape(escape)}(?P<char>.)|["']""",
        re.DOTALL | re.VERBOSE,
    )
    for escape in "\\`"
}
ESCAPED = {escape: re.compile(re.escape(escape) + r'([$"\\`])') for escape in "\\`"}  # within double quotes


def unquote(word: str, escape: str = "\\") -> str:
    """Return the word without its quotes and escapes."""

    if escape not in word and '"' not in word and "'" not in word:
        return word

    def content(match: re.Match[str]) -> str:
        if match["double"]:
            return ESCAPED[escape].sub(r"\1", match["double"])
        return match["single"] or (match["char"] or "").strip("\n")

    return QUOTED[escape].sub(content, word)


def commands(script: str) -> list[tuple[str, ...]]:
    """Return the simple commands of a script, in order. The first word of each is the program, without its folder.

    The commands of a command substitution come before the command that contains it.
    """
    found = []
    words: list[str] = []
    part: str | None = None  # what was read of the current word
    redirection = ""
    ends: list[str] = []  # the delimiters of the heredocs that this line opens
    around: list[tuple[str, list[str], str | None, str]] = []  # what each open bracket or backquote interrupts
    at = 0

    def end_word() -> None:
        nonlocal part, redirection
        if part is None:
            return
        if redirection.startswith("<<") and redirection != "<<<":
            ends.append(part)
        elif not redirection:
            words.append(part)
        part, redirection = None, ""

    def end_command() -> None:
        nonlocal words, redirection
        end_word()
        found.extend(unwrapped(words))
        words, redirection = [], ""

    script += "\n\n"  # ends the last command, even if a backslash escapes the first newline
    while token := TOKEN.match(script, at):
        at = token.end()
        if token["blank"]:
            end_word()
        kind = token.lastgroup
        opened = around[-1][0] if around else ""
        if kind == "word":
            part = (part or "") + unquote(token["word"])
        elif kind == "redirection":
            end_word()
            redirection = token["redirection"].lstrip("0123456789")
        elif kind == "open" or (kind == "tick" and opened != "`"):
            around.append((token[kind], words, part or "", redirection))
            words, part, redirection = [], None, ""
        elif kind == "tick" or (token["bracket"] == ")" and opened == "$("):
            end_command()
            _, words, part, redirection = around.pop()
            part = (part or "") + SUBSTITUTION
        elif kind in {"bracket", "separator"}:
            end_command()
            if token["bracket"] == "(":
                around.append(("(", [], None, ""))
            elif token["bracket"] == ")" and opened == "(":
                around.pop()
            if ends and "\n" in (token["separator"] or ""):
                at = _after_heredocs(script, token.start("separator") + token["separator"].index("\n") + 1, ends)
                ends.clear()
    end_command()
    while around:  # close what is still open
        opened, words, part, redirection = around.pop()
        part = part if opened == "(" else (part or "") + SUBSTITUTION
        end_command()
    return found


def _after_heredocs(script: str, at: int, ends: list[str]) -> int:
    """Return where the script continues after the heredocs that begin at `at`."""
    for end in ends:
        while at < len(script):
            line, _, _ = script[at : script.index("\n", at) + 1].partition("\n")
            at += len(line) + 1
            if line.lstrip("\t") == end:
                break
    return at


def unwrapped(words: Sequence[str]) -> list[tuple[str, ...]]:
    """Return the command in the words, without prefixes. For `sh -c`, return the commands of its script."""
    start = 0
    timed = False
    while start < len(words):
        word = words[start]
        timed |= word == "timeout"
        if start and word in VALUED:
            start += 1
        elif not (
            word in PREFIXES
            or ASSIGNMENT.match(word)
            or (start and word.startswith("-"))
            or (timed and DURATION.fullmatch(word))
        ):
            break
        start += 1
    if start >= len(words):
        return []
    program = words[start].rpartition("/")[2]
    arguments = words[start + 1 :]
    if program in SHELLS:
        inline, operands = _operands(arguments)
        if inline and operands:
            return commands(operands[0])
    return [(program, *arguments)]


def _operands(arguments: Sequence[str]) -> tuple[bool, Sequence[str]]:
    """Return whether the options of a shell include `c`, and the arguments after the options."""
    at, inline = 0, False
    while at < len(arguments) and arguments[at].startswith("-"):
        letters = "" if arguments[at].startswith("--") else arguments[at]
        inline |= "c" in letters
        at += 2 if letters.endswith("o") else 1  # -o is followed by the name of an option
    return inline, arguments[at:]


def is_shell(command: Sequence[str]) -> bool:
    """Return whether the command is a shell that reads its script from standard input."""
    program, *arguments = command
    return program in SHELLS and not _operands(arguments)[1]


def is_shell_script(text: str) -> bool:
    """Return whether the text is a shell script: no first line names another interpreter."""
    shebang = text.removeprefix("#!").partition("\n")[0]
    return not text.startswith("#!") or not SHELLS.isdisjoint(re.split(r"[\s/]+", shebang))
