"""Shell text in, simple commands out, each as its words.

A reading, not a shell: expansions stay as they are written, and what only running could tell (a
script in a file, a value of a variable) is not known here.
"""

import re
from collections.abc import Sequence

TOKEN = re.compile(
    r"""(?P<space>(?:[ \t\r]|\\\n)++)
    | (?P<comment>\#[^\n]*+)
    | (?P<redirection>\d*+(?:&>>?|<<<|<<-?|>>|[<>])&?)
    | (?P<separator>[\n;&|()`]++)
    | (?P<word>(?:\\.|"(?:\\.|[^"\\])*+"|'[^']*+'|[^\s;&|()`<>])++)
    | (?P<other>.)""",
    re.DOTALL | re.VERBOSE,
)
QUOTING = re.compile(r"""\\\n|\\(.)|["']""", re.DOTALL)
ASSIGNMENT = re.compile(r"[A-Za-z_]\w*+=")
# Words before a command that leave it what it is.
RESERVED = frozenset(
    {"!", "{", "command", "do", "elif", "else", "env", "exec", "if", "nohup", "sudo", "then", "time", "until", "while"}
)
SHELLS = frozenset({"sh", "bash", "dash", "ash", "zsh"})


def commands(script: str) -> list[tuple[str, ...]]:
    """The simple commands of a script, in order; the first word of each is the program, without its folder."""
    found = []
    words: list[str] = []
    after_redirection = False
    for token in TOKEN.finditer(script + "\n"):
        if token["word"]:
            if not after_redirection:
                words.append(token["word"])
            after_redirection = False
        elif token["redirection"]:
            after_redirection = True
        elif token["separator"]:
            found += unwrapped([QUOTING.sub(lambda match: match[1] or "", word) for word in words])
            words = []
            after_redirection = False
    return found


def unwrapped(words: Sequence[str]) -> list[tuple[str, ...]]:
    """The command in the words, without what stands before it; the commands of `sh -c` instead of the shell."""
    start = 0
    while start < len(words) and (
        words[start] in RESERVED or ASSIGNMENT.match(words[start]) or (start and words[start].startswith("-"))
    ):
        start += 1
    if start == len(words):
        return []
    program = words[start].rpartition("/")[2]
    arguments = words[start + 1 :]
    options = [word for word in arguments if word.startswith("-")]
    if program in SHELLS and options and options[-1].endswith("c") and len(arguments) > len(options):
        return commands(arguments[len(options)])
    return [(program, *arguments)]


def is_shell(command: Sequence[str]) -> bool:
    """Whether the command is a shell that reads its script from standard input."""
    program, *options = command
    return program in SHELLS and all(option.startswith("-") for option in options)


def is_shell_script(text: str) -> bool:
    """Whether the text is a shell's: without a first line that names another interpreter."""
    first = text.partition("\n")[0].split()
    return not text.startswith("#!") or first[-1].rpartition("/")[2] in SHELLS
