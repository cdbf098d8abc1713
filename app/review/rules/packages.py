"""Rules about the installation of packages."""

import posixpath
from collections.abc import Iterator
from itertools import pairwise

from app.review.dockerfile import Dockerfile
from app.review.installation import PROJECTS
from app.review.rules.rule import Problem, Severity, rule
from app.review.state import State
from app.review.syntax import Instruction

# The folder under /root/.cache, where it is not called as the tool is.
CACHES = {"poetry": "pypoetry"}
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
