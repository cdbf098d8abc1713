"""Rules about the installation of packages."""

import posixpath
import re
from collections.abc import Iterator
from itertools import pairwise

from app.review.dockerfile import Dockerfile
from app.review.installation import PROJECTS, Installation
from app.review.rules.rule import Problem, Severity, rule
from app.review.stage import Step
from app.review.state import State
from app.review.syntax import Instruction

# The folder under /root/.cache, where it is not called as the tool is.
CACHES = {"poetry": "pypoetry"}
# Names of folders that hold packages.
PACKAGE_FOLDERS = frozenset({".local", ".venv", "env", "site-packages", "venv", "virtualenv"})
# Cache folders that hold no Python package.
OTHER_CACHES = frozenset({".cargo", ".npm", "apt", "dnf", "dpkg", "npm", "yum"})


@rule(
    "pip-cache-mount",
    Severity.WARNING,
    bad="""
FROM python:3.12-slim
RUN pip install --no-cache-dir fastapi
""",
    good="""
FROM python:3.12-slim
RUN --mount=type=cache,target=/root/.cache/pip \\
    pip install fastapi
""",
)
def pip_cache_mount(dockerfile: Dockerfile) -> Iterator[Problem]:
    """Packages are installed without a cache mount.

    When one requirement changes, every package is downloaded again, and without --no-cache-dir a copy of each
    download stays in the layer. A cache mount keeps the downloads between builds and out of the image.
    """
    for stage in dockerfile.stages:
        tools = set()  # that have installed packages in this stage
        for step in stage.steps:
            instruction = step.instruction
            cached: dict[str, bool] = {}
            for installation in step.installations:
                tool = installation.tool
                added = installation.command in PROJECTS and installation.project_only and tool in tools
                tools.add(tool)
                if tool not in cached:
                    cached[tool] = _is_cached(instruction, tool)
                if added or not installation.downloads or cached[tool]:
                    continue
                uncached = {"--no-cache", "--no-cache-dir"} & set(installation.arguments)
                yield Problem(
                    instruction,
                    f"`{installation.command}` without a cache mount downloads every package again",
                    f"RUN --mount=type=cache,target={_cache(step.state, tool)} {installation.command} …"
                    + "".join(f", without {option}" for option in uncached),
                )
                break


def _is_cached(instruction: Instruction, tool: str) -> bool:
    """Whether a RUN mounts a cache that the tool may use, or has no network to download from."""
    if instruction.flag("network") == "none":
        return True
    folders = [mount.get("target", "").split("/") for mount in instruction.mounts if mount["type"] == "cache"]
    foreign = OTHER_CACHES | {"pip", "uv", *CACHES.values()} - {CACHES.get(tool, tool)}
    return any(foreign.isdisjoint(folder) for folder in folders)


def _cache(state: State, tool: str) -> str:
    """The mount's target: the tool's cache folder, in the home of the user who runs it."""
    folder = f".cache/{CACHES.get(tool, tool)}"
    return f"<home>/{folder},uid=<user>" if state.is_root is False else f"/root/{folder}"


@rule(
    "cache-mount-defeated",
    Severity.WARNING,
    bad="""
FROM python:3.12-slim
RUN --mount=type=cache,target=/root/.cache/pip \\
    pip install --no-cache-dir fastapi
""",
    good="""
FROM python:3.12-slim
RUN --mount=type=cache,target=/root/.cache/pip \\
    pip install fastapi
""",
)
def cache_mount_defeated(dockerfile: Dockerfile) -> Iterator[Problem]:
    """A cache mount is there, and nothing uses it.

    An option or a variable turns the cache off, or the mount is in a folder that this user's pip does not look
    into: every build downloads all packages, as if there were none.
    """
    for stage in dockerfile.stages:
        for step in stage.steps:
            caches = [mount for mount in step.instruction.mounts if mount["type"] == "cache"]
            if not caches:
                continue
            for installation in step.installations:
                if installation.tool in {"pip", "uv"} and (found := _defeated(step, installation, caches)):
                    yield Problem(step.instruction, *found)
                    break


def _defeated(step: Step, installation: Installation, caches: list[dict[str, str]]) -> tuple[str, str] | None:
    """What keeps an installation from using the mounts, and what to do; None where it may use one of them."""
    tool = installation.tool
    of_tool = [
        mount
        for mount in caches
        if _is_cached(step.instruction, tool) and not OTHER_CACHES & set(mount.get("target", "").split("/"))
    ]
    if not of_tool or not installation.downloads:
        return None
    off = next((word for word in installation.arguments if word in {"--no-cache", "--no-cache-dir"}), None)
    variable = "PIP_NO_CACHE_DIR" if tool == "pip" else "UV_NO_CACHE"
    if not off and _is_on(_variable(step, variable)):
        off = f"{variable}={_variable(step, variable)}"
    if off:
        return f"{off} turns the cache off, which is mounted for it", f"without {off}"
    folder = _cache_folder(step, installation)
    if folder is None:
        of_root = next(
            (mount["target"] for mount in of_tool if re.match("/root(?:/|$)", mount.get("target", ""))), None
        )
        if of_root and step.state.is_root is False:
            return f"{of_root} is root's, and {step.state.user} installs", f"{_cache(step.state, tool)} as the target"
        return None
    targets = [step.state.path(mount.get("target", "")) for mount in of_tool]
    if not any(target is None or f"{folder}/".startswith(f"{target.rstrip('/')}/") for target in targets):
        return f"{tool} keeps its cache in {folder}, not in {targets[0]}", f"--mount=type=cache,target={folder}"
    mount = next(
        mount
        for mount in of_tool
        if (path := step.state.path(mount.get("target", ""))) is None or f"{folder}/".startswith(path)
    )
    if step.state.is_root is False and not {"uid", "gid", "mode"} & mount.keys():
        return (
            f"{folder} is mounted for root, and {step.state.user} cannot write to it",
            f"--mount=type=cache,target={folder},uid=<user>",
        )
    return None


def _variable(step: Step, name: str) -> str | None:
    """What a variable is in a RUN, as far as ENV and ARG say; None: not set, or not known."""
    return step.state.variables.get(name)


def _is_on(value: str | None) -> bool:
    """Whether pip and uv take the value of a switch for yes."""
    return value is not None and value.lower() in {"1", "on", "t", "true", "y", "yes"}


def _cache_folder(step: Step, installation: Installation) -> str | None:
    """The folder of the tool's cache; None where that is not known."""
    tool = installation.tool
    if (
        "CACHE" in step.instruction.value
        or "HOME=" in step.instruction.value
        or "--cache-dir" in dict(installation.options)
    ):
        return None
    variables = step.state.variables
    own = f"{tool.upper()}_CACHE_DIR"
    if own in variables:
        return variables[own]
    if "XDG_CACHE_HOME" in variables:
        return variables["XDG_CACHE_HOME"] and f"{variables['XDG_CACHE_HOME']}/{tool}"
    home = variables["HOME"] if "HOME" in variables else _home(step.state)
    return home and f"{home}/.cache/{tool}"


def _home(state: State) -> str | None:
    """The home of the user; None where that is not known: `useradd --home-dir` may say any."""
    return "/root" if state.is_root else None


@rule(
    "unreadable-packages",
    Severity.ERROR,
    bad="""
FROM python:3.12-slim AS builder
RUN --mount=type=cache,target=/root/.cache/pip \\
    --mount=type=bind,source=requirements.txt,target=requirements.txt \\
    pip install --user -r requirements.txt

FROM python:3.12-slim
COPY --from=builder /root/.local /root/.local
ENV PATH=/root/.local/bin:$PATH
USER 10001
CMD ["uvicorn", "app.main:app"]
""",
    good="""
FROM python:3.12-slim AS builder
ENV PYTHONUSERBASE=/opt/python
RUN --mount=type=cache,target=/root/.cache/pip \\
    --mount=type=bind,source=requirements.txt,target=requirements.txt \\
    pip install --user -r requirements.txt

FROM python:3.12-slim
ENV PYTHONUSERBASE=/opt/python PATH=/opt/python/bin:$PATH
COPY --from=builder /opt/python /opt/python
USER 10001
CMD ["uvicorn", "app.main:app"]
""",
)
def unreadable_packages(dockerfile: Dockerfile) -> Iterator[Problem]:
    """The packages are under /root, and somebody else runs them.

    Only root may look into /root: the container ends at once with "permission denied". Install under a folder that
    every user can read: a virtual environment in /opt, or `pip install --user` with PYTHONUSERBASE.
    """
    stage = dockerfile.published
    if stage.state.is_root is not False or not (stage.image and stage.image.is_bare):
        return
    if any(_opens_root(command) for step in stage.history for command in step.instruction.commands):
        return
    for step in stage.history:
        folder = None
        if step.instruction.flag("from") and (step.destination or "").startswith("/root/"):
            folder = step.destination if PACKAGE_FOLDERS & set((step.destination or "").split("/")) else None
        for installation in step.installations:
            prefix = installation.prefix(step.state)
            folder = prefix if prefix and prefix.startswith("/root/") else folder
        if folder:
            yield Problem(
                step.instruction,
                f"{stage.state.user} cannot read the packages in {folder}: /root is closed to all but root",
                "install and copy them under a folder such as /opt/python (PYTHONUSERBASE)",
            )


def _opens_root(command: tuple[str, ...]) -> bool:
    """Whether a command may let others into /root."""
    return command[0] in {"chmod", "chown", "setfacl", "usermod"} and any(
        word.rstrip("/") == "/root" for word in command
    )


@rule(
    "apt-lists",
    Severity.WARNING,
    bad="""
FROM python:3.12-slim
RUN apt-get update && apt-get install -y --no-install-recommends libpq5
""",
    good="""
FROM python:3.12-slim
RUN apt-get update && apt-get install -y --no-install-recommends libpq5 && \\
    rm -rf /var/lib/apt/lists/*
""",
)
def apt_lists(dockerfile: Dockerfile) -> Iterator[Problem]:
    """apt's package lists stay in the published image.

    They are tens of megabytes that nothing reads again, out of date by tomorrow. A later RUN cannot take them
    out of the layer: delete them in the same RUN, or keep them in a cache mount.
    """
    updated = False
    for step in dockerfile.published.history:
        instruction = step.instruction
        if instruction.keyword != "RUN":
            continue
        left = False
        for program, *words in instruction.commands:
            if program in {"apt", "apt-get"}:
                subcommand = _subcommand(words)
                if subcommand in {"dist-clean", "distclean"}:
                    left = False
                # An install without an update before it lacks both its lists and their removal.
                elif subcommand == "update" or (subcommand == "install" and not updated and not _names_files(words)):
                    left = updated = True
            elif program in {"cd", "find", "rm"} and any(map(_may_name_lists, words)):
                left = False
        if left and not _mounts_lists(instruction):
            yield Problem(
                instruction,
                "apt's package lists stay in this layer",
                "end the same RUN with && rm -rf /var/lib/apt/lists/*",
            )


def _subcommand(words: list[str]) -> str:
    """The first word that is neither an option nor the value of one."""
    pairs = pairwise(("", *words))
    return next((word for before, word in pairs if not word.startswith("-") and before not in {"-c", "-o", "-t"}), "")


def _names_files(words: list[str]) -> bool:
    """Whether an `apt-get install` is told files, for which it needs no lists."""
    return any("/" in word for word in words)


def _may_name_lists(word: str) -> bool:
    """Whether a word is the folder of apt's lists, or one around it, or a variable that could be."""
    return "$" in word or "apt/lists" in word or ("/var/lib/" in word and ("apt" in word or "*" in word))


def _mounts_lists(instruction: Instruction) -> bool:
    """Whether apt's lists are on a mount, and so in no layer."""
    targets = [posixpath.normpath(mount.get("target", "")) for mount in instruction.mounts if mount["type"] != "bind"]
    return any("/var/lib/apt/lists/".startswith(f"{target}/") for target in targets)
