"""Rules about the container that runs."""

import posixpath
from collections.abc import Iterator

from app.review.dockerfile import Dockerfile
from app.review.image import Image
from app.review.rules.rule import Problem, Severity, rule
from app.review.syntax import Instruction

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
    starts = stage.start_steps
    if not stage.state.is_root or any(_may_drop_privileges(start.instruction) for start in starts):
        return
    users = [step.instruction for step in stage.history if step.instruction.keyword == "USER"]
    if users:
        yield Problem(users[-1], "the published image runs as root", "end with USER and somebody else")
    # Nothing starts from scratch without a command: that is a way to get files out of a build.
    elif stage.image and (starts or stage.image.official != "scratch"):
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
