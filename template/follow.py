"""Follow pages of the documentation exactly: create their files, apply their diffs, and run their commands.

`python -m template.follow FOLDER PAGE ...` runs in a copy of the project. In a page,

- a code block below a line with a path and a colon is the content of that file,
- a `diff` block is applied by git,
- a `console` block is run, and its output is compared with the page; `…` matches anything,
- a comment `<!-- not run: REASON -->` leaves out the block below it.
"""

import argparse
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from markdown_it import MarkdownIt
from markdown_it.token import Token

# The time limit of each command, in seconds.
TIMEOUT = 1200
NOT_RUN = re.compile(r"<!-- not run: (.+) -->\s*")
FILE = re.compile(r"`([\w./-]+)`:")


class FollowError(Exception):
    """A page cannot be followed. The message gives the reason."""


@dataclass(frozen=True)
class Step:
    """A block of a page: `kind` is diff, console, or file if it is the content of the file at `path`."""

    page: str
    line: int
    kind: str
    text: str
    path: str = ""

    def __str__(self) -> str:
        return f"{self.page}:{self.line}: {self.path or self.kind}"


def steps(page: Path) -> Iterator[Step]:
    """Return the steps of a page in order, and print those that it leaves out."""
    before: Token | None = None
    for token in MarkdownIt("commonmark").parse(page.read_text()):
        if token.type == "fence":
            line = token.map[0] + 1 if token.map else 0
            left_out = before and before.type == "html_block" and NOT_RUN.fullmatch(before.content)
            named = before and before.type == "inline" and FILE.fullmatch(before.content)
            if left_out:
                print(f"{page.name}:{line}: not run: {left_out[1]}", flush=True)
            elif named:
                yield Step(page.name, line, "file", token.content, named[1])
            elif token.info in {"diff", "console"}:
                yield Step(page.name, line, token.info, token.content)
        if token.type in {"fence", "html_block", "inline"}:
            before = token


def commands(text: str) -> Iterator[tuple[str, str]]:
    """Return the commands of a console block, each with the output that is shown below it."""
    for part in re.split(r"^\$ ", text, flags=re.MULTILINE)[1:]:
        command, *rest = re.split(r"(?<!\\)\n", part, maxsplit=1)
        yield command, "".join(rest)


def run(folder: Path, command: list[str], text: str = "") -> str:
    """Run the command, print its output and return it. Raises FollowError if it fails."""
    done = subprocess.run(
        command,
        cwd=folder,
        input=text,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=TIMEOUT,
        check=False,
    )
    print(done.stdout, end="", flush=True)
    if done.returncode:
        raise FollowError(f"exit code {done.returncode}")
    return done.stdout


def matches(shown: str, printed: str) -> bool:
    """Return True if a command printed what the page shows."""
    pattern = ".*".join(re.escape(part.strip("\n")) for part in shown.strip().split("…"))
    return re.fullmatch(rf"\s*{pattern}\s*", printed, re.DOTALL) is not None


def follow(folder: Path, step: Step) -> None:
    """Run a step. Raises FollowError if it fails or prints something other than the page shows."""
    if step.kind == "file":
        path = folder / step.path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(step.text)
    elif step.kind == "diff":
        run(folder, ["git", "apply", "--whitespace=nowarn", "-"], step.text)
    else:
        for command, shown in commands(step.text):
            print(f"$ {command}", flush=True)
            printed = run(folder, ["bash", "-euo", "pipefail", "-c", command])
            if shown.strip() and not matches(shown, printed):
                raise FollowError(f"this was not printed:\n{shown}")


def main() -> int:
    """Follow the pages. Return 1 if that fails."""
    parser = argparse.ArgumentParser(prog="python -m template.follow", description="Follow pages of the documentation.")
    parser.add_argument("folder", metavar="FOLDER", type=Path)
    parser.add_argument("pages", metavar="PAGE", type=Path, nargs="+")
    arguments = parser.parse_args()
    begin = time.monotonic()
    for page in arguments.pages:
        for step in steps(page):
            print(f"== {time.monotonic() - begin:.0f} s, {step}", flush=True)
            try:
                follow(arguments.folder, step)
            except FollowError as error:
                print(f"{step}: {error}", file=sys.stderr)
                return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
