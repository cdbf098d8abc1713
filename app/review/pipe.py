"""Reviews over pipes: `python -m app.review.pipe` answers each JSON line of standard input with a JSON line."""

import json
import signal
import sys
import traceback
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from app.review import formats
from app.review.dockerignore import DockerignoreError
from app.review.report import Review, review
from app.review.syntax import DockerfileError

# The formats of a review. The first one is the default.
MEDIA_TYPES: dict[str, Callable[[Review, str], str]] = {
    "application/json": lambda found, _: json.dumps(asdict(found), separators=(",", ":")),
    "text/plain": lambda found, _: formats.text({"Dockerfile": found}),
    "application/sarif+json": lambda found, address: formats.sarif({"Dockerfile": found}, address=address),
}


def answer(
    media_type: str, dockerfile: str, dockerignore: str | None, address: str = formats.ADDRESS
) -> dict[str, Any]:
    """Return the formatted `review`, a `problem` with the texts, or the traceback of a `failure` of the reviewer.

    `address` is the URL of the service, for links to the rules.
    """
    try:
        return {"review": MEDIA_TYPES[media_type](review(dockerfile, dockerignore), address)}
    except DockerfileError as error:
        return {"problem": {"detail": f"line {error.line}: {error}", "line": error.line}}
    except DockerignoreError as error:
        return {"problem": {"detail": f".dockerignore, line {error.line}: {error}"}}
    except Exception:
        return {"failure": traceback.format_exc()}


def main() -> None:
    """Answer until standard input ends, as it does when the service ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    for line in sys.stdin:
        sys.stdout.write(json.dumps(answer(*json.loads(line))) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
