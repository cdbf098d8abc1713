"""Rules about what is copied from the build context."""

import posixpath
import re
from collections.abc import Callable, Iterator, Set
from dataclasses import dataclass
from itertools import takewhile

from app.review.dockerfile import Dockerfile
from app.review.edit import Edit, add_flags, delete, insert_below
from app.review.installation import Installation
from app.review.rules.rule import Problem, Severity, rule
from app.review.stage import Stage, Step
from app.review.syntax import Instruction

# What a .dockerignore for Python should exclude: for each name, paths of which it must exclude at least one.
NEVER_COPIED = {
    ".git": [".git", ".git/HEAD"],
    ".venv": [".venv", "venv", ".venv/bin/python", "venv/bin/python"],
    "__pycache__": ["__pycache__", "app/__pycache__", "app/__pycache__/main.cpython-312.pyc"],
}


def copies_source(step: Step) -> bool:
    """Return whether a COPY or ADD copies the source of the service, or everything."""
    return step.copies_everything or any(map(_is_source, step.context_sources))


def _is_source(path: str) -> bool:
    """Return whether the path is a source folder, a folder below one, or a Python module next to the Dockerfile."""
    folders = takewhile(lambda part: "." not in part, reversed(path.split("/")))
    return not {"app", "src"}.isdisjoint(folders) or bool(re.fullmatch(r"(?!setup\.|.*conf)[^/]+\.py", path))


# Subcommands of git that do not need the repository in the build context.
NO_HISTORY = frozenset({"--version", "clone", "config", "init", "lfs", "version"})
# What no service needs at run time, with an example of a path.
NOT_RUN = {"tests": "tests/test_main.py", "Dockerfile": "Dockerfile", ".git": ".git/HEAD"}
# Files that list packages to install.
REQUIREMENTS = re.compile(
    r"(?:.*/)?(?:(?=[\w.-]*?requirements)[\w.-]+\.(?:txt|lock|in)|constraints\.txt|requirements(?:/[\w-]+\.txt)?"
    r"|pyproject\.toml|(?:uv|poetry|pdm)\.lock|Pipfile(?:\.lock)?)"
)
STARTS = frozenset({"CMD", "ENTRYPOINT", "RUN"})
# Search this many instructions after a COPY. In practice, no installation is further away.
FURTHEST = 50
# A COPY of more files is not a copy of requirements.
MOST_FILES = 10


@rule(
    "source-before-install",
    Severity.WARNING,
    bad="""
FROM python:3.12-slim
WORKDIR /app
COPY . .
RUN pip install -r requirements.txt
""",
    good="""
FROM python:3.12-slim
WORKDIR /app
RUN --mount=type=bind,source=requirements.txt,target=requirements.txt \\
    pip install -r requirements.txt
COPY . .
""",
)
def source_before_install(dockerfile: Dockerfile) -> Iterator[Problem]:
    """The source is copied before the dependencies are installed.

    A layer is rebuilt when an earlier instruction or a file that it copies changes. If the source is copied first, a
    change to one line installs every package again. Install from the requirements first, then copy the source.
    """
    waiting: dict[int, list[Instruction]] = {}  # by stage: source copies without an installation after them
    ready: dict[int, bool] = {}  # by stage: whether dependencies may already be installed
    last = _last(dockerfile, lambda step: bool(step.installations))
    for stage in dockerfile.stages:
        waiting[stage.index] = []
        ready[stage.index] = ready[stage.parent.index] if stage.parent else not stage.state.is_bare
        for step in stage.steps:
            instruction = step.instruction
            if copies_source(step):
                waiting[stage.index].append(instruction)
            elif instruction.flag("from") and not step.takes_installers:
                ready[stage.index] |= ready[step.origin.index] if isinstance(step.origin, Stage) else True
            for installation in step.installations:
                if _reinstalls(installation, ready[stage.index]):
                    is_last = last[stage.index] <= instruction.line
                    yield from _copies_before(stage, waiting, step, installation, is_last)
                ready[stage.index] |= installation.dependencies


def _reinstalls(installation: Installation, ready: bool) -> bool:
    """Return whether the installation downloads packages, rather than adding a project to installed ones."""
    if installation.project_only:
        return installation.downloads and installation.dependencies and not ready
    return installation.downloads


def _copies_before(
    stage: Stage, waiting: dict[int, list[Instruction]], step: Step, installation: Installation, is_last: bool
) -> Iterator[Problem]:
    """Yield a problem for each source copy before the installation. Each copy is reported once."""
    fix = "below the installation, which needs only the requirements"
    if installation.project_only or installation.has_project:
        fix = "below an installation of the dependencies alone, without the project"
    lineage: Stage | None = stage
    while lineage and (copies := waiting.pop(lineage.index, None)) is not None:
        for copy in copies:
            yield Problem(
                copy,
                f"the source is copied before `{installation.command}` in line {step.instruction.line}: "
                "every change to it installs all packages again",
                f"move this {copy.keyword} {fix}"
                if lineage is stage
                else f"install in a stage that branches off above this {copy.keyword}",
                edits=_moved(stage, copy, step) if lineage is stage and len(copies) == 1 and is_last else (),
            )
        lineage = lineage.parent
    waiting[stage.index] = []


def _moved(stage: Stage, copy: Instruction, step: Step) -> tuple[Edit, ...]:
    """Return the edits that move a COPY below a RUN that only installs from files, and mount these files in the RUN.

    No other installation may follow.
    """
    reader = step.instruction
    between = [each for each in stage.steps if copy.line < each.instruction.line < reader.line]
    files = [file for item in step.installations for file in item.files]
    if (
        any(each.instruction.keyword not in {"ARG", "ENV", "LABEL"} for each in between)
        or any(map(_copies_requirements, stage.history))
        or len(step.installations) != len(step.commands)
        or any(item.has_project or item.project_only for item in step.installations)
        or copy.words[-1] not in {".", "./"}
        or not files
        or not all(re.fullmatch(r"(?!\.\.)[\w.-]+(?:/[\w-][\w.-]*)*", file) for file in files)
    ):
        return ()
    bound = {mount.get("target", "").removeprefix("./") for mount in reader.mounts}
    mounts = [f"--mount=type=bind,source={file},target={file}" for file in dict.fromkeys(files) if file not in bound]
    flags = add_flags(reader, mounts) if mounts else ()
    return (*delete(copy), *flags, *insert_below(reader, "\n".join(copy.source)))


@rule(
    "dockerignore",
    Severity.WARNING,
    bad="""
FROM python:3.12-slim
WORKDIR /app
COPY . .
""",
    good="""
FROM python:3.12-slim
WORKDIR /app
COPY app app
""",
)
def dockerignore(dockerfile: Dockerfile) -> Iterator[Problem]:
    """The whole build context is copied, including .git.

    The history of the repository, a virtual environment from another machine and stale bytecode end up in the image.
    Even a commit that changes no file rebuilds the layer. List these folders in .dockerignore, or copy only the folders
    that the image needs.
    """
    ignore = dockerfile.dockerignore
    copies = [(stage, step) for stage in dockerfile.stages for step in stage.steps if step.copies_everything]
    if ignore is None or not copies:
        return
    names = list(NEVER_COPIED) if dockerfile.is_python else [".git"]
    paths = {path for name in names for path in NEVER_COPIED[name]}
    kept_out = ignore.excluded(paths)
    needed = _last(dockerfile, lambda step: _asks_git(step.commands))
    for stage, step in copies:
        absent = kept_out | step.excluded(paths)
        copied = [name for name in names if absent.isdisjoint(NEVER_COPIED[name])]
        if step.instruction.line < needed[stage.index]:
            copied = [name for name in copied if name != ".git"]
        if copied:
            what = ".dockerignore does not exclude" if ignore.patterns else "no .dockerignore excludes"
            add = copied if ignore.patterns else [*copied, ".env"]
            yield Problem(
                step.instruction,
                f"{what} {', '.join(copied)}",
                f"add to .dockerignore, one per line: {' '.join(f'**/{name}' for name in add)}",
            )


def _last(dockerfile: Dockerfile, matches: Callable[[Step], bool]) -> dict[int, int]:
    """Return the line of the last step that matches, in each stage or a stage built on it, or 0 if there is none."""
    last: dict[int, int] = {}
    for stage in reversed(dockerfile.stages):
        own = [step.instruction.line for step in stage.steps if matches(step)]
        last[stage.index] = max([last.get(stage.index, 0), *own])
        if stage.parent:
            last[stage.parent.index] = max(last.get(stage.parent.index, 0), last[stage.index])
    return last


def _asks_git(commands: list[tuple[str, ...]]) -> bool:
    """Return whether commands read the repository in the build context with git, not one that they clone."""
    subcommands = {words[0] if words else "" for program, *words in commands if program == "git"}
    return "clone" not in subcommands and not subcommands <= NO_HISTORY


@rule(
    "source-with-everything",
    Severity.INFO,
    bad="""
FROM python:3.12-slim
WORKDIR /app
COPY . .
CMD ["python", "-m", "app"]
""",
    good="""
FROM python:3.12-slim
WORKDIR /app
COPY app app
CMD ["python", "-m", "app"]
""",
)
def source_with_everything(dockerfile: Dockerfile) -> Iterator[Problem]:
    """The published image contains everything in the folder.

    Tests, the Dockerfile and notes are published with the service, and a change to any of them creates a new layer.
    Copy only the folders that the service needs, by name.
    """
    copies = [step for step in dockerfile.published.history if step.copies_everything]
    ignore = dockerfile.dockerignore
    kept_out = ignore.excluded(NOT_RUN.values()) if ignore else set()
    published = [name for name, path in NOT_RUN.items() if path not in kept_out]
    if not published:
        return  # it excludes everything except what it names
    needed = _last(dockerfile, lambda step: _asks_git(step.commands))[dockerfile.published.index]
    for step in copies:
        if not step.instruction.flag("exclude"):
            names = ", ".join(name for name in published if name != ".git" or step.instruction.line >= needed)
            yield Problem(
                step.instruction,
                f"everything in the folder is published{f', including {names}' if names else ''}",
                f"{step.instruction.keyword} app app: only what the service needs",
            )


@rule(
    "requirements-bind-mount",
    Severity.INFO,
    bad="""
FROM python:3.12-slim
WORKDIR /app
COPY requirements.txt .
RUN --mount=type=cache,target=/root/.cache/pip \\
    pip install -r requirements.txt
""",
    good="""
FROM python:3.12-slim
WORKDIR /app
RUN --mount=type=cache,target=/root/.cache/pip \\
    --mount=type=bind,source=requirements.txt,target=requirements.txt \\
    pip install -r requirements.txt
""",
)
def requirements_bind_mount(dockerfile: Dockerfile) -> Iterator[Problem]:
    """A file is copied only to install what it lists.

    The copy is a layer that nothing needs afterwards, and the file stays in the image. A bind mount provides the file
    only to the RUN that reads it.
    """
    if not any(_copies_requirements(step) for stage in dockerfile.stages for step in stage.steps):
        return
    readers = [[_reader(step) for step in stage.steps] for stage in dockerfile.stages]
    for stage in dockerfile.stages:
        if stage.image and stage.image.is_windows:
            continue  # RUN does not support mounts there
        below: list[_Reader] = []
        for other in dockerfile.stages[stage.index + 1 :]:
            is_heir = stage in other.lineage
            pairs = zip(other.steps, readers[other.index], strict=True)
            below += [reader for step, reader in pairs if is_heir or step.origin is stage]
        for at, step in enumerate(stage.steps):
            if not _copies_requirements(step):
                continue
            sources = step.context_sources
            later = [*readers[stage.index][at + 1 :], *below][:FURTHEST]
            if user := _only_user({*sources, step.instruction.words[-1]}, later):
                mounts = [_mount(source, step.instruction.words[-1]) for source in sources]
                edits = _mount_edits(step, user, mounts)
                yield Problem(
                    step.instruction,
                    f"copied only for the installation: {', '.join(sources)}",
                    f"RUN {' '.join(mounts)} in line {user.instruction.line}, without this {step.instruction.keyword}",
                    edits=edits,
                    safe=True,
                )


def _mount_edits(copy: Step, user: Step, mounts: list[str]) -> tuple[Edit, ...]:
    """Return the edits that mount the files instead of copying them, if both instructions work in the same folder."""
    is_plain = not any(re.search(r"[*?\[$]", mount) for mount in mounts) and copy.instruction.keyword == "COPY"
    if not is_plain or user.state.workdir != copy.state.workdir or user.instruction.keyword != "RUN":
        return ()
    return (*delete(copy.instruction), *add_flags(user.instruction, mounts))


def _copies_requirements(step: Step) -> bool:
    """Return whether a COPY or ADD copies only files that list packages to install."""
    sources = step.context_sources
    return 0 < len(sources) <= MOST_FILES and all(map(REQUIREMENTS.fullmatch, sources))


def _mount(source: str, destination: str) -> str:
    """Return the flag that mounts a file or a folder where a COPY puts it."""
    name = posixpath.basename(source)
    names_target = "." not in name or re.search(r"\.(?:in|lock|toml|txt)$", destination)
    target = destination if names_target else posixpath.join(destination, name)
    return f"--mount=type=bind,source={source},target={posixpath.normpath(target)}"


@dataclass(frozen=True, slots=True)
class _Reader:
    """What a step reads of the files that were copied before it.

    `reads` are the names of files that it installs from, and `text` can name files that it reads for something else.
    `covers` means that it copies the whole context, and `runs` that it builds the project, or runs a tool that reads
    the project's files.
    """

    step: Step
    reads: Set[str]
    text: str
    covers: bool
    runs: bool


def _reader(step: Step) -> _Reader:
    instruction = step.instruction
    commands = instruction.commands if instruction.keyword in STARTS else []
    text = step.text if commands or instruction.flag("from") else ""
    if step.installations:
        others = (command for command, item in zip(commands, step.installed, strict=True) if not item)
        text = "\n".join(word for command in others for word in command)
    reads = {name for item in step.installations for name in item.reads}
    # It is unknown what a project's build reads. A wheel is already built.
    builds = any(item.project_only and item.downloads for item in step.installations)
    return _Reader(step, reads, text, step.copies_everything, builds or any(map(_is_runner, commands)))


def _only_user(paths: Set[str], readers: list[_Reader]) -> Step | None:
    """Return the only step that reads the files, or None if they are also read for something else."""
    names = {posixpath.basename(path) for path in paths} - {"", ".", "app"}
    users = []
    for reader in readers:
        if reader.covers:
            break
        if not names.isdisjoint(reader.reads):
            users.append(reader.step)
        if reader.runs or (reader.text and any(name in reader.text for name in names)):
            return None
    return users[0] if len(users) == 1 else None


def _is_runner(command: tuple[str, ...]) -> bool:
    """Return whether a command reads the project's files without installing: `uv run`, `poetry export`."""
    return command[0] in {"pdm", "pipenv", "poetry", "uv"} and command[1:2] not in {
        ("install",),
        ("sync",),
        ("pip",),
        ("config",),
        ("venv",),
    }
