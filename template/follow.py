"""Follow pages of the documentation exactly: create their files, apply their diffs, and run their commands.

`python -m template.follow FOLDER PAGE ...` runs in a copy of the project. In a page,

- a code block below a line with a path and a colon is the content of that file,
- a `diff` block is applied by git,
- a `console` block is run, and what it prints is compared with what the page shows; `…` stands for anything. All the
  commands of a page run in one shell, so its variables last. A command may fail if the page shows all that it prints,
- a comment `<!-- not run: REASON -->` leaves out the block below it, or all of the page if it is below the title,
- a comment `<!-- keeps running -->` starts the first command below it, waits for its output, and stops it at the next
  such comment or the end of the page. Meanwhile `curl` is repeated for a while, because a server needs time to reload,
  or to be built again.
"""

import argparse
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Thread, Timer

from markdown_it import MarkdownIt
from markdown_it.token import Token

# The most seconds that a command may take, that a server may take to change, and that a command may take to stop.
TIMEOUT = 1200
RELOAD = 600
STOP = 60
NOT_RUN = re.compile(r"<!-- not run: (.+) -->\s*")
KEEPS_RUNNING = "<!-- keeps running -->"
FILE = re.compile(r"`([\w./-]+)`:")


class FollowError(Exception):
    """A page cannot be followed. The message gives the reason."""


@dataclass(frozen=True)
class Step:
    """A block of a page: a diff, a console, a console that keeps running, or the content of the file at `path`.

    If there is a reason, the block is not run.
    """

    page: str
    line: int
    kind: str
    text: str
    path: str = ""
    reason: str = ""

    def __str__(self) -> str:
        return f"{self.page}:{self.line}: {self.path or self.kind}"


def steps(page: Path) -> Iterator[Step]:
    """Return the steps of a page in order, with those that are not run."""
    before: Token | None = None
    reason = page_reason = ""
    for token in MarkdownIt("commonmark").parse(page.read_text()):
        if token.type == "html_block":
            found = NOT_RUN.fullmatch(token.content)
            reason = found[1] if found else ""
            if before and before.type == "heading_close" and before.tag == "h1":
                page_reason = reason
        elif token.type == "fence":
            line = token.map[0] + 1 if token.map else 0
            named = before and before.type == "inline" and FILE.fullmatch(before.content)
            keeps_running = before and before.type == "html_block" and before.content.strip() == KEEPS_RUNNING
            kind = "file" if named else "keeps running" if keeps_running else token.info
            if kind in {"file", "keeps running", "diff", "console"}:
                path = named[1] if named else ""
                yield Step(page.name, line, kind, token.content, path, reason or page_reason)
        if token.type in {"fence", "html_block", "inline", "heading_close"}:
            before = token
        if token.type in {"fence", "inline"}:
            reason = ""


def commands(text: str) -> Iterator[tuple[str, str]]:
    """Return the commands of a console block, each with the output that is shown below it."""
    for part in re.split(r"^\$ ", text, flags=re.MULTILINE)[1:]:
        command, *rest = re.split(r"(?<!\\|\||&)\n", part, maxsplit=1)
        yield command, "".join(rest)


def start(folder: Path, arguments: list[str], stdin: int) -> subprocess.Popen[str]:
    """Start bash in a session of its own, so that it can be stopped with all that it started."""
    return subprocess.Popen(
        ["bash", *arguments],
        cwd=folder,
        stdin=stdin,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


def stop(process: subprocess.Popen[str]) -> None:
    """Stop the shell with all that it started."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGTERM)


class Shell:
    """The shell in which the commands of a page run."""

    # What it prints after a command, before the exit code.
    END = "=== exit code "

    def __init__(self, folder: Path) -> None:
        self.process = start(folder, ["-uo", "pipefail"], subprocess.PIPE)

    def run(self, command: str) -> tuple[str, int]:
        """Run the command, print its output, and return it with the exit code."""
        if not self.process.stdin or not self.process.stdout:
            raise FollowError("the shell has no input or output")
        printed = ""
        timer = Timer(TIMEOUT, self.stop)
        timer.start()
        try:
            self.process.stdin.write(f'{{ {command}\n}} </dev/null\necho "{self.END}$?"\n')
            self.process.stdin.flush()
            for line in self.process.stdout:
                text, end, code = line.partition(self.END)
                print(text, end="", flush=True)
                printed += text
                if end:
                    return printed, int(code)
        finally:
            timer.cancel()
        raise FollowError("the shell ended")

    def stop(self) -> None:
        """Stop the shell with all that it started."""
        stop(self.process)


def apply(folder: Path, diff: str) -> None:
    """Apply the diff. Raises FollowError if that fails."""
    command = ["git", "apply", "--whitespace=nowarn", "-"]
    done = subprocess.run(command, cwd=folder, input=diff, text=True, stderr=subprocess.STDOUT, check=False)
    if done.returncode:
        raise FollowError(f"exit code {done.returncode}")


def matches(shown: str, printed: str) -> bool:
    """Return True if a command printed what the page shows."""
    pattern = ".*".join(re.escape(part.strip("\n")) for part in shown.strip().split("…"))
    return re.fullmatch(rf"\s*{pattern}\s*", printed, re.DOTALL) is not None


def check(shown: str, printed: str, code: int) -> None:
    """Raise FollowError if a command failed, or printed something else than the page shows."""
    problems = []
    same = matches(shown, printed)
    if code and not (same and shown.strip() and "…" not in shown):
        problems.append(f"exit code {code}")
    if shown.strip() and not same:
        problems.append(f"this was not printed:\n{shown}")
    if problems:
        raise FollowError("; ".join(problems))


class Running:
    """The command that keeps running while the page is followed, if there is one."""

    def __init__(self) -> None:
        self.process: subprocess.Popen[str] | None = None
        self.reader = Thread()
        self.printed = ""

    def start(self, folder: Path, command: str, shown: str) -> None:
        """Stop the last command, start this one, and wait for its output. Raises FollowError if that does not come."""
        self.stop()
        self.printed = ""
        process = start(folder, ["-euo", "pipefail", "-c", command], subprocess.DEVNULL)
        self.process = process
        self.reader = Thread(target=self._read, args=(process,))
        self.reader.start()
        end = time.monotonic() + TIMEOUT
        while not matches(f"{shown.strip()}…", self.printed):
            if not self.reader.is_alive() or time.monotonic() > end:
                raise FollowError(f"this was not printed:\n{shown}")
            time.sleep(0.2)

    def _read(self, process: subprocess.Popen[str]) -> None:
        for line in process.stdout or []:
            print(line, end="", flush=True)
            self.printed += line

    def check(self) -> None:
        """Raise FollowError if the command has ended."""
        if self.process and self.process.poll() is not None:
            raise FollowError(f"the command that keeps running ended with exit code {self.process.returncode}")

    def stop(self) -> None:
        """Stop the command with all that it started, which ends the reading."""
        if self.process:
            stop(self.process)
            self.process.wait(STOP)
            self.reader.join(STOP)
            self.process = None


def follow(folder: Path, step: Step, shell: Shell, running: Running) -> None:
    """Do what a step says. Raises FollowError if that fails, or if something else is printed than the page shows."""
    if step.kind == "file":
        path = folder / step.path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(step.text)
    elif step.kind == "diff":
        apply(folder, step.text)
    else:
        for number, (command, shown) in enumerate(commands(step.text)):
            print(f"$ {command}", flush=True)
            if step.kind == "keeps running" and number == 0:
                running.start(folder, command, shown)
                continue
            end = time.monotonic() + (RELOAD if running.process and "curl " in command else 0)
            while True:
                printed, code = shell.run(command)
                try:
                    check(shown, printed, code)
                    break
                except FollowError:
                    if time.monotonic() > end:
                        raise
                    time.sleep(1)
    running.check()


def main() -> int:
    """Follow the pages. Return 1 if that fails."""
    parser = argparse.ArgumentParser(prog="python -m template.follow", description="Follow pages of the documentation.")
    parser.add_argument("folder", metavar="FOLDER", type=Path)
    parser.add_argument("pages", metavar="PAGE", type=Path, nargs="+")
    arguments = parser.parse_args()
    begin = time.monotonic()
    running = Running()
    # Otherwise the process ends at once, and what keeps running is left behind.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    for page in arguments.pages:
        shell = Shell(arguments.folder)
        try:
            for step in steps(page):
                if step.reason:
                    print(f"{step}: not run: {step.reason}", flush=True)
                    continue
                print(f"== {time.monotonic() - begin:.0f} s, {step}", flush=True)
                try:
                    follow(arguments.folder, step, shell, running)
                except FollowError as error:
                    print(f"{step}: {error}", file=sys.stderr)
                    return 1
        finally:
            shell.stop()
            running.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main())
