"""The reviewer as a command: `python -m app.review Dockerfile`."""

import argparse
import errno
import os
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import NoReturn

from app.review import formats
from app.review.dockerignore import DockerignoreError
from app.review.report import Review, review
from app.review.rules import Severity
from app.review.syntax import DockerfileError

# From the worst to the least.
SEVERITIES = [severity.value for severity in Severity]


class Parser(argparse.ArgumentParser):
    """A parser whose errors, which contain arguments, cannot steer a terminal."""

    def error(self, message: str) -> NoReturn:
        """Print the usage and the message, and exit with 2."""
        super().error(formats.printable(message))


def main(arguments: Sequence[str] | None = None) -> int:
    """Review the files that the arguments name, and give the exit status."""
    parser = Parser(
        prog="python -m app.review",
        description="Review Dockerfiles: what breaks, costs or endangers, and what to write instead.",
        epilog="Exit status: 0; 1 if there is a finding as bad as --fail-on says; 2 if a file could not be read, or is "
        "no Dockerfile.",
    )
    parser.add_argument(
        "paths",
        metavar="PATH",
        nargs="*",
        default=["Dockerfile"],
        help="a Dockerfile, reviewed with the .dockerignore beside it; - for standard input (default: Dockerfile)",
    )
    parser.add_argument("--format", choices=formats.FORMATS, default="text", help="default: text")
    parser.add_argument(
        "--fail-on",
        choices=[*SEVERITIES, "never"],
        default="warning",
        help="exit with 1 if there is a finding of this severity or a worse one (default: warning)",
    )
    options = parser.parse_args(arguments)
    reviews: dict[str, Review] = {}
    unreadable = False
    for path in options.paths:
        name = "Dockerfile" if path == "-" else path
        try:
            reviews[name] = _review(path)
        except DockerfileError as error:
            problem = f"{name}:{error.line}: {error}"
        except DockerignoreError as error:
            problem = f"the .dockerignore of {name}:{error.line}: {error}"
        except UnicodeDecodeError as error:
            problem = f"{name}: not UTF-8, byte {error.start + 1}"
        except OSError as error:
            problem = f"{error.filename or name}: {error.strerror}"
        else:
            continue
        unreadable = True
        sys.stderr.write(f"{formats.printable(problem)}\n")

    write = formats.FORMATS[options.format]
    if options.format == "text":
        write = partial(formats.text, color=sys.stdout.isatty() and not os.environ.get("NO_COLOR"))
    sys.stdout.write(write(reviews))
    found = {finding.severity.value for each in reviews.values() for finding in each.findings}
    failing = SEVERITIES[: SEVERITIES.index(options.fail_on) + 1] if options.fail_on in SEVERITIES else []
    return 2 if unreadable else int(not found.isdisjoint(failing))


def _review(path: str) -> Review:
    """The review of the file, or of standard input, which has no .dockerignore beside it."""
    if path == "-":
        if sys.stdin is None:
            raise OSError(errno.EBADF, os.strerror(errno.EBADF), "standard input")
        return review(sys.stdin.buffer.read().decode())
    file = Path(path)
    return review(file.read_bytes().decode(), _dockerignore(file))


def _dockerignore(file: Path) -> str | None:
    """The text of the .dockerignore that a build would read, "" where there is none, None where that is not known."""
    for candidate in (file.with_name(f"{file.name}.dockerignore"), file.with_name(".dockerignore")):
        if candidate.is_file():
            return candidate.read_bytes().decode(errors="replace")  # a build takes it as it is, too
    # In another folder, it may be built with this one as its context.
    return "" if file.parent.resolve() == Path.cwd() else None


if __name__ == "__main__":
    try:
        if sys.stdout is None:
            raise OSError(errno.EBADF, os.strerror(errno.EBADF))
        status = main()
        sys.stdout.flush()
    except OSError as error:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # or what is left to write fails again at exit
        status = 2
        if not isinstance(error, BrokenPipeError):  # which is `| head`: it has seen enough
            sys.stderr.write(f"standard output: {error.strerror}\n")
    sys.exit(status)
