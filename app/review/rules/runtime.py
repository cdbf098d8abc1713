"""Rules about the container that runs."""

import posixpath
from collections.abc import Iterator

from app.review.dockerfile import Dockerfile, environment
from app.review.image import Image
from app.review.rules.rule import Problem, Severity, rule
from app.review.syntax import Instruction
from app.review.variables import expand

# Words of a start command by which a service runs as somebody else.
PRIVILEGE_DROPPERS = frozenset(
    {"--uid", "--user", "chpst", "gosu", "runuser", "s6-setuidgid", "setpriv", "su", "su-exec", "sudo"}
)


@rule(
    "root-user",
    Severity.ERROR,
    bad="""
FROM python:3.12-slim
CMD ["uvicorn", "app.main:app"]
""",
    good="""
FROM python:3.12-slim
RUN useradd --no-create-home --uid 10001 appuser
USER 10001
CMD ["uvicorn", "app.main:app"]
""",
)
def root_user(dockerfile: Dockerfile) -> Iterator[Problem]:
    """The published image runs as root.

    Whoever breaks into the service owns the container: every file in it can be rewritten, and a hole in the
    kernel or a mounted socket leads out of it. Create a user and name it with USER.
    """
    stage = dockerfile.published
    history = list(stage.history)
    last = {instruction.keyword: instruction for instruction in history}
    starts = [last[keyword] for keyword in ("ENTRYPOINT", "CMD") if keyword in last]
    if any(_may_drop_privileges(start) for start in starts):
        return
    if user := last.get("USER"):
        name = expand(user.words[0], environment(history, dockerfile.arguments))
        if name is not None and name.partition(":")[0] in {"root", "0"}:
            yield Problem(user, "the published image runs as root", "end with USER and somebody else")
    # Nothing starts from scratch without a command: that is a way to get files out of a build.
    elif stage.image and stage.image.is_bare and (starts or stage.image.official != "scratch"):
        message = "the published image runs as root: it names no USER"
        yield Problem(stage.start, message, f"{_create_user(stage.image)}USER 10001")


def _create_user(image: Image) -> str:
    """The instruction that adds a user to an image, as far as it has the means."""
    if image.official == "scratch":
        return ""
    if image.official == "alpine" or any(word.startswith("alpine") for word in image.variant):
        return "RUN adduser -D -H -u 10001 appuser, then "
    return "RUN useradd --no-create-home --uid 10001 appuser, then "


def _may_drop_privileges(start: Instruction) -> bool:
    """Whether a start command runs the service as somebody else, or is a script, which may do that."""
    words = [word for command in start.commands for word in command]
    names = {posixpath.basename(word).partition("=")[0] for word in words}
    return not PRIVILEGE_DROPPERS.isdisjoint(names) or any(
        name.endswith(".sh") or "entrypoint" in name or name == "init" for name in names
    )
