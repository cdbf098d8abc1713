"""Rules about the user that the container runs as."""

import posixpath
import re
from collections.abc import Iterator, Sequence
from itertools import pairwise

from app.review.dockerfile import Dockerfile
from app.review.image import Image
from app.review.rules.rule import Problem, Severity, rule
from app.review.stage import Stage, Step
from app.review.state import State
from app.review.syntax import Instruction
from app.review.system import may_bring, may_copy

# Words of a start command by which a service runs as somebody else, or which run services as their settings say.
PRIVILEGE_DROPPERS = frozenset(
    {"--uid", "--user", "apache2ctl", "chpst", "circusd", "cron", "crond", "gosu", "httpd", "nginx", "runsvdir"}
    | {"runuser", "s6-setuidgid", "setpriv", "su", "su-exec", "sudo", "supervisord", "uwsgi"}
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
    is_scratch = stage.image is not None and stage.image.official == "scratch"
    if not stage.state.is_root or any(_may_drop_privileges(start.instruction, is_scratch) for start in starts):
        return
    users = [step.instruction for step in stage.history if step.instruction.keyword == "USER"]
    if users:
        yield Problem(users[-1], "the published image runs as root", "end with USER and somebody else")
    # Nothing starts from scratch without a command: that is a way to get files out of a build.
    elif stage.image and (starts or not is_scratch):
        message = "the published image runs as root: it names no USER"
        yield Problem(stage.start, message, _other_user(stage, stage.image))


def _other_user(stage: Stage, image: Image) -> str:
    """The instructions that end with another user: one that is there, else a new one, as far as there are the means."""
    for step in stage.history:
        for program, *words in step.commands:
            if program in {"adduser", "useradd"}:
                line = step.instruction.line
                return f"USER {_uid(words, step.state) or '<number>'}, the user that line {line} creates"
    if image.is_alpine:
        return "RUN adduser -D -H -u 10001 appuser, then USER 10001"
    return ("RUN useradd --no-create-home --uid 10001 appuser, then " if image.is_debian else "") + "USER 10001"


def _may_drop_privileges(start: Instruction, is_scratch: bool) -> bool:
    """Whether a start command runs the service as somebody else, or is a script, which may do that."""
    if "/" in start.words[0] and not re.search(r"/s?bin/[^/]+$", start.words[0]):
        return not is_scratch  # no installed program, and a script where there is something to run it
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
    if state.is_root is False and state.user and not state.user.partition(":")[0].isdecimal():
        name = state.user.partition(":")[0]
        fix = _by_number(dockerfile.published, name)
        yield Problem(users[-1].instruction, f"Kubernetes cannot tell whether {name} is root", fix)


def _by_number(stage: Stage, name: str) -> str:
    """How to write the USER with the number that the name has, or may get."""
    for step in stage.history:
        for program, *words in step.commands:
            if program in {"adduser", "useradd"} and name in map(step.state.expand, words):
                option = "-u" if stage.image and stage.image.is_alpine else "--uid"
                number = _uid(words, step.state)
                return f"USER {number}" if number else f"create {name} with `{option} 10001`, then USER 10001"
    return f"USER with the number that `id -u {name}` prints in the image"


def _uid(words: Sequence[str], state: State) -> str | None:
    """The number that a useradd or adduser gives; None where it names none."""
    for word, following in pairwise([*words, ""]):
        option, equals, value = word.partition("=")
        if option == "--uid" or re.fullmatch(r"-[A-Za-z]*u", option):
            number = state.expand(value if equals else following)
            return number if number and number.isdecimal() else None
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
    """adduser is called in an image that has none.

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
            if called and not _has_choice(step):
                fix = " and ".join(INSTEAD_OF_ADDUSER[program] for program in called)
                yield Problem(step.instruction, f"{stage.image} has no {' and no '.join(called)}", fix)
        lacking[stage.index] = lacks


def _has_choice(step: Step) -> bool:
    """Whether a RUN may go on without a program, or asks for it first."""
    return "||" in step.text or "command -v" in step.text or "which " in step.text
