"""Rules about the user that the container runs as."""

import posixpath
from collections.abc import Iterator
from itertools import pairwise

from app.review.dockerfile import Dockerfile
from app.review.image import Image
from app.review.rules.rule import Problem, Severity, rule
from app.review.stage import Stage
from app.review.syntax import Instruction
from app.review.system import may_bring, may_copy

# Words of a start command by which a service runs as somebody else.
PRIVILEGE_DROPPERS = frozenset(
    {"--uid", "--user", "chpst", "gosu", "runuser", "s6-setuidgid", "setpriv", "su", "su-exec", "sudo"}
)
INSTEAD_OF_ADDUSER = {
    "addgroup": "`groupadd --gid 10001 …`",
    "adduser": "`useradd --no-create-home --uid 10001 …`",
}


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
    if image.is_alpine:
        return "RUN adduser -D -H -u 10001 appuser, then "
    return "RUN useradd --no-create-home --uid 10001 appuser, then "


def _may_drop_privileges(start: Instruction) -> bool:
    """Whether a start command runs the service as somebody else, or is a script, which may do that."""
    words = [word for command in start.commands for word in command]
    names = {posixpath.basename(word).partition("=")[0] for word in words}
    return not PRIVILEGE_DROPPERS.isdisjoint(names) or any(
        name.endswith(".sh") or "entrypoint" in name or name == "init" for name in names
    )


@rule(
    "named-user",
    Severity.INFO,
    bad="""
FROM python:3.12-slim
RUN useradd --no-create-home --uid 10001 appuser
USER appuser
""",
    good="""
FROM python:3.12-slim
RUN useradd --no-create-home --uid 10001 appuser
USER 10001
""",
)
def named_user(dockerfile: Dockerfile) -> Iterator[Problem]:
    """The published image names its user by a name.

    Kubernetes' `runAsNonRoot` cannot look into the image to see who that is, and refuses to start it:
    "container has runAsNonRoot and image has non-numeric user". A number runs everywhere.
    """
    users = [step for step in dockerfile.published.history if step.instruction.keyword == "USER"]
    state = dockerfile.published.state
    if users and state.is_root is False and state.user and not state.user.partition(":")[0].isdecimal():
        name = state.user.partition(":")[0]
        number = _number(dockerfile.published, name)
        fix = f"USER {number}" if number else f"create {name} with `--uid 10001`, then USER 10001"
        yield Problem(users[-1].instruction, f"Kubernetes cannot tell whether {name} is root", fix)


def _number(stage: Stage, name: str) -> str | None:
    """The user id that a RUN gives to the name."""
    for step in stage.history:
        for program, *words in step.commands:
            if program in {"adduser", "useradd"} and name in words:
                for word, following in pairwise(words):
                    option, _, value = word.partition("=")
                    if option in {"--uid", "-u"} and (value or following).isdecimal():
                        return value or following
    return None


@rule(
    "missing-adduser",
    Severity.ERROR,
    bad="""
FROM python:3.12-slim
RUN adduser --disabled-password --no-create-home appuser
""",
    good="""
FROM python:3.12-slim
RUN useradd --no-create-home --uid 10001 appuser
""",
)
def missing_adduser(dockerfile: Dockerfile) -> Iterator[Problem]:
    """adduser is called where there is none.

    Debian's images have no adduser since version 13 (trixie), the slim images of Python included: the build ends with
    "adduser: not found". useradd is in all of them, with options of its own.
    """
    lacking: dict[int, bool] = {}  # by stage: whether it is known to have none
    for stage in dockerfile.stages:
        lacks = (
            lacking[stage.parent.index] if stage.parent else bool(stage.image and stage.image.has("adduser") is False)
        )
        for step in stage.steps if lacks else []:
            called = []
            for command in step.commands:
                # Both programs are in the package adduser.
                if lacks and command[0] in INSTEAD_OF_ADDUSER and command[0] not in called:
                    called.append(command[0])
                lacks = lacks and not may_bring("adduser", command)
            lacks = lacks and not may_copy("adduser", step)
            if called:
                fix = " and ".join(INSTEAD_OF_ADDUSER[program] for program in called)
                yield Problem(step.instruction, f"{stage.image} has no {' and no '.join(called)}", fix)
        lacking[stage.index] = lacks
