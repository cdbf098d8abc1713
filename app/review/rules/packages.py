"""Rules about installing packages."""

import posixpath
import re
from collections.abc import Iterator
from itertools import pairwise

from app.review.dockerfile import Dockerfile
from app.review.edit import Edit, add_flags, append, drop_word, replace
from app.review.installation import PROJECTS, Installation
from app.review.rules.rule import Problem, Severity, rule
from app.review.shell import SHELLS
from app.review.stage import Step
from app.review.state import State
from app.review.syntax import Instruction

# Folders in /root/.cache whose name is not that of the tool.
CACHES = {"poetry": "pypoetry"}
# Names of folders that contain packages.
PACKAGE_FOLDERS = frozenset({".local", ".venv", "env", "site-packages", "venv", "virtualenv"})
# Words in a RUN that may select another cache or another user.
REDIRECTED = re.compile(r"CACHE|HOME=|--cache-dir|\bsu(?:do)?\b")
# Options that disable the cache.
OFF = ("--no-cache", "--no-cache-dir")
CLEAN = "rm -rf /var/lib/apt/lists/*"
# Folders of caches that contain no Python packages.
OTHER_CACHES = frozenset(
    {".cargo", ".npm", "apt", "dnf", "dpkg", "go-build", "huggingface", "node_modules", "npm", "pre-commit", "yum"}
)


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

    When one requirement changes, every package is downloaded again. Without --no-cache-dir, a copy of each download
    also stays in the layer. A cache mount keeps the downloads between builds, outside the image.
    """
    for stage in dockerfile.stages:
        if stage.image and stage.image.is_windows:
            continue  # RUN does not support mounts there
        tools = set()  # those that have installed packages in this stage
        for step in stage.steps:
            instruction = step.instruction
            cached: dict[str, bool] = {}
            for installation in step.installations:
                tool = installation.tool
                added = installation.command in PROJECTS and installation.project_only and tool in tools
                tools.add(tool)
                if tool not in cached:
                    # Without a network, it downloads nothing.
                    cached[tool] = instruction.flag("network") == "none" or bool(_caches(instruction, tool))
                if added or not installation.downloads or cached[tool]:
                    continue
                off = _turns_off(step, installation)
                edits = _with_mounts(step)
                yield Problem(
                    instruction,
                    f"`{installation.command}` without a cache mount downloads every package again",
                    f"RUN {_mount(step.state, tool)} {installation.command} …" + (f", without {off}" if off else ""),
                    edits=edits,
                    safe=True,
                )
                break


def _caches(instruction: Instruction, tool: str) -> list[dict[str, str]]:
    """Return the cache mounts of a RUN that the tool may use."""
    foreign = OTHER_CACHES | {"pip", "uv", *CACHES.values()} - {CACHES.get(tool, tool)}
    mounts = [mount for mount in instruction.mounts if mount["type"] == "cache"]
    return [mount for mount in mounts if foreign.isdisjoint(mount.get("target", "").split("/"))]


def _with_mounts(step: Step) -> tuple[Edit, ...]:
    """Return the edits that mount a cache for each tool that downloads, and remove the options that disable it."""
    downloads = [item for item in step.installations if item.downloads]
    tools = [tool for tool in dict.fromkeys(item.tool for item in downloads) if not _caches(step.instruction, tool)]
    mounts = dict.fromkeys(_mount(step.state, tool) for tool in tools)
    off = {word for item in downloads if item.tool in tools and (word := _turns_off(step, item))}
    if any(re.search(r"[<$]", mount) for mount in mounts) or any("=" in word for word in off):
        return ()
    edits = add_flags(step.instruction, mounts)
    for word in sorted(off):
        dropped = drop_word(step.instruction, word)
        if not dropped:
            return ()
        edits += dropped
    return edits


def _mount(state: State, tool: str) -> str:
    """Return the flag that mounts the cache of the tool for the current user."""
    own = f"{tool.upper()}_CACHE_DIR"
    home = "/root" if state.is_root else "<home>"
    otherwise = f"${own}" if own in state.variables else f"{home}/.cache/{CACHES.get(tool, tool)}"
    user = (state.user or "").partition(":")[0]
    owner = "" if state.is_root else f",uid={user if user.isdecimal() else '<number>'}"
    return f"--mount=type=cache,target={_folder(state, tool) or otherwise}{owner}"


def _folder(state: State, tool: str) -> str | None:
    """Return the folder of the tool's cache, or None if it is unknown."""
    variables = state.variables
    own = f"{tool.upper()}_CACHE_DIR"
    if own in variables:
        folder = variables[own]
    elif "XDG_CACHE_HOME" in variables:
        folder = variables["XDG_CACHE_HOME"] and f"{variables['XDG_CACHE_HOME']}/{CACHES.get(tool, tool)}"
    else:  # another user may have any home: `useradd --home-dir`
        home = variables.get("HOME", "/root" if state.is_root else None)
        folder = home and f"{home}/.cache/{CACHES.get(tool, tool)}"
    return state.path(folder) if folder else None


def _turns_off(step: Step, installation: Installation) -> str | None:
    """Return the option or variable that disables the cache for an installation, or None."""
    option = next((word for word in installation.arguments if word in OFF), None)
    variable = {"pip": "PIP_NO_CACHE_DIR", "uv": "UV_NO_CACHE"}.get(installation.tool, "")
    value = step.state.variables.get(variable)
    if not value or variable in step.names:
        return option
    # For pip, any value means yes, even `0` and `off`.
    is_on = installation.tool == "pip" or value.lower() in {"1", "on", "t", "true", "y", "yes"}
    return f"{variable}={value}" if is_on else None


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
    """A cache mount is not used.

    An option or a variable disables the cache, or the mount is at a path that the tool does not use for this user or
    cannot write to. So every build downloads all packages, as if there were no cache mount.
    """
    for stage in dockerfile.stages:
        for step in stage.steps:
            for tool in ("pip", "uv"):
                used = [item for item in step.installations if item.tool == tool and item.downloads]
                mounts = (
                    [mount for mount in _caches(step.instruction, tool) if _is_meant(step, tool, mount)] if used else []
                )
                if mounts and (found := _turned_off(step, used) or _out_of_reach(step, tool, mounts)):
                    message, fix = found
                    edits: tuple[Edit, ...] = ()
                    if fix.startswith("without -") and not _out_of_reach(step, tool, mounts):
                        edits = tuple(edit for word in OFF for edit in drop_word(step.instruction, word))
                    elif fix.startswith("--mount") and not re.search(r"[<$]", fix):
                        values = [
                            value for name, value in step.instruction.flags if name == "mount" and "cache" in value
                        ]
                        edits = replace(step.instruction, f"--mount={values[0]}", fix) if len(values) == 1 else ()
                    yield Problem(step.instruction, message, fix, edits=edits, safe=True)
                    break


def _is_meant(step: Step, tool: str, mount: dict[str, str]) -> bool:
    """Return whether a cache mount seems to be for the tool, by its name or its folder."""
    target = mount.get("target", "")
    *_, last = parts = target.lower().rstrip("/").split("/")
    name = CACHES.get(tool, tool)
    return (
        any(name in re.split(r"[-_.]", part) for part in parts)
        or last in {".cache", "cache"}
        or "$" in target
        or step.state.path(target) == _folder(step.state, tool)
    )


def _turned_off(step: Step, installations: list[Installation]) -> tuple[str, str] | None:
    """Return what disables the cache and what to do, or None if an installation of dependencies may use it."""
    heavy = [item for item in installations if item.dependencies] or installations
    found = [_turns_off(step, item) for item in heavy]
    if not all(found):
        return None
    return f"{found[0]} disables the cache that is mounted here", f"without {found[0]}"


def _out_of_reach(step: Step, tool: str, mounts: list[dict[str, str]]) -> tuple[str, str] | None:
    """Return why the tool cannot use the mounts and what to do, or None if it may use one of them."""
    state = step.state
    if REDIRECTED.search(step.text):
        return None
    if state.is_root is False and all(mount.get("uid", "0") == "0" and "mode" not in mount for mount in mounts):
        target = mounts[0].get("target", "")
        return f"{target} is mounted for root, and {state.user} cannot write to it", _mount(state, tool)
    folder = _folder(state, tool)
    targets = [state.path(mount.get("target", "")) for mount in mounts]
    if folder is None:
        if state.is_root is False and all(f"{target}/".startswith("/root/") for target in targets):
            return f"{targets[0]} belongs to root, but {state.user} installs", _mount(state, tool)
        return None
    reached = [
        mount
        for mount, target in zip(mounts, targets, strict=True)
        if target is None or f"{folder}/".startswith(f"{target.rstrip('/')}/")
    ]
    if not reached:
        return f"{tool} keeps its cache in {folder}, not in {targets[0]}", _mount(state, tool)
    owners = [mount.get("uid", "0") for mount in reached]
    if tool == "pip" and state.is_root and all(owner.isdecimal() and owner.strip("0") for owner in owners):
        return f"pip does not use a cache that belongs to {owners[0]} when it runs as root", _mount(state, tool)
    return None


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
CMD ["uvicorn", "app.main:app", "--host", "0.0.0.0"]
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
CMD ["uvicorn", "app.main:app", "--host", "0.0.0.0"]
""",
)
def unreadable_packages(dockerfile: Dockerfile) -> Iterator[Problem]:
    """The packages are under /root, but another user runs the service.

    Only root can read /root, so the container exits immediately with "permission denied". Install to a folder that
    every user can read: a virtual environment in /opt, or `pip install --user` with PYTHONUSERBASE.
    """
    stage = dockerfile.published
    if stage.state.is_root is not False or not stage.state.is_bare:
        return
    if any(_opens_root(command) for step in stage.history for command in step.commands):
        return
    for step in stage.history:
        folder = None
        if step.instruction.flag("from") and step.destination and step.destination.startswith("/root/"):
            is_packages = PACKAGE_FOLDERS & set(step.destination.split("/")) and not step.takes_installers
            folder = step.destination if is_packages else None
        for installation in step.installations:
            prefix = installation.prefix(step.state) if installation.dependencies else None
            folder = prefix if prefix and prefix.startswith("/root/") else folder
        if folder:
            yield Problem(
                step.instruction,
                f"{stage.state.user} cannot read the packages in {folder}: only root can read /root",
                "install and copy them to a folder such as /opt/python (PYTHONUSERBASE)",
            )


def _opens_root(command: tuple[str, ...]) -> bool:
    """Return whether a command may let other users read /root."""
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

    They are tens of megabytes that nothing reads again, and they are soon out of date. A later RUN cannot remove them
    from the layer. Delete them in the same RUN, or keep them in a cache mount.
    """
    reader: Step | None = None  # the next step that installs from the lists
    problems = []
    for step in reversed(dockerfile.published.history):
        instruction = step.instruction
        if instruction.keyword != "RUN":
            continue
        left = False
        for program, *words in instruction.commands:
            if program in {"apt", "apt-get"}:
                subcommand = _subcommand(words)
                if subcommand in {"dist-clean", "distclean"}:
                    left = False
                elif subcommand == "update":
                    left = True
            elif _may_delete_lists(program, words):
                left = False
        if left and not _mounts_lists(instruction):
            edits: tuple[Edit, ...] = ()
            if reader:
                fix = f"join this RUN with the one in line {reader.instruction.line}, and end it with {CLEAN}"
            else:
                fix = f"end this RUN with && {CLEAN}"
                edits = append(instruction, f" && {instruction.escape}\n    {CLEAN}")
            message = "apt's package lists stay in this layer"
            problems.append(Problem(instruction, message, fix, edits=edits, safe=True))
        if _reads_lists(step):
            reader = step
    yield from reversed(problems)


def _reads_lists(step: Step) -> bool:
    """Return whether a RUN installs with apt from lists that an earlier RUN has downloaded."""
    orders = [_subcommand(words) for program, *words in step.commands if program in {"apt", "apt-get", "aptitude"}]
    return "install" in orders and "update" not in orders


def _subcommand(words: list[str]) -> str:
    """Return the first word that is neither an option nor the value of one."""
    pairs = pairwise(("", *words))
    return next((word for before, word in pairs if not word.startswith("-") and before not in {"-c", "-o", "-t"}), "")


def _may_delete_lists(program: str, words: list[str]) -> bool:
    """Return whether a command deletes apt's lists, or is a script that may do so: `clean-layer.sh`."""
    if program in {"cd", "find", "rm"}:
        return any(map(_may_name_lists, words))
    scripts = words if program in SHELLS else [program]
    return "clean" in program or any(script.endswith(".sh") for script in scripts)


def _may_name_lists(word: str) -> bool:
    """Return whether the word may name the folder of apt's lists, or one that contains it."""
    return "$" in word or "apt/lists" in word or ("/var/lib/" in word and ("apt" in word or "*" in word))


def _mounts_lists(instruction: Instruction) -> bool:
    """Return whether apt's lists are on a mount, and so not in a layer."""
    targets = [posixpath.normpath(mount.get("target", "")) for mount in instruction.mounts]
    return any("/var/lib/apt/lists/".startswith(f"{target}/") for target in targets)
