"""Shell text in, simple commands out, each as its words.

A reading, not a shell: expansions stay as they are written, and what only running could tell (a
script in a file, a value of a variable) is not known here.
"""

import re
from collections.abc import Sequence

TOKEN = re.compile(
    r"""(?:[ \t\r]|\\\n)*+
    (?: (?P<comment>\#[^\n]*+)
    | (?P<redirection>\d*+(?:&>>?|<<<|<<-?|>>|[<>])&?)
    | (?P<separator>[\n;&|()`]++)
    | (?P<word>(?:\\.|"(?:\\.|[^"\\])*+"|'[^']*+'|[^\s;&|()`<>])++)
    | (?P<other>.)
    )""",
    re.DOTALL | re.VERBOSE,
)
ASSIGNMENT = re.compile(r"[A-Za-z_]\w*+=")
# Words before a command that leave it what it is.
PREFIXES = frozenset(
    {"!", "{", "command", "do", "elif", "else", "env", "exec", "if", "nice", "nohup", "sudo", "then", "time"}
    | {"timeout", "until", "while", "xargs"}
)
# Options of these words that are followed by a value.
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
    """The word without the quotes and escapes that made it one."""

    if escape not in word and '"' not in word and "'" not in word:
        return word

    def content(match: re.Match[str]) -> str:
        if match["double"]:
            return ESCAPED[escape].sub(r"\1", match["double"])
        return match["single"] or (match["char"] or "").strip("\n")

    return QUOTED[escape].sub(content, word)


def commands(script: str) -> list[tuple[str, ...]]:
    """The simple commands of a script, in order; the first word of each is the program, without its folder."""
    found = []
    words: list[str] = []
    redirection = ""
    ends: list[str] = []  # what ends each heredoc that was opened in this line
    at = 0
    script += "\n\n"  # ends the last command, even where a backslash takes the first of the two
    while token := TOKEN.match(script, at):
        at = token.end()
        match token.lastgroup:
            case "word" if not redirection:
                words.append(unquote(token["word"]))
            case "word":
                if redirection.startswith("<<") and redirection != "<<<":
                    ends.append(unquote(token["word"]))
                redirection = ""
            case "redirection":
                redirection = token["redirection"].lstrip("0123456789")
            case "separator":
                found += unwrapped(words)
                words, redirection = [], ""
                if ends and "\n" in token["separator"]:
                    at = _after_heredocs(script, token.start("separator") + token["separator"].index("\n") + 1, ends)
                    ends = []
    return found


def _after_heredocs(script: str, at: int, ends: list[str]) -> int:
    """Where the script goes on after the heredocs that begin at `at`."""
    for end in ends:
        while at < len(script):
            line, _, _ = script[at : script.index("\n", at) + 1].partition("\n")
            at += len(line) + 1
            if line.lstrip("\t") == end:
                break
    return at


def unwrapped(words: Sequence[str]) -> list[tuple[str, ...]]:
    """The command in the words, without what stands before it; the commands of `sh -c` instead of the shell."""
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
    """Whether a shell's options have a `c`, and what comes after them."""
    at, inline = 0, False
    while at < len(arguments) and arguments[at].startswith("-"):
        letters = "" if arguments[at].startswith("--") else arguments[at]
        inline |= "c" in letters
        at += 2 if letters.endswith("o") else 1  # -o is followed by the name of an option
    return inline, arguments[at:]


def is_shell(command: Sequence[str]) -> bool:
    """Whether the command is a shell that reads its script from standard input."""
    program, *arguments = command
    return program in SHELLS and not _operands(arguments)[1]


def is_shell_script(text: str) -> bool:
    """Whether the text is a shell's: without a first line that names another interpreter."""
    shebang = text.removeprefix("#!").partition("\n")[0]
    return not text.startswith("#!") or not SHELLS.isdisjoint(re.split(r"[\s/]+", shebang))
