"""The command line of the reviewer: `python -m app.review Dockerfile`."""

import argparse
import difflib
import errno
import os
import shutil
import sys
from collections.abc import Sequence
from functools import partial
from io import StringIO
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import NoReturn

from app.review import formats
from app.review.dockerignore import DockerignoreError
from app.review.fix import fixed
from app.review.report import Review, review
from app.review.rules import RULES, Severity
from app.review.syntax import DockerfileError

# From the most severe to the least.
SEVERITIES = [severity.value for severity in Severity]


class Parser(argparse.ArgumentParser):
    """A parser whose error messages, which quote arguments, cannot control a terminal."""

    def error(self, message: str) -> NoReturn:
        """Print the usage and the message, and exit with 2."""
        super().error(formats.printable(message))


def main(arguments: Sequence[str] | None = None) -> int:
    """Review the files in the arguments, fix them if an option says so, and return the exit status."""
    options = _parser().parse_args(arguments)
    if options.explain:
        rule = RULES[options.explain]
        sys.stdout.write(f"{rule.title} ({rule.severity}). {rule.why}\n\nWrong:\n\n{rule.bad}\nRight:\n\n{rule.good}")
        return 0
    reviews: dict[str, Review] = {}
    unreadable = differs = False
    for path in options.paths:
        name = "Dockerfile" if path == "-" else path
        try:
            text, dockerignore = _read(path)
            if options.fix or options.unsafe_fixes or options.diff:
                new, count = fixed(text, dockerignore, unsafe=options.unsafe_fixes)
                if options.diff:
                    differs = differs or new != text
                    sys.stdout.write(_diff(name, text, new))
                    continue
                _write(path, text, new)
                sys.stderr.write(f"{formats.printable(name)}: {count} fixed\n")
                text = new
            reviews[name] = review(text, dockerignore)
        except DockerfileError as error:
            problem = f"{name}:{error.line}: {error}"
        except DockerignoreError as error:
            problem = f"{name}: line {error.line} of its .dockerignore: {error}"
        except UnicodeDecodeError as error:
            problem = f"{name}: not valid UTF-8 at byte {error.start + 1}"
        except OSError as error:
            problem = f"{error.filename or name}: {error.strerror}"
        else:
            continue
        unreadable = True
        sys.stderr.write(f"{formats.printable(problem)}\n")
    if options.diff:
        return 2 if unreadable else int(differs)

    write = formats.FORMATS[options.format]
    if options.format == "text":
        color = sys.stdout.isatty() and not os.environ.get("NO_COLOR")
        write = partial(formats.text, color=color, hint=not (options.fix or options.unsafe_fixes))
    # With `--fix -`, standard output is the fixed Dockerfile.
    fixes_input = "-" in options.paths and (options.fix or options.unsafe_fixes)
    (sys.stderr if fixes_input else sys.stdout).write(write(reviews))
    found = {finding.severity.value for each in reviews.values() for finding in each.findings}
    failing = SEVERITIES[: SEVERITIES.index(options.fail_on) + 1] if options.fail_on in SEVERITIES else []
    return 2 if unreadable else int(not found.isdisjoint(failing))


def _parser() -> Parser:
    parser = Parser(
        prog="python -m app.review",
        description="Review Dockerfiles: print what is wrong or could be better, and what to write instead.",
        epilog="Exit status: 2 if a file cannot be read or written, or is not a Dockerfile; 1 if a finding is at least "
        "as severe as --fail-on, or if --diff shows a change; otherwise 0.",
    )
    parser.add_argument(
        "paths",
        metavar="PATH",
        nargs="*",
        default=["Dockerfile"],
        help="a Dockerfile, reviewed with the .dockerignore next to it; - for standard input (default: Dockerfile)",
    )
    parser.add_argument("--format", choices=formats.FORMATS, default="text", help="the output format (default: text)")
    parser.add_argument(
        "--fail-on",
        choices=[*SEVERITIES, "never"],
        default="warning",
        help="exit with 1 if a finding is at least this severe (default: warning)",
    )
    parser.add_argument(
        "--fix",
        action="store_true",
        help="write the safe fixes into the files, then review them; for standard input, print the fixed text",
    )
    parser.add_argument(
        "--unsafe-fixes", action="store_true", help="like --fix, but also write the fixes that you should check"
    )
    parser.add_argument(
        "--diff", action="store_true", help="print what --fix or --unsafe-fixes would change, and write nothing"
    )
    parser.add_argument("--explain", metavar="RULE", choices=RULES, help="print why a rule matters, with an example")
    return parser


def _read(path: str) -> tuple[str, str | None]:
    """Return the text of the file and of its .dockerignore, or None for the latter if it is unknown."""
    if path == "-":
        if sys.stdin is None:
            raise OSError(errno.EBADF, os.strerror(errno.EBADF), "standard input")
        return sys.stdin.buffer.read().decode(), None
    file = Path(path)
    return file.read_bytes().decode(), _dockerignore(file)


def _write(path: str, old: str, new: str) -> None:
    """Replace the file atomically, following a link and keeping its mode."""
    if path == "-":
        sys.stdout.write(new)
    elif new != old:
        file = Path(path).resolve()
        with NamedTemporaryFile("wb", dir=file.parent, prefix=f".{file.name}.", delete=False) as temporary:
            try:
                temporary.write(new.encode())
                temporary.flush()
                shutil.copymode(file, temporary.name)
                Path(temporary.name).replace(file)
            except OSError:
                Path(temporary.name).unlink(missing_ok=True)
                raise


def _diff(name: str, old: str, new: str) -> str:
    """Return the change as a unified diff, which `git apply` accepts."""
    before, after = (list(StringIO(text, newline="\n")) for text in (old, new))
    lines = difflib.unified_diff(before, after, name, name)
    ended = (line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in lines)
    return "".join(formats.printable(line[:-1]) + "\n" if sys.stdout.isatty() else line for line in ended)


def _dockerignore(file: Path) -> str | None:
    """Return the .dockerignore that a build would read, "" if there is none, or None if that is unknown."""
    for candidate in (file.with_name(f"{file.name}.dockerignore"), file.with_name(".dockerignore")):
        if candidate.is_file():
            return candidate.read_bytes().decode(errors="replace")  # a build accepts any bytes too
    # A Dockerfile in another folder may be built with the current folder as its context.
    return "" if file.parent.resolve() == Path.cwd() else None


if __name__ == "__main__":
    try:
        if sys.stdout is None:
            raise OSError(errno.EBADF, os.strerror(errno.EBADF))
        status = main()
        sys.stdout.flush()
    except OSError as error:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # otherwise the rest of the output fails again at exit
        status = 2
        if not isinstance(error, BrokenPipeError):  # the reader has seen enough, as in `| head`
            sys.stderr.write(f"standard output: {error.strerror}\n")
    sys.exit(status)
