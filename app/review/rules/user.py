"""Rules about the user that the container runs as."""

import posixpath
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import pairwise

from app.review.dockerfile import Dockerfile
from app.review.edit import Edit, insert_above, insert_below, replace
from app.review.image import Image
from app.review.rules.rule import Problem, Severity, rule
from app.review.stage import Stage, Step
from app.review.state import State
from app.review.syntax import Instruction
from app.review.system import MANAGERS, may_bring, may_copy, may_do_anything

# Words of a start command that run the service as another user, or that run services as their settings say.
PRIVILEGE_DROPPERS = frozenset(
    {"--uid", "--user", "apache2ctl", "chpst", "circusd", "cron", "crond", "gosu", "httpd", "nginx", "runsvdir"}
    | {"runuser", "s6-setuidgid", "setpriv", "su", "su-exec", "sudo", "supervisord", "uwsgi"}
)
NEED_NO_ROOT = frozenset({"CMD", "ENTRYPOINT", "ENV", "EXPOSE", "HEALTHCHECK", "LABEL", "STOPSIGNAL"})
INSTEAD_OF_ADDUSER = {
    "addgroup": "`groupadd --gid 10001 …`",
    "adduser": "`useradd --no-create-home --uid 10001 …`",
}
# A fix edits at most this many commands of one RUN. In practice, no RUN creates more accounts.
MOST_ACCOUNTS = 10


@rule(
    "root-user",
    Severity.ERROR,
    bad="""
FROM python:3.12-slim
CMD ["uvicorn", "app.main:app", "--host", "0.0.0.0"]
""",
    good="""
FROM python:3.12-slim
RUN useradd --no-create-home --uid 10001 appuser
USER 10001
CMD ["uvicorn", "app.main:app", "--host", "0.0.0.0"]
""",
)
def root_user(dockerfile: Dockerfile) -> Iterator[Problem]:
    """The published image runs as root.

    An intruder in the service controls the whole container: root can overwrite every file, and can get out through a
    kernel vulnerability or a mounted socket. Create a user and select it with USER.
    """
    stage = dockerfile.published
    starts = stage.start_steps
    is_scratch = stage.image is not None and stage.image.official == "scratch"
    # Without a shell, a path in a start command is a program, or a file that Python runs, but not a script.
    has_no_shell = stage.image is not None and (is_scratch or stage.image.is_distroless)
    if not stage.state.is_root or any(_may_drop_privileges(start.instruction, has_no_shell) for start in starts):
        return
    users = [step.instruction for step in stage.history if step.instruction.keyword == "USER"]
    if users:
        yield Problem(users[-1], "the published image runs as root", "end with a USER other than root")
    # An image from scratch without a command only exports files from a build.
    elif stage.image and (starts or not is_scratch):
        message = "the published image runs as root: it sets no USER"
        fix = _other_user(stage, stage.image)
        yield Problem(stage.start, message, fix, edits=_with_user(stage, fix))


def _with_user(stage: Stage, fix: str) -> tuple[Edit, ...]:
    """Return the edit that inserts the fix after what needs root, unless only root can read the packages."""
    lines = "\n".join(part.partition(",")[0] for part in fix.split(", then "))
    homes = [item.prefix(step.state) or "/root/" for step in stage.history for item in step.installations]
    homes += [step.destination or "/root/" for step in stage.history if step.instruction.flag("from")]
    if "<" in lines or any(home.startswith("/root/") for home in homes):
        return ()
    last = None
    for step in reversed(stage.steps):
        if step.instruction.keyword not in NEED_NO_ROOT:
            break
        last = step.instruction
    return insert_above(last, lines) if last else insert_below(stage.steps[-1].instruction, lines)


def _other_user(stage: Stage, image: Image) -> str:
    """Return the instructions that end with another user: an existing one, or else a new one if it can be created."""
    for step in stage.history:
        for program, *words in step.commands:
            if program in {"adduser", "useradd"}:
                line = step.instruction.line
                return f"USER {_uid(words, step.state) or '<number>'}, the user that line {line} creates"
    if image.is_alpine:
        return "RUN adduser -D -H -u 10001 appuser, then USER 10001"
    return ("RUN useradd --no-create-home --uid 10001 appuser, then " if image.is_debian else "") + "USER 10001"


def _may_drop_privileges(start: Instruction, has_no_shell: bool) -> bool:
    """Return whether a start command runs the service as another user, or is a script, which may do so."""
    if "/" in start.words[0] and not re.search(r"/s?bin/[^/]+$", start.words[0]):
        return not has_no_shell  # not an installed program, so a script if a shell can run it
    if any(command[0] == "gunicorn" and any(word.startswith("-u") for word in command) for command in start.commands):
        return True
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
    """The published image sets its user by name instead of by number.

    With `runAsNonRoot`, Kubernetes does not start the container, because it cannot tell whether a name is root:
    "container has runAsNonRoot and image has non-numeric user". A number works everywhere.
    """
    users = [step for step in dockerfile.published.history if step.instruction.keyword == "USER"]
    state = dockerfile.published.state
    if dockerfile.published.image and dockerfile.published.image.is_windows:
        return  # its users have no numbers
    if state.is_root is False and state.user and not state.user.partition(":")[0].isdecimal():
        name, colon, group = state.user.partition(":")
        user = users[-1].instruction
        fix, number = _by_number(dockerfile.published, name, colon + group)
        edits = replace(user, state.user, f"{number}{colon}{group}") if number else ()
        message = f"Kubernetes cannot tell whether {name} is root"
        yield Problem(user, message, fix, edits=edits, safe=True)


def _by_number(stage: Stage, name: str, group: str) -> tuple[str, str | None]:
    """Return how to set the USER by number, and the number of the name, or None if it is unknown."""
    for step in stage.history:
        for program, *words in step.commands:
            if program in {"adduser", "useradd"} and name in map(step.state.expand, words):
                option = "-u" if stage.image and stage.image.is_alpine else "--uid"
                number = _uid(words, step.state)
                if number:
                    return f"USER {number}{group}", number
                return f"create {name} with `{option} 10001`, then USER 10001{group}", None
    accounts, end = _accounts(stage.history, 0, {}), len(stage.history)
    if stage.image and stage.state.is_bare and not _may_exist(name, stage.image, accounts, end):
        return f"create {name} with the user id 10001, then USER 10001{group}", None
    return f"USER with the number that `id -u {name}` prints in the image", None


def _uid(words: Sequence[str], state: State) -> str | None:
    """Return the number in the arguments of useradd or adduser, or None."""
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
    """adduser is used in an image that does not contain it.

    Since version 13 (trixie), Debian images do not contain adduser, and neither do the slim Python images. The build
    fails with "adduser: not found". They all contain useradd, whose options differ.
    """
    lacking: dict[int, bool] = {}  # by stage: whether adduser is known to be missing
    for stage in dockerfile.stages:
        lacks = (
            lacking[stage.parent.index] if stage.parent else bool(stage.image and stage.image.has("adduser") is False)
        )
        for step in stage.steps if lacks else []:
            called = []
            for command in step.commands:
                # The package adduser contains both programs.
                if lacks and command[0] in INSTEAD_OF_ADDUSER and command[0] not in called:
                    called.append(command[0])
                lacks = lacks and not may_bring("adduser", command)
            lacks = lacks and not may_copy("adduser", step)
            if called and not _has_choice(step):
                fix = " and ".join(INSTEAD_OF_ADDUSER[program] for program in called)
                edits = _with_useradd(step)
                yield Problem(step.instruction, f"{stage.image} has no {' and no '.join(called)}", fix, edits=edits)
        lacking[stage.index] = lacks


def _with_useradd(step: Step) -> tuple[Edit, ...]:
    """Return the edits that use useradd and groupadd instead, if every option has an equivalent."""
    edits: tuple[Edit, ...] = ()
    commands = [command for command in step.commands if command[0] in INSTEAD_OF_ADDUSER]
    for program, *words in commands if len(commands) <= MOST_ACCOUNTS else []:
        equivalent = _useradd(words) if program == "adduser" else _groupadd(words)
        written = " ".join([program, *(word or '""' for word in words)])
        edit = replace(step.instruction, written, equivalent, right=" \t\n;&") if equivalent else ()
        if not edit:
            return ()
        edits += edit
    return edits


def _useradd(words: Sequence[str]) -> str | None:
    """Return the useradd command for an adduser command of Debian, or None if an option has no equivalent."""
    equivalent, name = ["useradd"], None
    following = iter(words)
    for word in following:
        option, _, value = word.partition("=")
        if option in {"--disabled-password", "--disabled-login", "--quiet", "-q"}:
            continue
        if option == "--gecos":
            value = value or next(following, "")
        elif option in {"--no-create-home", "--system"}:
            equivalent.append(option)
        elif option in {"--home", "--ingroup", "--shell", "--uid", "-u"}:
            value = value or next(following, "")
            equivalent += [{"--ingroup": "--gid", "-u": "--uid"}.get(option, option), value]
        elif word.startswith("-") or name:
            return None
        else:
            name = word
    if not {"--no-create-home", "--system"} & set(equivalent):
        equivalent.append("--create-home")
    return (
        " ".join([*equivalent, name])
        if name and all(re.fullmatch(r"[\w./:${}-]+", word) for word in [*equivalent, name])
        else None
    )


def _groupadd(words: Sequence[str]) -> str | None:
    """Return the groupadd command for an addgroup command of Debian, or None if an option has no equivalent."""
    known = {"--system", "--gid"}
    plain = all(word in known or re.fullmatch(r"[\w${}]+", word) for word in words)
    names = [word for before, word in pairwise(["", *words]) if not word.startswith("-") and before != "--gid"]
    return " ".join(["groupadd", *words]) if plain and len(names) == 1 else None


def _has_choice(step: Step) -> bool:
    """Return whether a RUN may continue without a program, or looks for it first."""
    return "||" in step.text or "command -v" in step.text or "which " in step.text


# Accounts that the images of distributions have.
ACCOUNTS = frozenset(
    {"_apt", "adm", "backup", "bin", "daemon", "ftp", "games", "guest", "irc", "list", "lp", "mail", "man", "news"}
    | {"nobody", "nonroot", "operator", "proxy", "root", "shutdown", "sync", "sys", "uucp", "www-data"}
)
IMAGE_ACCOUNTS = {"node": "node", "ubuntu": "ubuntu"}
CREATORS = frozenset({"adduser", "addgroup", "groupadd", "newusers", "useradd"})


@rule(
    "no-such-user",
    Severity.ERROR,
    bad="""
FROM python:3.12-slim
WORKDIR /app
COPY app app
USER svc
CMD ["python", "-m", "app"]
""",
    good="""
FROM python:3.12-slim
RUN useradd --no-create-home --uid 10001 svc
WORKDIR /app
COPY app app
USER 10001
CMD ["python", "-m", "app"]
""",
)
def no_such_user(dockerfile: Dockerfile) -> Iterator[Problem]:
    """USER or `--chown` names a user that does not exist.

    The container fails with "unable to find user", or the build with "can't find uid for user". A number works without
    a user.
    """
    accounts: dict[int, Mapping[str | None, int]] = {}  # by stage
    for stage in dockerfile.stages:
        image = stage.image
        inherited = len(stage.history) - len(stage.steps)
        above = accounts[stage.parent.index] if stage.parent else {}
        accounts[stage.index] = _accounts(stage.steps, inherited, above)
        if not image or not stage.state.is_bare or image.is_windows or image.official == "scratch":
            continue
        for at, step in enumerate(stage.steps):
            instruction = step.instruction
            owner = instruction.flag("chown") if instruction.keyword in {"ADD", "COPY"} else None
            if owner is None and instruction.keyword != "USER":
                continue
            name = step.state.expand(owner or instruction.words[0])
            user = (name or "").partition(":")[0]
            # A USER may come before the user is created, if nothing runs in between.
            before = inherited + at if owner else len(stage.history)
            if not re.fullmatch(r"[a-z_][a-z0-9_-]*", user) or _may_exist(user, image, accounts[stage.index], before):
                continue
            if owner:
                yield Problem(
                    instruction, f"--chown names {user}, which nothing above creates", "a number: --chown=10001"
                )
                continue
            edits = insert_above(instruction, _creation(image, user)) if step.state.is_root else ()
            yield Problem(
                instruction,
                f"no instruction creates the user {user}",
                f"{_creation(image, user)} above, then USER 10001",
                edits=edits,
            )


def _creation(image: Image, user: str) -> str:
    if image.is_alpine:
        return f"RUN adduser -D -H -u 10001 {user}"
    return f"RUN useradd --no-create-home --uid 10001 {user}"


def _may_exist(user: str, image: Image, accounts: Mapping[str | None, int], before: int) -> bool:
    """Return whether a user of that name may exist before the step with this index."""
    if user in ACCOUNTS or IMAGE_ACCOUNTS.get(image.official or "") == user:
        return True
    return min(accounts.get(user, before), accounts.get(None, before)) < before


def _accounts(steps: Iterable[Step], start: int, inherited: Mapping[str | None, int]) -> Mapping[str | None, int]:
    """Return the names of the users that may exist, each with the index of the first step that may create it.

    None means any name. The first of the steps has the index `start`, and `inherited` are the users from earlier steps.
    """
    accounts = dict(inherited)
    for index, step in enumerate(steps, start):
        if step.instruction.keyword in {"ADD", "COPY"} and _may_copy_accounts(step):
            accounts.setdefault(None, index)
        elif step.instruction.keyword == "RUN":
            names = {name for command in step.commands for name in _may_create(command, step)}
            for name in (*names, *step.tokens, *([None] if "/etc/passwd" in step.text else [])):
                accounts.setdefault(name, index)
    return accounts


def _may_copy_accounts(step: Step) -> bool:
    """Return whether a COPY or ADD may replace /etc/passwd."""
    if step.destination and f"{step.destination}/".startswith("/etc/"):
        return True
    if any(
        posixpath.basename(source.rstrip("/")) in {"etc", "passwd", "rootfs"} for source in step.instruction.words[:-1]
    ):
        return True
    is_foreign = step.instruction.keyword == "ADD" or step.instruction.flag("from")
    return bool(is_foreign) and step.destination in {None, "/"} and not step.takes_installers


def _may_create(command: tuple[str, ...], step: Step) -> Iterable[str | None]:
    """Return the names of users that a command may create. None means any name, as an unknown program may create."""
    if command[0] in CREATORS:
        return map(step.state.expand, command)
    return [None] if command[0] not in MANAGERS and may_do_anything(command) else []


@rule(
    "not-permitted",
    Severity.ERROR,
    bad="""
FROM python:3.12-slim
USER 10001
RUN apt-get update && apt-get install -y --no-install-recommends libpq5 && rm -rf /var/lib/apt/lists/*
""",
    good="""
FROM python:3.12-slim
RUN apt-get update && apt-get install -y --no-install-recommends libpq5 && rm -rf /var/lib/apt/lists/*
USER 10001
""",
)
def not_permitted(dockerfile: Dockerfile) -> Iterator[Problem]:
    """A command needs root, but another user runs it.

    Only root can install system packages, create users or change the owner of files, so the build fails with
    "permission denied". Write USER root above the command and the other user again below it, or move USER further down.
    """
    for stage in dockerfile.stages:
        for step in stage.steps:
            user = step.state.user
            if (
                step.state.is_root is not False
                or not user
                or re.search(r"\b(?:sudo|su|doas|fakeroot)\b|\|\|", step.text)
            ):
                continue
            if stage.image and stage.image.is_windows:
                continue
            program = next((command[0] for command in step.commands if _needs_root(command)), None)
            if program:
                edits = (*insert_above(step.instruction, "USER root"), *insert_below(step.instruction, f"USER {user}"))
                yield Problem(
                    step.instruction,
                    f"{program} needs root, but {user} runs it",
                    f"USER root above this RUN, and USER {user} below it",
                    edits=edits,
                )


def _needs_root(command: tuple[str, ...]) -> bool:
    program, *words = command
    if program in CREATORS | {"chown", "dpkg", "groupdel", "groupmod", "ldconfig", "update-ca-certificates"}:
        return "--version" not in words
    if program in {"userdel", "usermod"}:
        return True
    if program not in MANAGERS or {"--help", "--simulate", "-s", "--version"} & set(words):
        return False
    return bool(
        {"add", "dist-upgrade", "full-upgrade", "install", "remove", "purge", "update", "upgrade"} & set(words[:4])
    )
